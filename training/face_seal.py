"""Close the resting lips: some identities leave a slit of a millimetre or two, and speech needs
a mouth at rest that is closed (p, b and m are read from it)."""

import numpy as np
from scipy.spatial import cKDTree

from training.face_paint import smooth

OVERLAP = 0.005  # dm: how far the lips may pass each other where they meet
LOWER_SHARE = 0.6  # of the way is gone by the lower lip
REACH = (0.03, 0.17)  # dm from the contact line: moves fully, moves no more
MOST = 0.06  # dm: a wider slit is not a slit


def lip_sides(open_mouth: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """(V,) +1 where the nearest lip line is the upper one, else -1; seen with the mouth open."""
    above = cKDTree(open_mouth[upper]).query(open_mouth)[0]
    below = cKDTree(open_mouth[lower]).query(open_mouth)[0]
    return np.where(above <= below, 1, -1)


def sealed(positions, upper, lower, sides) -> np.ndarray:
    """Positions (V, 3) dm with the slit closed.

    upper, lower: vertices of the lips' inner edges (any order, several rings may be given);
    sides: from `lip_sides`.
    """
    x = np.linspace(-0.24, 0.24, 49)
    edge_up = _envelope(x, positions[upper], np.min)
    edge_low = _envelope(x, positions[lower], np.max)
    slit = np.clip(edge_up - edge_low + OVERLAP, 0, MOST)
    slit = np.convolve(np.pad(slit, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    line = np.concatenate([upper, lower])
    distance = cKDTree(positions[line]).query(positions)[0]
    weight = 1 - smooth(distance, *REACH)
    closing = np.interp(positions[:, 0], x, slit, left=0, right=0) * weight
    out = positions.copy()
    out[:, 1] += closing * np.where(sides > 0, LOWER_SHARE - 1, LOWER_SHARE)
    return out


def _envelope(x, points, choose) -> np.ndarray:
    """Lowest or highest y of points near each x; NaN-free by interpolation."""
    best = np.full(len(x), np.nan)
    for k, at in enumerate(x):
        near = np.abs(points[:, 0] - at) < 0.012
        if near.any():
            best[k] = choose(points[near, 1])
    known = np.isfinite(best)
    return np.interp(x, x[known], best[known])


def slit_width(positions, upper, lower) -> float:
    """Widest vertical slit between the lips in dm (negative: they overlap everywhere)."""
    x = np.linspace(-0.15, 0.15, 31)
    return float((_envelope(x, positions[upper], np.min)
                  - _envelope(x, positions[lower], np.max)).max())
