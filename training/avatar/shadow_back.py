"""The way back from ellipses to bound Gaussians: see `training.avatar.shadow`.

Gradients of a value are named g_ and its name. A Gaussian that got none is passed over.
"""

import numpy as np

from l2t.avatar.binding import SH_0, SH_1
from l2t.avatar.project import BLUR, NEAR
from l2t.render.jit import jit
from training.avatar.shadow_parts import (
    AXES,
    FAR,
    HALF_U,
    HALF_V,
    LOCAL,
    SHOWN,
    WAY,
    U,
    V,
    bounds,
)


@jit
def shadows_back(mu, turn, scale_log, base, sides, triangle, origin, basis, size, lens, saved,
                 g_spots, g_conics, g_colours, g_mu, g_turn, g_scale, g_base, g_sides):
    """Fills the last five, zeros before, from the three before them."""
    limits = bounds(lens)
    g_away, g_u, g_v, to_u, to_v = np.empty((5, 3))
    g_m = np.empty((3, 3))
    for g in range(len(mu)):
        if not (g_colours[g].any() or g_spots[g].any() or g_conics[g].any()):
            continue
        r, k, kept = basis[triangle[g]], size[triangle[g]], saved[g]
        _colour_back(sides[g], r, kept, g_colours[g], g_base[g], g_sides[g], g_away)
        _conic_back(kept, g_conics[g], to_u, to_v, g_u, g_v)
        _axes_back(turn[g], scale_log[g], r, k, kept, to_u, to_v, g_m, g_turn[g], g_scale[g])
        _place_back(lens, limits, kept, g_spots[g], g_u, g_v, g_away)
        for j in range(3):
            g_mu[g, j] = k * (r[0, j] * g_away[0] + r[1, j] * g_away[1] + r[2, j] * g_away[2])


@jit
def _colour_back(sides, r, kept, g_colour, g_base, g_sides, g_away):
    """Colours are linear in base and sides, and in the direction of view."""
    way = kept[WAY:WAY + 3]
    x = y = z = 0.0
    for c in range(3):
        d = g_colour[c] * kept[SHOWN + c]
        g_base[0, c] = SH_0 * d
        g_sides[0, c], g_sides[1, c] = -SH_1 * way[1] * d, SH_1 * way[2] * d
        g_sides[2, c] = -SH_1 * way[0] * d
        x -= SH_1 * d * sides[2, c]
        y -= SH_1 * d * sides[0, c]
        z += SH_1 * d * sides[1, c]
    inner = way[0] * x + way[1] * y + way[2] * z
    x, y, z = x - inner * way[0], y - inner * way[1], z - inner * way[2]
    for i in range(3):
        g_away[i] = (r[i, 0] * x + r[i, 1] * y + r[i, 2] * z) / kept[FAR]


@jit
def _conic_back(kept, g_conic, to_u, to_v, g_u, g_v):
    """The conic is the inverse of (xx, xy, yy), those are products of the shadow's halves hu and
    hv (to_u, to_v), and those of the axes and the rows u, v of J W (g_u, g_v)."""
    axes = kept[AXES:AXES + 9].reshape(3, 3)
    hu, hv = kept[HALF_U:HALF_U + 3], kept[HALF_V:HALF_V + 3]
    xx = BLUR + hu[0] ** 2 + hu[1] ** 2 + hu[2] ** 2
    yy = BLUR + hv[0] ** 2 + hv[1] ** 2 + hv[2] ** 2
    xy = hu[0] * hv[0] + hu[1] * hv[1] + hu[2] * hv[2]
    area = xx * yy - xy * xy
    g_area = -(g_conic[0] * yy - g_conic[1] * xy + g_conic[2] * xx) / area**2
    g_xx, g_yy = g_conic[2] / area + g_area * yy, g_conic[0] / area + g_area * xx
    g_xy = -g_conic[1] / area - 2 * xy * g_area
    for j in range(3):
        to_u[j] = 2 * g_xx * hu[j] + g_xy * hv[j]
        to_v[j] = 2 * g_yy * hv[j] + g_xy * hu[j]
    for i in range(3):
        g_u[i] = axes[i, 0] * to_u[0] + axes[i, 1] * to_u[1] + axes[i, 2] * to_u[2]
        g_v[i] = axes[i, 0] * to_v[0] + axes[i, 1] * to_v[1] + axes[i, 2] * to_v[2]


@jit
def _axes_back(turn, scale_log, r, k, kept, to_u, to_v, g_m, g_turn, g_scale):
    """Axes are k r m exp(scale_log), m the rotation of the quaternion `turn`."""
    u, v = kept[U:U + 3], kept[V:V + 3]
    axes = kept[AXES:AXES + 9].reshape(3, 3)
    norm = np.sqrt((turn**2).sum())
    for j in range(3):
        width = k * np.exp(scale_log[j])
        g_scale[j] = 0
        for i in range(3):
            g_scale[j] += (u[i] * to_u[j] + v[i] * to_v[j]) * axes[i, j]
            g_m[i, j] = 0
            for n in range(3):
                g_m[i, j] += width * r[n, i] * (u[n] * to_u[j] + v[n] * to_v[j])
    _turn_back(turn / norm, g_m, norm, g_turn)


@jit
def _turn_back(unit, g_m, norm, out):
    """Gradient of a quaternion of length `norm` from that of its rotation g_m (3, 3)."""
    w, x, y, z = unit
    a, b, c = g_m[1, 0] + g_m[0, 1], g_m[2, 0] + g_m[0, 2], g_m[2, 1] + g_m[1, 2]
    p, q, s = g_m[1, 0] - g_m[0, 1], g_m[0, 2] - g_m[2, 0], g_m[2, 1] - g_m[1, 2]
    g_w = 2 * (z * p + y * q + x * s)
    g_x = 2 * (y * a + z * b + w * s - 2 * x * (g_m[1, 1] + g_m[2, 2]))
    g_y = 2 * (x * a + z * c + w * q - 2 * y * (g_m[0, 0] + g_m[2, 2]))
    g_z = 2 * (x * b + y * c + w * p - 2 * z * (g_m[0, 0] + g_m[1, 1]))
    inner = w * g_w + x * g_x + y * g_y + z * g_z
    out[0], out[1] = (g_w - w * inner) / norm, (g_x - x * inner) / norm
    out[2], out[3] = (g_y - y * inner) / norm, (g_z - z * inner) / norm


@jit
def _place_back(lens, limits, kept, g_spot, g_u, g_v, g_away):
    """The place tells through the spot, and through the slopes and the depth in J."""
    left, right, above, below = limits
    fx, fy = lens[2], lens[3]
    w = lens[6:15].reshape(3, 3)
    u, v = kept[U:U + 3], kept[V:V + 3]
    z = max(kept[LOCAL + 2], NEAR)
    x, y = kept[LOCAL] / z, kept[LOCAL + 1] / z
    g_x, g_y, g_z = g_spot[0] * fx, g_spot[1] * fy, 0.0
    for i in range(3):
        g_z -= (g_u[i] * u[i] + g_v[i] * v[i]) / z
        if left <= x <= right:
            g_x -= fx / z * g_u[i] * w[2, i]
        if above <= y <= below:
            g_y -= fy / z * g_v[i] * w[2, i]
    g_z = g_z - (g_x * x + g_y * y) / z if kept[LOCAL + 2] >= NEAR else 0.0
    for i in range(3):
        g_away[i] += w[0, i] * g_x / z + w[1, i] * g_y / z + w[2, i] * g_z
