"""From bound Gaussians to ellipses on the CPU, and the way back, a Gaussian at a time.

The same formulas as `BoundGaussians.world` and `flatten`, which torch works through array by array
(and CUDA still does): machine code that takes one Gaussian from end to end needs a tenth of it.
"""

import numpy as np
import torch

from l2t.avatar.binding import SH_0, SH_1
from l2t.avatar.camera import Camera
from l2t.avatar.project import BLUR, NEAR, numbers
from l2t.render.jit import jit
from training.avatar.shadow_back import shadows_back
from training.avatar.shadow_parts import (
    AXES,
    FAR,
    HALF_U,
    HALF_V,
    LOCAL,
    SAVED,
    SHOWN,
    WAY,
    U,
    V,
    bounds,
    matrix,
)


class Shadows(torch.autograd.Function):
    """Ellipses in the picture: spots (G, 2), conics (G, 3), colours (G, 3), depth (G,; -1: too
    near). See `l2t.avatar.project`."""

    @staticmethod
    def forward(ctx, mu, turn, scale_log, base, sides, triangle, frames, camera: Camera):
        """The arguments of `BoundGaussians`; frames: origin, basis, size of all triangles."""
        given = [t.detach().contiguous().numpy() for t in (mu, turn, scale_log, base, sides)]
        kind, count = given[0].dtype, len(mu)
        frames = [np.ascontiguousarray(a, kind) for a in frames]
        lens = numbers(camera, kind)
        out = [np.empty((count, n), kind) for n in (2, 3, 3, 1, SAVED)]
        _forward(*given, triangle.numpy(), *frames, lens, *out)
        ctx.kept = given, triangle.numpy(), frames, lens, out[-1]
        depth = torch.from_numpy(out[3][:, 0])
        ctx.mark_non_differentiable(depth)
        return (*(torch.from_numpy(a) for a in out[:3]), depth)

    @staticmethod
    def backward(ctx, g_spots, g_conics, g_colours, _):
        given, triangle, frames, lens, saved = ctx.kept
        wanted = [g.contiguous().numpy() for g in (g_spots, g_conics, g_colours)]
        grads = [np.zeros_like(a) for a in given]
        shadows_back(*given, triangle, *frames, lens, saved, *wanted, *grads)
        return (*(torch.from_numpy(g) for g in grads), None, None, None)


@jit
def _colour(base, sides, way, kept, colour):
    """Colour (3,) of harmonics base (1, 3) and sides (3, 3) as seen along `way` (3,)."""
    for c in range(3):
        value = 0.5 + SH_0 * base[0, c] + SH_1 * (
            -way[1] * sides[0, c] + way[2] * sides[1, c] - way[0] * sides[2, c])
        kept[SHOWN + c] = 1.0 if value >= 0 else 0.0
        colour[c] = max(value, 0.0)


@jit
def _forward(mu, turn, scale_log, base, sides, triangle, origin, basis, size, lens, spots, conics,
             colours, depth, saved):
    left, right, above, below = bounds(lens)
    fx, fy, cx, cy = lens[2:6]
    w = lens[6:15].reshape(3, 3)
    eye = lens[15:18]
    m, unit = np.empty((3, 3)), np.empty(4)
    away, near = np.empty(3), np.empty(3)
    for g in range(len(mu)):
        r, k, kept = basis[triangle[g]], size[triangle[g]], saved[g]
        axes, way = kept[AXES:AXES + 9].reshape(3, 3), kept[WAY:WAY + 3]
        u, v = kept[U:U + 3], kept[V:V + 3]
        for i in range(3):
            away[i] = origin[triangle[g], i] - eye[i]
            for j in range(3):
                away[i] += k * r[i, j] * mu[g, j]
        far = np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
        norm = np.sqrt((turn[g] ** 2).sum())
        for i in range(4):
            unit[i] = turn[g, i] / norm
        matrix(unit, m)
        for i in range(3):
            near[i] = w[i, 0] * away[0] + w[i, 1] * away[1] + w[i, 2] * away[2]
            way[i] = (r[0, i] * away[0] + r[1, i] * away[1] + r[2, i] * away[2]) / far
            kept[LOCAL + i] = near[i]
            for j in range(3):
                axes[i, j] = k * np.exp(scale_log[g, j]) * (
                    r[i, 0] * m[0, j] + r[i, 1] * m[1, j] + r[i, 2] * m[2, j])
        kept[FAR] = far
        z = max(near[2], NEAR)
        x, y = near[0] / z, near[1] / z
        bx, by = min(max(x, left), right), min(max(y, above), below)
        xx = yy = BLUR
        xy = 0.0
        for i in range(3):
            u[i], v[i] = fx / z * (w[0, i] - bx * w[2, i]), fy / z * (w[1, i] - by * w[2, i])
        for j in range(3):
            hu = axes[0, j] * u[0] + axes[1, j] * u[1] + axes[2, j] * u[2]
            hv = axes[0, j] * v[0] + axes[1, j] * v[1] + axes[2, j] * v[2]
            kept[HALF_U + j], kept[HALF_V + j] = hu, hv
            xx, yy, xy = xx + hu * hu, yy + hv * hv, xy + hu * hv
        area = xx * yy - xy * xy
        spots[g, 0], spots[g, 1] = fx * x + cx, fy * y + cy
        conics[g, 0], conics[g, 1], conics[g, 2] = yy / area, -xy / area, xx / area
        depth[g, 0] = -1.0 if near[2] < NEAR else near[2]
        _colour(base[g], sides[g], way, kept, colours[g])
