"""Which ellipses touch which tile of a picture."""

import numpy as np

from l2t.avatar.project import COLUMN, LEVEL, REACH_X, REACH_Y, ROW, A, B, C
from l2t.render.jit import jit

TILE = 16  # pixels
BITS = 64  # tiles of one ellipse that are looked at one by one


@jit
def sort_into_tiles(packed, order, across, down, start, items):
    """Which ellipses touch which tile: rows of `packed` (n, PACKED), in the order (n,) given.

    start: (across * down + 1,) int32, first item of each tile. Returns how many items there are;
    they are written to `items` (int32) if all of them fit.
    """
    boxes = np.empty((len(packed), 4), np.int16)  # first and last tile, along x and y
    touched = np.empty(len(packed), np.uint64)  # a bit for each tile of the box, row by row
    start[:] = 0
    for i in range(len(packed)):
        p, box = packed[i], boxes[i]
        box[0] = max(0, int(np.floor((p[COLUMN] - p[REACH_X]) / TILE)))
        box[1] = min(across - 1, int(np.floor((p[COLUMN] + p[REACH_X]) / TILE)))
        box[2] = max(0, int(np.floor((p[ROW] - p[REACH_Y]) / TILE)))
        box[3] = min(down - 1, int(np.floor((p[ROW] + p[REACH_Y]) / TILE)))
        touched[i] = _count(p, box, across, start)
    for tile in range(len(start) - 1):
        start[tile + 1] += start[tile]
    if start[-1] > len(items):
        return start[-1]
    for i in order:
        box, bits = boxes[i], touched[i]
        large = _large(box)
        for y in range(box[2], box[3] + 1):
            for x in range(box[0], box[1] + 1):
                if large or bits & np.uint64(1):
                    tile = y * across + x
                    items[start[tile]] = i
                    start[tile] += 1
                bits >>= np.uint64(1)
    start[1:] = start[:-1].copy()  # writing moved each start to the next
    start[0] = 0
    return start[-1]


@jit
def _count(p, box, across, start):
    """Counts an ellipse in the tiles of its box that it touches; returns which, as bits."""
    bits, bit = np.uint64(0), np.uint64(1)
    alone = box[0] == box[1] and box[2] == box[3]
    large = _large(box)
    for y in range(box[2], box[3] + 1):
        for x in range(box[0], box[1] + 1):
            if alone or large or _touches(p, x * TILE, y * TILE):
                start[y * across + x + 1] += 1
                bits |= bit
            bit <<= np.uint64(1)
    return bits


@jit
def _large(box):
    return (box[1] - box[0] + 1) * (box[3] - box[2] + 1) > BITS


@jit
def _touches(p, left, top):
    """Whether an ellipse reaches between the middles of a tile's outermost pixels."""
    near_x, far_x = left + 0.5 - p[COLUMN], left + TILE - 0.5 - p[COLUMN]
    near_y, far_y = top + 0.5 - p[ROW], top + TILE - 0.5 - p[ROW]
    x, y = min(max(0.0, near_x), far_x), min(max(0.0, near_y), far_y)
    if x == 0 and y == 0:
        return True
    # Along the sides that face the ellipse's middle its lowest value is that of a parabola.
    at_y = min(max(-p[B] * x / p[C], near_y), far_y)
    at_x = min(max(-p[B] * y / p[A], near_x), far_x)
    return (x != 0 and _height(p, x, at_y) <= p[LEVEL]
            or y != 0 and _height(p, at_x, y) <= p[LEVEL])


@jit
def _height(p, x, y):
    return p[A] * x * x + 2 * p[B] * x * y + p[C] * y * y
