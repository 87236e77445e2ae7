"""Mean temporal misalignment: how far in time the mouth's turning points are from the truth's.

After "Perceptually Accurate 3D Talking Head Generation" (CVPR 2025): smooth both lip openings,
align their derivatives by dynamic time warping (Keogh and Pazzani 2001), match turning points of
the same kind along the path and average their distance in time.
"""

from dataclasses import dataclass

import numpy as np

SIGMA = 1.0  # frames of the Gaussian both curves are smoothed with
BAND_S = 0.35  # seconds the warping may bend
NEAR = 2  # frames from the path within which a turning point counts as the partner
SWING = 0.15  # a turning point stands out by this share of the truth's own deviation at least


@dataclass(frozen=True)
class Misalignment:
    """milliseconds: mean |time difference| of matched turning points, nan when none matched.

    matched: share of the truth's turning points that found a partner.  A frozen mouth has none:
    always give it beside the milliseconds.  turns: turning points of the truth.
    """

    milliseconds: float
    matched: float
    turns: int


def misalignment(prediction: np.ndarray, truth: np.ndarray, fps: float) -> Misalignment:
    """MTM of two lip openings (frames,); unequal lengths are cut to the shorter."""
    n = min(len(prediction), len(truth))
    if n < 5:
        return Misalignment(float("nan"), float("nan"), 0)
    p, g = smooth(np.asarray(prediction)[:n]), smooth(np.asarray(truth)[:n])
    least = SWING * g.std()
    turns = turning_points(g, least)
    if not turns:
        return Misalignment(float("nan"), float("nan"), 0)
    own = turning_points(p, least)
    path = warp(np.gradient(p), np.gradient(g), max(2, round(BAND_S * fps)))
    gaps = []
    for at, kind in turns:
        partner = path[path[:, 1] == at, 0].mean()
        near = [i for i, k in own if k == kind and abs(i - partner) <= NEAR]
        if near:
            gaps.append(abs(min(near, key=lambda i: abs(i - partner)) - at))
    time = float(np.mean(gaps)) * 1000.0 / fps if gaps else float("nan")
    return Misalignment(time, len(gaps) / len(turns), len(turns))


def smooth(curve: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    """Gaussian smoothing, ends held, same length."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(np.asarray(curve, np.float64), reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), "valid")


def turning_points(curve: np.ndarray, least: float) -> list[tuple[int, int]]:
    """(frame, +1 for a peak or -1 for a valley), alternating, each `least` from the one before."""
    points: list[tuple[int, int]] = []
    low = high = 0
    for i in range(1, len(curve)):
        low = i if curve[i] < curve[low] else low
        high = i if curve[i] > curve[high] else high
        rising = not points or points[-1][1] < 0
        falling = not points or points[-1][1] > 0
        if rising and curve[high] - curve[i] > least:
            points.append((high, 1))
            low = high = i
        elif falling and curve[i] - curve[low] > least:
            points.append((low, -1))
            low = high = i
    return [p for p in points if 0 < p[0] < len(curve) - 1]


def warp(a: np.ndarray, b: np.ndarray, band: int) -> np.ndarray:
    """Cheapest monotone path of pairs (i, j), |i - j| <= band; cost |a_i - b_j|; (steps, 2)."""
    n = len(a)
    cost = np.full((n + 1, n + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(max(1, i - band), min(n, i + band) + 1):
            before = min(cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1])
            cost[i, j] = abs(a[i - 1] - b[j - 1]) + before
    path, i, j = [], n, n
    while i > 0 and j > 0:
        path.append((i - 1, j - 1))
        options = ((cost[i - 1, j - 1], i - 1, j - 1), (cost[i - 1, j], i - 1, j),
                   (cost[i, j - 1], i, j - 1))  # fmt: skip
        _, i, j = min(options, key=lambda option: option[0])
    return np.array(path[::-1])
