"""The way back through the drawing of ellipses: what each of them would change in the picture."""

import numpy as np

from l2t.avatar.project import COLUMN, LEVEL, OPACITY, RED, ROW, A, B, C
from l2t.avatar.raster import DONE, OPAQUE, PAUSE, fall, over, rows
from l2t.avatar.tiles import TILE
from l2t.render.jit import jit

# What adds up over an ellipse in the way back: s = -alpha * (gradient by alpha), and its moments.
S, S_X, S_XX, S_Y, S_XY, S_YY, D_RED, D_GREEN, D_BLUE, MOST, SUMS = range(11)


@jit
def draw_back(packed, start, items, across, tile_rows, total, g_picture, g_solid, grad, use):
    """Gradient of the ellipses: `draw` once more, front to back, with what is known of the end.

    total: (H, W) sum over a pixel of picture * g_picture + (1 - behind) * g_solid, from the
    finished picture; g_picture (H, W, 3), g_solid (H, W): gradients of the picture and of
    1 - behind. grad: (n, PACKED), to which those of column, row, a, b, c, opacity and colour are
    added; use: (n,) is raised to each one's largest share in a pixel.
    """
    kind = packed.dtype.type
    half, opaque, done, none, one = kind(0.5), kind(OPAQUE), kind(DONE), kind(0), kind(1)
    height, width = total.shape
    spot = np.empty((6, TILE, TILE), packed.dtype)  # light, total, and the four gradients given
    sums = np.empty((SUMS, TILE), packed.dtype)
    for tile in range(tile_rows[0] * across, tile_rows[1] * across):
        left, top = (tile % across) * TILE, (tile // across) * TILE
        spot[:] = 0
        for y in range(min(TILE, height - top)):
            for x in range(min(TILE, width - left)):
                spot[0, y, x], spot[1, y, x] = 1, total[top + y, left + x]
                for k in range(3):
                    spot[2 + k, y, x] = g_picture[top + y, left + x, k]
                spot[5, y, x] = g_solid[top + y, left + x]
        for i in range(start[tile], start[tile + 1]):
            p = packed[items[i]]
            a, b, c, bound = half * p[A], p[B], half * p[C], half * p[LEVEL]
            opacity, red, green, blue = p[OPACITY], p[RED], p[RED + 1], p[RED + 2]
            first = kind(left) + half - p[COLUMN]
            sums[:] = 0
            y0, y1 = rows(p, top)
            for y in range(y0, y1 + 1):
                dy = kind(top + y) + half - p[ROW]
                slope, base = b * dy, c * dy * dy
                for x in range(TILE):
                    dx = first + kind(x)
                    power = dx * (a * dx + slope) + base
                    light = spot[0, y, x]
                    value = opacity * fall(power if power < bound else bound, kind)
                    alpha = value if value < opaque else opaque
                    alpha = alpha if power <= bound else none
                    alpha = alpha if light > done else none
                    weight = alpha * light
                    own = (red * spot[2, y, x] + green * spot[3, y, x] + blue * spot[4, y, x]
                           + spot[5, y, x])
                    rest = spot[1, y, x] - weight * own  # now: of all that lies behind this one
                    spot[1, y, x] = rest
                    spot[0, y, x] = light - weight
                    s = alpha * (rest / (one - alpha) - light * own)
                    s = s if value < opaque else none
                    sums[S, x] += s
                    sums[S_X, x] += s * dx
                    sums[S_XX, x] += s * dx * dx
                    sums[S_Y, x] += s * dy
                    sums[S_XY, x] += s * dx * dy
                    sums[S_YY, x] += s * dy * dy
                    sums[D_RED, x] += weight * spot[2, y, x]
                    sums[D_GREEN, x] += weight * spot[3, y, x]
                    sums[D_BLUE, x] += weight * spot[4, y, x]
                    sums[MOST, x] = weight if weight > sums[MOST, x] else sums[MOST, x]
            _collect(sums, p, grad[items[i]])
            for x in range(TILE):
                use[items[i]] = max(use[items[i]], sums[MOST, x])
            if i % PAUSE == 0 and over(spot[0]):
                break


@jit
def _collect(sums, p, d):
    """Adds the sums (SUMS, TILE) of an ellipse `p` to its gradient `d`."""
    s = s_x = s_xx = s_y = s_xy = s_yy = red = green = blue = p.dtype.type(0)
    for x in range(TILE):
        s += sums[S, x]
        s_x += sums[S_X, x]
        s_xx += sums[S_XX, x]
        s_y += sums[S_Y, x]
        s_xy += sums[S_XY, x]
        s_yy += sums[S_YY, x]
        red += sums[D_RED, x]
        green += sums[D_GREEN, x]
        blue += sums[D_BLUE, x]
    d[COLUMN] -= p[A] * s_x + p[B] * s_y
    d[ROW] -= p[B] * s_x + p[C] * s_y
    d[A] += p.dtype.type(0.5) * s_xx
    d[B] += s_xy
    d[C] += p.dtype.type(0.5) * s_yy
    d[OPACITY] -= s / p[OPACITY]
    d[RED] += red
    d[RED + 1] += green
    d[RED + 2] += blue
