"""Writes clips in the format that training reads (`training.data.clips`), and reads word times.

NAME.opus sound, 16 kHz mono; NAME.mp4 mouths (`track_crop`); NAME.npz what was tracked. Beyond what
`load_clip` needs the npz tells where the clip comes from: `source` (a file's name), `start_s` in
it, `lag_ms` of its mouth as found, and `shift_ms`, by how much its sound was moved.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES
from l2t.voice import SAMPLE_RATE
from training.data.track_faces import INDEX, TrackError
from training.data.track_video import FPS

ALIGN_UNITS = 25_000  # of GRID's .align files in a second
# MediaPipe's order: a neutral one first and no tongue.
NAMES = ("_neutral", *sorted(name for name in ARKIT_NAMES if name != "tongueOut"))


@dataclass(frozen=True)
class Words:
    """words, and their (start, end) in seconds, (words, 2)."""

    words: tuple[str, ...] = ()
    times: np.ndarray = None  # type: ignore[assignment]

    def part(self, start: float, end: float, later: float = 0.0) -> "Words":
        """The words of the clip from `start` to `end` seconds, in its own time, moved by `later`.

        A word that the clip's edges cut is cut with it; one that lies outside is left out.
        """
        kept, times = [], []
        for word, (a, b) in zip(self.words, () if self.times is None else self.times, strict=True):
            low, high = max(a - start + later, 0.0), min(b - start + later, end - start)
            if high > low:
                kept.append(word)
                times.append((low, high))
        return Words(tuple(kept), np.array(times, np.float32).reshape(-1, 2))


@dataclass(frozen=True)
class Tracked:
    """One clip to be written.

    points: (frames, 80, 3) pixels; found: (frames,); arkit: (frames, 52) in `ARKIT_NAMES`' order;
    head: (frames, 4, 4); size: (width, height) of the picture; start, lag, shift in seconds.
    """

    points: np.ndarray
    found: np.ndarray
    arkit: np.ndarray
    head: np.ndarray
    size: tuple[int, int]
    words: Words
    source: str
    start: float
    lag: float
    shift: float


def write_clip(folder: Path, name: str, clip: Tracked, samples: np.ndarray) -> None:
    """NAME.opus and NAME.npz; the npz last, so that a clip that has one is whole."""
    import soundfile

    sound = np.clip(samples, -1, 1)
    soundfile.write(folder / f"{name}.opus", sound, SAMPLE_RATE, format="OGG", subtype="OPUS")
    points = np.where(clip.found[:, None, None], clip.points, 0.0)
    scale = max(float(np.abs(points).max()), 1.0) / 32767
    arrays = {
        "landmarks": np.round(points / scale).astype(np.int16),
        "landmark_scale": np.float32(scale),
        "landmark_index": INDEX,
        "arkit": as_mediapipe(clip.arkit).astype(np.float16),
        "arkit_names": np.array(NAMES),
        "head_transform": clip.head.astype(np.float32),
        "valid": clip.found,
        "fps": np.float32(FPS),
        "frame_size": np.array(clip.size, np.int16),
        "source": np.array(clip.source),
        "start_s": np.float32(clip.start),
        "lag_ms": np.float32(1000 * clip.lag),
        "shift_ms": np.float32(1000 * clip.shift),
    }
    if clip.words.words:
        arrays |= {"words": np.array(clip.words.words), "word_times": clip.words.times}
    part = folder / f"{name}.part.npz"
    np.savez_compressed(part, **arrays)
    part.replace(folder / f"{name}.npz")


def as_mediapipe(arkit: np.ndarray) -> np.ndarray:
    """Weights (frames, 52) in `ARKIT_NAMES`' order -> columns `NAMES`; `_neutral` is 0."""
    columns = [ARKIT_NAMES.index(name) for name in NAMES[1:]]
    return np.concatenate([np.zeros((len(arkit), 1), arkit.dtype), arkit[:, columns]], axis=1)


def find_words(video: Path) -> Words:
    """The words of a video: NAME.align beside it, or in a folder `align` as GRID is published.

    SPEAKER/align, align/SPEAKER or align, next to SPEAKER. None of these: no words. Raises
    TrackError for a broken file.
    """
    folder, aligned = video.parent, video.parent.parent / "align"
    folders = (folder, folder / "align", aligned / folder.name, aligned)
    for folder in folders:
        path = folder / f"{video.stem}.align"
        if path.is_file():
            return read_align(path)
    return Words()


def read_align(path: Path) -> Words:
    """GRID's word times: a line a word, start and end in 1/25000 s. Raises TrackError."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        times = [(int(a) / ALIGN_UNITS, int(b) / ALIGN_UNITS) for a, b, _ in rows]
    except ValueError:
        raise TrackError(
            f"{path.name} is no GRID alignment; a line has start, end (1/25000 s) and a word."
        ) from None
    return Words(tuple(row[2] for row in rows), np.array(times, np.float32).reshape(-1, 2))
