"""Ellipses as arrays of their own, into the rows that the rasteriser takes."""

import numpy as np

from l2t.avatar.project import (
    COLUMN,
    LEAST,
    LEVEL,
    OPACITY,
    PACKED,
    REACH_X,
    REACH_Y,
    RED,
    ROW,
    A,
    B,
    C,
)
from l2t.render.jit import jit


def packed_ellipses(spots, conics, opacity, colours, depth, width, height):
    """(n, PACKED) ellipses that may be seen and their numbers (n,) int64."""
    packed = np.empty((len(depth), PACKED), spots.dtype)
    rows = np.empty(len(depth), np.int64)
    count = _pack(spots, conics, opacity, colours, depth, width, height, packed, rows)
    return packed[:count], rows[:count]


@jit
def _pack(spots, conics, opacity, colours, depth, width, height, packed, rows):
    """Fills the first rows of `packed`; returns how many."""
    count = 0
    for g in range(len(depth)):
        a, b, c = conics[g]
        area = a * c - b * b
        if not (area > 0 and depth[g] > 0 and opacity[g] > LEAST):
            continue
        level = 2 * np.log(opacity[g] / LEAST)
        reach_x, reach_y = np.sqrt(level * c / area), np.sqrt(level * a / area)
        column, row = spots[g]
        if not (column + reach_x > 0 and column - reach_x < width and row + reach_y > 0
                and row - reach_y < height):
            continue
        p = packed[count]
        p[COLUMN], p[ROW], p[A], p[B], p[C] = column, row, a, b, c
        p[OPACITY], p[LEVEL], p[REACH_X], p[REACH_Y] = opacity[g], level, reach_x, reach_y
        p[RED], p[RED + 1], p[RED + 2] = colours[g]
        rows[count] = g
        count += 1
    return count
