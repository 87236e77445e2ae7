"""What our own teacher learns from: speech features, the real mouth, its voice as the expert hears.

A clip's photo is one of its own frames with the mouth most closed, so that light, beard and head
pose are known and only what the voice tells is left to learn.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.loudness import normalise
from l2t.mel import log_mel
from l2t.voice import speech_mask
from training.data.corpora import grid_split
from training.data.mouths import load_mouths
from training.data.packs import read_pack
from training.models.syncnet2d import FPS, MEL_RATE, SyncNet2D
from training.sync_sources import sound_of

CLOSED = 5  # frames of a clip with the smallest lip opening: one of them is the photo


@dataclass(frozen=True)
class Lesson:
    """One clip of `frames` pictures.

    features: one or more (2 frames, channels) float16 at 50 Hz, clean first, then other voices.
    mouths: (frames, 96, 96) uint8. photos: numbers of the frames with the most closed mouth.
    voiced: (frames,) bool. sound: (frames, size) float32, the expert's; empty without one.
    """

    name: str
    features: tuple[np.ndarray, ...]
    mouths: np.ndarray
    photos: np.ndarray
    voiced: np.ndarray
    sound: np.ndarray


def fitted(features: np.ndarray, frames: int) -> np.ndarray:
    """Features cut, or the last one held, to two a frame."""
    return features[np.minimum(np.arange(2 * frames), len(features) - 1)]


def sound_vectors(samples: np.ndarray, frames: int, expert: SyncNet2D | None) -> np.ndarray:
    """What the expert hears, (frames, size) float32; (frames, 0) without an expert."""
    if expert is None:
        return np.zeros((frames, 0), np.float32)
    mel = log_mel(torch.from_numpy(samples), frames, MEL_RATE)
    with torch.inference_mode():
        return expert.hear(mel[None])[0].numpy()


def load_lessons(
    data: Path,
    cache: Path,
    split: str,
    copies: tuple[int, ...] = (0,),
    expert: SyncNet2D | None = None,
) -> list[Lesson]:
    """Clips of grid_s1. copies: packs of features; of augmented ones only those at speed 1."""
    names, mouths = load_mouths(cache, "grid_s1")
    with np.load(cache / "targets" / "grid_s1.npz", allow_pickle=False) as file:
        opening = dict(zip(file["names"].tolist(), file["opening"], strict=True))
    chosen = [i for i in range(len(names)) if grid_split(i) == split]
    frames = mouths.shape[1]
    heard: dict[str, list[np.ndarray]] = {names[i]: [] for i in chosen}
    for copy in copies:
        pack = read_pack(cache / "features" / f"grid_s1.{copy}.npz")
        for name in heard:
            features, speed = pack[name]
            if speed == 1.0:
                heard[name].append(fitted(features, frames).copy())
    lessons = []
    for i in chosen:
        samples = normalise(sound_of(data / "grid_s1" / f"{names[i]}.opus") / np.float32(32768))
        lessons.append(Lesson(
            names[i], tuple(heard[names[i]]), mouths[i],
            np.argsort(opening[names[i]][:frames])[:CLOSED],
            speech_mask(samples, FPS, frames), sound_vectors(samples, frames, expert),
        ))  # fmt: skip
    return lessons


def neutral_photo(lessons: list[Lesson]) -> np.ndarray:
    """The closed mouth, (96, 96) float32 in 0..1, nearest to the mean of all clips' closed ones."""
    closed = np.stack([lesson.mouths[lesson.photos[0]] for lesson in lessons]).astype(np.float32)
    far = np.abs(closed - closed.mean(0)).mean((1, 2))
    return closed[int(np.argmin(far))] / 255.0


def draw(lessons: list[Lesson], rng: np.random.Generator, batch: int, frames: int):
    """A batch: features (batch, 2 all, channels), photo (batch, 96, 96), film (batch, frames, 96,
    96) in 0..1, its starts (batch,), voiced (batch, frames), sound (batch, frames, size)."""
    rows = []
    for pick in rng.choice(len(lessons), batch, replace=False):
        lesson = lessons[pick]
        features = lesson.features[rng.integers(len(lesson.features))]
        start = draw_start(lesson.voiced, frames, rng)
        part = slice(start, start + frames)
        photo = lesson.mouths[rng.choice(lesson.photos)]
        rows.append((features.astype(np.float32), photo / np.float32(255),
                     lesson.mouths[part] / np.float32(255), np.int64(start),
                     lesson.voiced[part], lesson.sound[part]))  # fmt: skip
    return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))


def draw_start(voiced: np.ndarray, frames: int, rng: np.random.Generator) -> int:
    """Where a stretch begins: three in four times around a voiced frame, else anywhere."""
    last = len(voiced) - frames
    spoken = np.flatnonzero(voiced)
    if len(spoken) and rng.random() < 0.75:
        return int(np.clip(rng.choice(spoken) - rng.integers(frames), 0, last))
    return int(rng.integers(last + 1))
