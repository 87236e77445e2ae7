"""Training examples for the student: packed features beside target motion, cropped at random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES, FPS, frame_times
from training.data.facegood import rig_targets

STEP_FEATURES, STEP_FRAMES = 5, 3  # 0.1 s: the common grid of 50 Hz and 30 fps


@dataclass(frozen=True)
class Example:
    """features (n, channels) float16 at 50 Hz; arkit (frames, 52) float32; valid (frames,) bool."""

    name: str
    style: int
    features: np.ndarray
    arkit: np.ndarray
    valid: np.ndarray


def read_pack(path: Path) -> dict[str, tuple[np.ndarray, float]]:
    """name -> (features, speed) of one pack."""
    with np.load(path, allow_pickle=False) as file:
        features, starts, speeds = file["features"], file["starts"], file["speeds"]
        names = file["names"].tolist()
    return {
        name: (features[starts[i] : starts[i + 1]], float(speeds[i]))
        for i, name in enumerate(names)
    }


def at_speed(arkit: np.ndarray, valid: np.ndarray, count: int, speed: float):
    """Motion read where the sped-up sound is: `count` frames, and where they are valid."""
    own = frame_times(len(arkit))
    times = frame_times(count) * speed
    out = np.stack([np.interp(times, own, column) for column in arkit.T], axis=1)
    near = np.clip((times * FPS).astype(int), 0, len(valid) - 1)
    return out.astype(np.float32), valid[near] & (times <= own[-1] + 0.5 / FPS)


def tracked(targets: Path, pack: Path, keep, style: int) -> list[Example]:
    """Examples of a tracked corpus. keep(position among the sorted names) chooses the split."""
    with np.load(targets, allow_pickle=False) as file:
        names, arkit, valid = file["names"].tolist(), file["arkit"], file["valid"]
    packed = read_pack(pack)
    out = []
    for i, name in enumerate(names):
        if not keep(i) or name not in packed:
            continue
        features, speed = packed[name]
        moved = at_speed(arkit[i], valid[i], int(len(features) * FPS / 50), speed)
        out.append(Example(name, style, features, *moved))
    return out


def rigged(folder: Path, pack: Path, keep, style: int) -> list[Example]:
    """Examples of the rig-curve corpus; ten-second parts named TAKE:PART. keep(take)."""
    out, takes = [], {}
    for name, (features, speed) in read_pack(pack).items():
        take, part = name.split(":")
        if not keep(take):
            continue
        if take not in takes:
            takes[take] = rig_targets(folder / f"{take}.npz", folder / "to_arkit.csv")
        curves = takes[take][int(part) * 300 :][:300]
        valid = np.ones(len(curves), bool)
        moved = at_speed(curves, valid, int(len(features) * FPS / 50), speed)
        out.append(Example(name, style, features, *moved))
    return out


def spoken(
    align: Path, pack: Path, model, keep, style: int, amplitude: float = 1.0
) -> list[Example]:
    """Examples of speech without a face, animated by the coarticulation model. keep(split)."""
    from training.data.align import load_alignments
    from training.data.coarticulation import coarticulate

    packed, out = read_pack(pack), []
    for item in load_alignments(align):
        if not keep(item.split) or item.id not in packed:
            continue
        features, speed = packed[item.id]
        seconds = len(features) / 50
        arkit = coarticulate(
            item.phones, item.starts / speed, item.ends / speed, seconds, model,
            amplitude=amplitude,
        )[: int(seconds * FPS)]
        out.append(Example(item.id, style, features, arkit, np.ones(len(arkit), bool)))
    return out


def draw_start(example: Example, frames: int, rng: np.random.Generator) -> int:
    """Where a crop of `frames` frames begins, in tenths of a second."""
    spare = max(0, len(example.arkit) - frames) // STEP_FRAMES
    return int(rng.integers(spare + 1))


def cut(example: Example, frames: int, start: int):
    """features, arkit, valid of `frames` frames from `start` tenths of a second on.

    Padded and masked if the example is shorter.
    """
    a, f = start * STEP_FRAMES, start * STEP_FEATURES
    count = frames * STEP_FEATURES // STEP_FRAMES
    features = np.zeros((count, example.features.shape[1]), np.float32)
    arkit = np.zeros((frames, len(ARKIT_NAMES)), np.float32)
    valid = np.zeros(frames, bool)
    piece = example.features[f : f + count]
    features[: len(piece)] = piece
    features[len(piece) :] = piece[-1]
    piece = example.arkit[a : a + frames]
    arkit[: len(piece)] = piece
    valid[: len(piece)] = example.valid[a : a + frames]
    return features, arkit, valid


def crop(example: Example, frames: int, rng: np.random.Generator):
    """A random stretch of an example, as `cut` gives it."""
    return cut(example, frames, draw_start(example, frames, rng))
