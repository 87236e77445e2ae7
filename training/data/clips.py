"""Tracked talking-face clips (the format of grid_s1): landmarks and words of real people."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.metrics import INNER_LIP_PAIRS

# MediaPipe's 478-point numbering of the 80 stored landmarks is in each file (`landmark_index`).
OUTER_EYE_CORNERS = (33, 263)
LIPS = slice(0, 40)
CHIN = (150, 176, 152, 400, 379)
# Points that speech does not move: lid corners, nose, temples and cheek outline.
RIGID = (33, 133, 362, 263, 168, 6, 4, 1, 98, 327, 2, 127, 356, 234, 454)


@dataclass(frozen=True)
class TrackedClip:
    """One clip of a real face.

    landmarks: (frames, 80, 3) float32 pixels; x right, y down, z away from the camera.
    index:     (80,) MediaPipe number of each landmark.
    valid:     (frames,) False where no face was found (landmarks interpolated there).
    arkit:     (frames, 52) the tracker's own weights, columns `arkit_names`.
    fps:       frames a second; frame i belongs to time (i + 0.5) / fps.
    words, word_times: the corpus' words and their (start, end) in seconds; empty when unknown.
    """

    name: str
    landmarks: np.ndarray
    index: np.ndarray
    valid: np.ndarray
    arkit: np.ndarray
    arkit_names: tuple[str, ...]
    fps: float
    words: tuple[str, ...]
    word_times: np.ndarray


def names_of(folder: Path) -> list[str]:
    """Names of all clips in a folder, sorted."""
    return sorted(path.stem for path in Path(folder).glob("*.npz"))


def load_clip(path: Path) -> TrackedClip:
    """Reads one clip; frames without a face are interpolated from their neighbours."""
    with np.load(path, allow_pickle=False) as file:
        landmarks = file["landmarks"].astype(np.float32) * float(file["landmark_scale"])
        valid = file["valid"].astype(bool)
        words = tuple(file["words"].tolist()) if "words" in file else ()
        times = file["word_times"].astype(np.float32) if "words" in file else np.zeros((0, 2))
        return TrackedClip(
            path.stem, fill_gaps(landmarks, valid), file["landmark_index"].astype(int), valid,
            file["arkit"].astype(np.float32), tuple(file["arkit_names"].tolist()),
            float(file["fps"]), words, times,
        )  # fmt: skip


def fill_gaps(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(frames, ...) with invalid frames interpolated in time; unchanged where nothing is valid."""
    if valid.all() or not valid.any():
        return values
    flat = values.reshape(len(values), -1).copy()
    frames = np.arange(len(values))
    for column in flat.T:
        column[~valid] = np.interp(frames[~valid], frames[valid], column[valid])
    return flat.reshape(values.shape)


def opening(landmarks: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Inner-lip gap over the distance of the outer eye corners, (frames,), no unit.

    Mean distance of the three middle pairs of inner lip points in the picture plane.
    """
    at = {int(number): column for column, number in enumerate(index)}

    def distance(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(landmarks[:, at[a], :2] - landmarks[:, at[b], :2], axis=-1)

    gap = np.mean([distance(a, b) for a, b in INNER_LIP_PAIRS], axis=0)
    return gap / distance(*OUTER_EYE_CORNERS)
