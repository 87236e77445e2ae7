"""Blinks: lids that close now and then, so that the face looks alive.

Intervals between spontaneous blinks while speaking are close to log-normal with a median of some
three seconds; a blink closes in about 0.1 s and opens in about 0.2 s (Bentivoglio et al. 1997,
Movement Disorders 12, and Caffier et al. 2003, Eur. J. Appl. Physiol. 89).
"""

import zlib

import numpy as np

from l2t.motion import ARKIT_NAMES, FPS

LIDS = [ARKIT_NAMES.index("eyeBlinkLeft"), ARKIT_NAMES.index("eyeBlinkRight")]
DEEPEST = 0.9  # of eyeBlink: beyond it the lids crease
SHAPE = np.array([0.35, 0.85, 1.0, 0.8, 0.5, 0.25, 0.1])  # one blink at 30 fps
MEDIAN_S, SPREAD, SHORTEST_S = 3.2, 0.55, 0.8


def seed_of(samples: np.ndarray) -> int:
    """The same recording always blinks at the same times."""
    return zlib.crc32(np.ascontiguousarray(samples, np.float32).tobytes())


def with_blinks(arkit: np.ndarray, seed: int) -> np.ndarray:
    """A copy of (frames, 52) at 30 fps with both lids blinking; the mouth is untouched."""
    rng = np.random.default_rng(seed)
    lids = np.zeros(len(arkit) + len(SHAPE), np.float32)
    time = rng.uniform(0.6, MEDIAN_S)
    while time < len(arkit) / FPS:
        start = int(time * FPS)
        piece = lids[start : start + len(SHAPE)]
        np.maximum(piece, DEEPEST * SHAPE[: len(piece)], out=piece)
        time += max(SHORTEST_S, float(np.exp(rng.normal(np.log(MEDIAN_S), SPREAD))))
    out = arkit.copy()
    out[:, LIDS] = np.maximum(out[:, LIDS], lids[: len(arkit), None])
    return out
