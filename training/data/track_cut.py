"""Where a long video is cut into clips: at lost faces, at changes of scene, in pauses of speech."""

import numpy as np

from l2t.voice import SAMPLE_RATE, levels
from training.data.clips import OUTER_EYE_CORNERS
from training.data.track_faces import INDEX
from training.data.track_video import FPS

LONGEST = 12.0  # seconds of a clip
SHORTEST = 1.0
LOST = 0.4  # seconds without a face that are bridged; longer ones end a clip
JUMP = 0.6  # of the eyes' distance: a face that moves or grows by more in a frame is another scene
QUIET = 0.3  # seconds over which a pause's level is averaged

Span = tuple[int, int]  # first frame, last + 1


def faces_in_one_piece(points: np.ndarray, found: np.ndarray) -> list[Span]:
    """Stretches with one face in one scene, short gaps bridged; they begin and end with a face.

    points: (frames, 80, 3) pixels; found: (frames,) bool.
    """
    seen = np.flatnonzero(found)
    if not len(seen):
        return []
    left, right = (points[seen, list(INDEX).index(n), :2] for n in OUTER_EYE_CORNERS)
    eyes, middle = np.linalg.norm(left - right, axis=1), (left + right) / 2
    steps = np.diff(seen)
    scale = np.maximum(np.minimum(eyes[1:], eyes[:-1]), 1e-6)
    moved = np.linalg.norm(np.diff(middle, axis=0), axis=1) / scale / steps
    grown = np.abs(np.diff(eyes)) / scale / steps
    breaks = (steps > LOST * FPS + 1) | (moved > JUMP) | (grown > JUMP)
    firsts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    lasts = np.concatenate([np.flatnonzero(breaks), [len(seen) - 1]])
    return [(int(seen[a]), int(seen[b]) + 1) for a, b in zip(firsts, lasts, strict=True)]


def in_pauses(samples: np.ndarray, span: Span, longest: float = LONGEST) -> list[Span]:
    """A span cut into pieces of at most `longest` seconds, each time where it is most quiet.

    The cut lies in the second half of what a clip may hold, so that no clip is needlessly short.
    """
    first, last = span
    most, pieces = int(longest * FPS), []
    quiet = quietness(samples, last)
    while last - first > most:
        # Leave enough for the rest to be a clip of its own.
        low, high = first + most // 2, min(first + most, last - int(SHORTEST * FPS))
        cut = low + int(np.argmin(quiet[low : high + 1]))
        pieces.append((first, cut))
        first = cut
    return [*pieces, (first, last)]


def quietness(samples: np.ndarray, frames: int) -> np.ndarray:
    """Level in dBFS around the beginning of each frame, averaged over a pause, (frames + 1,)."""
    level = levels(samples)
    width = round(QUIET * 100)
    smooth = np.convolve(np.pad(level, width // 2, mode="edge"), np.ones(width) / width, "same")
    centres = width // 2 + np.arange(frames + 1) / FPS * 100
    return np.interp(centres, np.arange(len(smooth)), smooth)


def spans(points: np.ndarray, found: np.ndarray, samples: np.ndarray) -> list[Span]:
    """All clips of a video, in frames at 25 a second; (n,) samples at 16 kHz run beside them."""
    whole = min(len(found), int(np.ceil(len(samples) / SAMPLE_RATE * FPS)))
    out = []
    for first, last in faces_in_one_piece(points[:whole], found[:whole]):
        # Where the video as a whole is one clip, its edges stay although the face came later.
        first = 0 if first <= LOST * FPS else first
        last = whole if whole - last <= LOST * FPS else last
        out += in_pauses(samples, (first, last))
    return [(a, b) for a, b in out if b - a >= SHORTEST * FPS]
