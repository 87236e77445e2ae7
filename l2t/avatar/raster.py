"""Ellipses into pictures: tile by tile, front to back, and the way back for training.

Tiles are 16 pixels wide. An ellipse is drawn row by row over exactly those pixels in which its
opacity is at least 1/255; along a row its values follow one another by two products,
    g(x + 1) = g(x) r(x),  r(x + 1) = r(x) exp(-a),
so that the exponential is taken twice a row and not at every pixel. A pixel takes no more once
less than 1e-4 of what lies behind would shine through, and a tile ends with its last pixel.
Tiles do not touch each other: any number of threads gives the same bytes.
"""

import numpy as np

from l2t.avatar.project import COLUMN, LEVEL, OPACITY, REACH_X, REACH_Y, RED, ROW, A, B, C
from l2t.render.jit import jit

TILE = 16  # pixels
OPAQUE = 0.999  # most that one Gaussian hides
DONE = 1e-4  # share of light that no longer matters


@jit
def sort_into_tiles(packed, across, down, start, items):
    """Which ellipses touch which tile, in the order of `packed` (n, PACKED).

    start: (across * down + 1,) int32, first item of each tile. Returns how many items there are;
    those that fit are written to `items` (int32): ask with an empty one for the number.
    """
    start[:] = 0
    for write in range(2):
        for i in range(len(packed)):
            p = packed[i]
            x0 = max(0, int(np.floor((p[COLUMN] - p[REACH_X]) / TILE)))
            x1 = min(across - 1, int(np.floor((p[COLUMN] + p[REACH_X]) / TILE)))
            y0 = max(0, int(np.floor((p[ROW] - p[REACH_Y]) / TILE)))
            y1 = min(down - 1, int(np.floor((p[ROW] + p[REACH_Y]) / TILE)))
            for y in range(y0, y1 + 1):
                for x in range(x0, x1 + 1):
                    if write:
                        items[start[y * across + x]] = i
                    start[y * across + x + (not write)] += 1
        if not write:
            for tile in range(len(start) - 1):
                start[tile + 1] += start[tile]
            if start[-1] > len(items):
                return start[-1]
    start[1:] = start[:-1].copy()  # writing moved each start to the next
    start[0] = 0
    return start[-1]


@jit
def _span(p, y, left, right):
    """Columns x0..x1 of row y within left..right in which the ellipse is drawn (x1 < x0: none)."""
    dy = y + 0.5 - p[ROW]
    root = (p[B] * dy) ** 2 - p[A] * (p[C] * dy * dy - p[LEVEL])
    if not root > 0:
        return 0, -1
    root = np.sqrt(root)
    middle = p[COLUMN] - 0.5
    x0 = int(np.ceil(middle + (-p[B] * dy - root) / p[A]))
    x1 = int(np.floor(middle + (-p[B] * dy + root) / p[A]))
    return max(left, x0), min(right, x1)


@jit
def draw(packed, start, items, across, tile_rows, picture, behind):
    """Blends the tiles of `tile_rows` (a pair, first and behind last) front to back.

    picture: (H, W, 3) adds up colours, zeros before; behind: (H, W) share of the background
    that shines through, ones before.
    """
    height, width = behind.shape
    for tile in range(tile_rows[0] * across, tile_rows[1] * across):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        right, bottom = min(left + TILE, width) - 1, min(top + TILE, height) - 1
        live = (right + 1 - left) * (bottom + 1 - top)
        for i in range(start[tile], start[tile + 1]):
            p = packed[items[i]]
            y0 = max(top, int(np.ceil(p[ROW] - p[REACH_Y] - 0.5)))
            y1 = min(bottom, int(np.floor(p[ROW] + p[REACH_Y] - 0.5)))
            step = np.exp(-p[A])
            for y in range(y0, y1 + 1):
                x0, x1 = _span(p, y, left, right)
                if x1 < x0:
                    continue
                dx, dy = x0 + 0.5 - p[COLUMN], y + 0.5 - p[ROW]
                value = p[OPACITY] * np.exp(-(dx * (0.5 * p[A] * dx + p[B] * dy)
                                              + 0.5 * p[C] * dy * dy))
                ratio = np.exp(-(p[A] * (dx + 0.5) + p[B] * dy))
                for x in range(x0, x1 + 1):
                    light = behind[y, x]
                    if light > DONE:
                        alpha = min(value, OPAQUE)
                        weight = alpha * light
                        picture[y, x, 0] += weight * p[RED]
                        picture[y, x, 1] += weight * p[RED + 1]
                        picture[y, x, 2] += weight * p[RED + 2]
                        light -= weight
                        behind[y, x] = light
                        if light <= DONE:
                            live -= 1
                    value *= ratio
                    ratio *= step
            if live == 0:
                break


@jit
def draw_back(packed, start, items, across, behind, total, g_picture, g_solid, grad, use):
    """Gradient of the ellipses: `draw` once more, front to back, with what is known of the end.

    behind: (H, W) ones before, ends as in `draw`; total: (H, W) sum over a pixel of picture *
    g_picture + (1 - behind) * g_solid, from the finished picture; g_picture (H, W, 3), g_solid
    (H, W): gradients of the picture and of 1 - behind. grad: (n, PACKED) zeros before, gets those
    of column, row, a, b, c, opacity, colour. use: (n,) zeros before, gets each one's largest
    share in a pixel.
    """
    height, width = behind.shape
    for tile in range(len(start) - 1):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        right, bottom = min(left + TILE, width) - 1, min(top + TILE, height) - 1
        live = (right + 1 - left) * (bottom + 1 - top)
        for i in range(start[tile], start[tile + 1]):
            p, d = packed[items[i]], grad[items[i]]
            y0 = max(top, int(np.ceil(p[ROW] - p[REACH_Y] - 0.5)))
            y1 = min(bottom, int(np.floor(p[ROW] + p[REACH_Y] - 0.5)))
            step = np.exp(-p[A])
            # What adds up over the ellipse, at first in variables: s = -alpha * d/d alpha.
            s_x = s_y = s_xx = s_xy = s_yy = s_o = d_red = d_green = d_blue = 0.0
            most = use[items[i]]
            for y in range(y0, y1 + 1):
                x0, x1 = _span(p, y, left, right)
                if x1 < x0:
                    continue
                dx, dy = x0 + 0.5 - p[COLUMN], y + 0.5 - p[ROW]
                value = p[OPACITY] * np.exp(-(dx * (0.5 * p[A] * dx + p[B] * dy)
                                              + 0.5 * p[C] * dy * dy))
                ratio = np.exp(-(p[A] * (dx + 0.5) + p[B] * dy))
                for x in range(x0, x1 + 1):
                    light = behind[y, x]
                    if light > DONE:
                        alpha = min(value, OPAQUE)
                        weight = alpha * light
                        red, green = g_picture[y, x, 0], g_picture[y, x, 1]
                        blue = g_picture[y, x, 2]
                        own = p[RED] * red + p[RED + 1] * green + p[RED + 2] * blue + g_solid[y, x]
                        d_red += weight * red
                        d_green += weight * green
                        d_blue += weight * blue
                        total[y, x] -= weight * own  # now: of all that lies behind this one
                        if value < OPAQUE:
                            s = -alpha * (light * own - total[y, x] / (1 - alpha))
                            s_o -= s
                            s_x += s * dx
                            s_xx += s * dx * dx
                            s_xy += s * dx * dy
                            s_y += s * dy
                            s_yy += s * dy * dy
                        most = max(most, weight)
                        light -= weight
                        behind[y, x] = light
                        if light <= DONE:
                            live -= 1
                    value *= ratio
                    ratio *= step
                    dx += 1
            d[COLUMN] -= p[A] * s_x + p[B] * s_y
            d[ROW] -= p[B] * s_x + p[C] * s_y
            d[A] += 0.5 * s_xx
            d[B] += s_xy
            d[C] += 0.5 * s_yy
            d[OPACITY] += s_o / p[OPACITY]
            d[RED] += d_red
            d[RED + 1] += d_green
            d[RED + 2] += d_blue
            use[items[i]] = most
            if live == 0:
                break


@jit
def develop(picture, behind, back, solid, out):
    """Lays a drawn picture over a background, into `out` (H, W, 3) uint8; returns its mean cover.

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
    return cover / behind.size
