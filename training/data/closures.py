"""Lips that touch: in p b m, whatever the neighbours, and in silence; and that never overlap.

Works on ARKit weights and on one linear fact of the face: what each weight adds to the gap between
the lips. Where the gap has to change, all weights that move it share the work, each by its part in
the gap and within 0..1, so a closure keeps the jaw, the rounding and the width of its neighbours.
"""

from collections.abc import Sequence

import numpy as np

from l2t.motion import ARKIT_NAMES, frame_times

# Seconds added to a phone's start and end: when tracked lips touch (most clips of grid_s1).
HOLD = {"P": (0.025, -0.025), "B": (0.02, -0.025), "M": (0.03, 0.0)}
REST = 0.25  # s, silence from this length on closes the lips
SETTLE, READY = 0.18, 0.22  # s after the last and before the next sound in which lips still move
BEFORE, AFTER = 0.05, 0.05  # s that lips take to shut before and to part after the closure
OVERLAP = 0.002  # eye distances by which pressed lips may sink into each other
# How readily a weight gives way; others (smile, pucker, press) stay as they are.
GIVES = {
    "mouthClose": 1.0, "mouthLowerDownLeft": 1.0, "mouthLowerDownRight": 1.0,
    "mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0, "jawOpen": 0.5, "mouthFunnel": 0.3,
    "mouthShrugLower": 0.3,
}  # fmt: skip
_GIVES = np.array([GIVES.get(name, 0.0) for name in ARKIT_NAMES])


def close_lips(
    weights: np.ndarray,
    phones: Sequence[str],
    starts: np.ndarray,
    ends: np.ndarray,
    gap: np.ndarray,
    fps: float,
) -> np.ndarray:
    """Weights (frames, 52) with closed lips where they have to be, open as before elsewhere.

    phones, starts, ends: names and seconds; gap: (52,) gap between the lips per full weight.
    """
    shut = closure_envelope(phones, starts, ends, len(weights), fps)
    now = weights @ gap
    wanted = np.maximum((1 - shut) * now, -OVERLAP)
    return with_gap(weights, wanted, gap)


def closure_envelope(
    phones: Sequence[str], starts: np.ndarray, ends: np.ndarray, frames: int, fps: float
) -> np.ndarray:
    """How far the lips have to be shut, (frames,) 0..1: 1 through closures and rests.

    The frame nearest to the middle of a closure is 1 even when the closure is shorter than it.
    """
    times = frame_times(frames, fps)
    shut = np.zeros(frames)
    whole = frames / fps
    for phone, start, end in zip(phones, starts, ends, strict=True):
        if phone in HOLD:
            first, last = start + HOLD[phone][0], end + HOLD[phone][1]
            middle = times[np.argmin(np.abs(times - (first + last) / 2))]
            first, last = min(first, middle), max(last, middle)
            shut = np.maximum(shut, _plateau(times, first, last, BEFORE, AFTER))
        elif phone == "SIL" and end - start >= REST:
            first = -np.inf if start < 0.02 else start + SETTLE
            last = np.inf if end > whole - 0.05 else end - READY
            shut = np.maximum(shut, _plateau(times, first, last, SETTLE, READY))
    return shut


def _plateau(times, first: float, last: float, rise: float, fall: float) -> np.ndarray:
    """1 from first to last with cosine flanks of `rise` and `fall` seconds."""
    away = np.maximum((first - times) / rise, (times - last) / fall)
    return 0.5 + 0.5 * np.cos(np.pi * np.clip(away, 0, 1))


def with_gap(weights: np.ndarray, wanted: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Least change of weights (frames, 52), within 0..1, to a gap of `wanted` (frames,).

    Weighted least norm, repeated while weights run into their bounds.
    """
    out = np.array(weights, float)
    for _ in range(6):
        missing = wanted - out @ gap
        room = np.where(missing[:, None] * gap > 0, out < 1, out > 0) * _GIVES
        scale = (room * gap**2).sum(axis=1, keepdims=True)
        out += missing[:, None] * room * gap / np.maximum(scale, 1e-12)
        out = np.clip(out, 0, 1)
    return out
