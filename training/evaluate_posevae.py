"""How a generated head compares with the tracked man's: size, diversity, smoothness, beat.

    python -m training.evaluate_posevae --data data --cache cache --weights runs/posevae

Beside the real movement stand a still head and real movement of other clips (shuffled), which has
the right size and no relation to the voice.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from l2t.headmotion import head_motion
from l2t.models.posevae import PoseConfig, PoseVAE
from l2t.motion import FPS
from l2t.voice import speech_mask
from training.data.corpora import grid_split, load_audio, read_part
from training.data.head_pose import head_pose
from training.data.packs import read_pack
from training.evaluate.tables import row, table
from training.files import load_parts

SEEDS = 5
BEAT_S = 0.1  # seconds within which a turn of the head counts as on the beat


def size(pose: np.ndarray) -> float:
    """Deviation of the rotation about its mean, degrees: root of the axes' summed variances."""
    return float(np.degrees(np.sqrt(pose.var(axis=0).sum())))


def jerk(pose: np.ndarray) -> float:
    """Root mean square of the third derivative over that of the first, 1/s^2: trembling."""
    third, first = (np.diff(pose, n, axis=0) * FPS**n for n in (3, 1))
    return float(np.sqrt(np.square(third).mean() / max(np.square(first).mean(), 1e-18)))


def onsets(samples: np.ndarray, frames: int) -> np.ndarray:
    """Frames where the loudness rises fastest: the beats of speech."""
    import librosa

    strength = librosa.onset.onset_strength(y=samples, sr=16000, hop_length=160)
    found = librosa.onset.onset_detect(onset_envelope=strength, sr=16000, hop_length=160)
    at = np.unique((found / 100 * FPS).astype(int))
    return at[at < frames]


def beat(pose: np.ndarray, beats: np.ndarray) -> float:
    """Mean over the beats of exp(-d^2 / 2 s^2), d the time to the nearest turning point of the
    head (a minimum of its speed), s = `BEAT_S` (Siyao et al., arXiv 2203.13055); nan if still."""
    speed = np.linalg.norm(np.diff(pose, axis=0), axis=1)
    middle = speed[1:-1]
    turns = 1 + np.flatnonzero((middle < speed[:-2]) & (middle <= speed[2:]))
    if not len(turns) or not len(beats) or speed.max() < 1e-7:
        return float("nan")
    away = np.abs(beats[:, None] - turns[None]).min(axis=1) / FPS
    return float(np.exp(-0.5 * (away / BEAT_S) ** 2).mean())


def measured(name: str, poses: list[np.ndarray], beats: list[np.ndarray]) -> list[dict]:
    return [
        row(f"{name}: size, degrees", [size(p) for p in poses]),
        row(f"{name}: jerk over speed, 1/s2", [jerk(p) for p in poses]),
        row(f"{name}: beat alignment", [beat(p, b) for p, b in zip(poses, beats, strict=True)]),
    ]


def evaluate(model: PoseVAE, data: Path, cache: Path, split: str) -> list[dict]:
    """Rows of the table."""
    packed = read_pack(cache / "features" / "grid_s1.0.npz")
    real, beats, made = [], [], []
    for i, utterance in enumerate(read_part(data, "grid_s1")):
        if grid_split(i) != split:
            continue
        samples = load_audio(utterance)
        pose = head_pose(data / "grid_s1" / f"{utterance.id}.npz")
        features = torch.from_numpy(packed[utterance.id][0].astype(np.float32))
        voiced = speech_mask(samples, FPS, len(pose))
        real.append(pose)
        beats.append(onsets(samples, len(pose)))
        made.append([head_motion(model, features, voiced, seed) for seed in range(SEEDS)])
    apart = [np.degrees(np.std(m, axis=0).mean()) * np.sqrt(3) for m in made]
    return [
        *measured("tracked man", real, beats),
        *measured("another clip's", [real[i - 1] for i in range(len(real))], beats),
        *measured("PoseVAE", [m[0] for m in made], beats),
        row("still head: size, degrees", [0.0] * len(real)),
        row(f"PoseVAE: deviation between {SEEDS} seeds, degrees", apart),
    ]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--weights", type=Path, default=Path("assets/weights"))
    parser.add_argument("--split", choices=("test", "validation"), default="validation")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    config, tensors = load_parts(args.weights, "posevae")
    model = PoseVAE(PoseConfig(**config))
    model.load_state_dict(tensors)
    rows = evaluate(model.eval(), args.data, args.cache, args.split)
    print(table(f"Head movement ({args.split})", rows))


if __name__ == "__main__":
    main()
