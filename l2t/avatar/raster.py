"""Ellipses into pictures: tile by tile, front to back.

Tiles are 16 pixels wide. An ellipse is drawn row by row over the tiles it touches, in exactly
those pixels in which its opacity is at least 1/255; a row of a tile is one loop without branches,
which becomes vector instructions. A pixel takes no more once less than 1e-3 of what lies behind
would shine through, and a tile ends with its last pixel. Tiles do not touch each other: any number
of threads gives the same bytes. Float32 is fast, float64 is for the tests' oracles.
"""

import numpy as np

from l2t.avatar.project import COLUMN, LEVEL, OPACITY, REACH_Y, RED, ROW, A, B, C
from l2t.avatar.tiles import TILE
from l2t.render.jit import jit

OPAQUE = 0.999  # most that one Gaussian hides
DONE = 1e-3  # share of light that no longer matters: a quarter of one level of 255
PAUSE = 8  # ellipses after which a tile looks whether it is done


@jit
def fall(power, kind):
    """kind(exp(-power)) for 0 <= power <= 5.6, relative error 2e-11 in float64, in operations
    that vectors have: a polynomial of a 32nd of it, squared five times."""
    t = power * kind(-1 / 32)
    e = kind(1 / 5040) + t * kind(1 / 40320)
    e = kind(1 / 120) + t * (kind(1 / 720) + t * e)
    e = kind(1 / 6) + t * (kind(1 / 24) + t * e)
    e = kind(1) + t * (kind(1) + t * (kind(1 / 2) + t * e))
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@jit
def rows(p, top):
    """First and last row, counted within the tile that begins at row `top`, of an ellipse."""
    return (max(0, int(np.ceil(p[ROW] - p[REACH_Y] - 0.5)) - top),
            min(TILE - 1, int(np.floor(p[ROW] + p[REACH_Y] - 0.5)) - top))


@jit
def over(light):
    """Whether no pixel of a tile (TILE, TILE) needs more."""
    most = light[0, 0]
    for y in range(TILE):
        for x in range(TILE):
            most = light[y, x] if light[y, x] > most else most
    return most <= DONE


@jit
def draw(packed, start, items, across, tile_rows, picture, behind):
    """Blends the tiles of `tile_rows` (a pair, first and behind last) front to back.

    picture: (H, W, 3) gets colours times cover; behind: (H, W) the share of the background that
    shines through; both in the tiles' rows alone.
    """
    kind = packed.dtype.type
    half, opaque, done, none = kind(0.5), kind(OPAQUE), kind(DONE), kind(0)
    height, width = behind.shape
    spot = np.empty((4, TILE, TILE), packed.dtype)  # light that is left, red, green, blue
    for tile in range(tile_rows[0] * across, tile_rows[1] * across):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        spot[0] = 1
        spot[1:] = 0
        for i in range(start[tile], start[tile + 1]):
            p = packed[items[i]]
            a, b, c, bound = half * p[A], p[B], half * p[C], half * p[LEVEL]
            opacity, red, green, blue = p[OPACITY], p[RED], p[RED + 1], p[RED + 2]
            first = kind(left) + half - p[COLUMN]
            y0, y1 = rows(p, top)
            for y in range(y0, y1 + 1):
                dy = kind(top + y) + half - p[ROW]
                slope, base = b * dy, c * dy * dy
                for x in range(TILE):
                    dx = first + kind(x)
                    power = dx * (a * dx + slope) + base
                    light = spot[0, y, x]
                    alpha = opacity * fall(power if power < bound else bound, kind)
                    alpha = alpha if alpha < opaque else opaque
                    alpha = alpha if power <= bound else none
                    weight = alpha * light if light > done else none
                    spot[0, y, x] = light - weight
                    spot[1, y, x] += weight * red
                    spot[2, y, x] += weight * green
                    spot[3, y, x] += weight * blue
            if i % PAUSE == 0 and over(spot[0]):
                break
        for y in range(min(TILE, height - top)):
            for x in range(min(TILE, width - left)):
                behind[top + y, left + x] = spot[0, y, x]
                for k in range(3):
                    picture[top + y, left + x, k] = spot[k + 1, y, x]


@jit
def develop(picture, behind, back, solid, out):
    """Lays a drawn picture over a background, into `out` (H, W, 3) uint8; returns the sum
    of its cover.

    picture: (H, W, 3) colours times cover; behind: (H, W); back: (H, W, 3) 0..255; solid: (H,)
    how much of the head is shown in each row.
    """
    cover = 0.0
    for y in range(len(out)):
        for x in range(out.shape[1]):
            cover += 1 - behind[y, x]
            left = 1 - solid[y] * (1 - behind[y, x])
            for c in range(3):
                value = 255 * solid[y] * picture[y, x, c] + left * back[y, x, c]
                out[y, x, c] = np.uint8(min(max(value, 0.0), 255.0) + 0.5)
    return cover
