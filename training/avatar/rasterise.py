"""Differentiable drawing of ellipses: the product's rasteriser on the CPU, gsplat on CUDA.

gsplat (https://github.com/nerfstudio-project/gsplat, Apache-2.0) is asked for only where CUDA and
the package are there. It takes the same cameras and covariances.
"""

from importlib.util import find_spec

import numpy as np
import torch

from l2t.avatar.project import COLUMN, LEAST, LEVEL, OPACITY, PACKED, REACH_X, RED, ROW, A
from l2t.avatar.raster import TILE, draw, draw_back, sort_into_tiles


def has_gsplat() -> bool:
    """Whether gsplat can draw here."""
    return torch.cuda.is_available() and find_spec("gsplat") is not None


def gsplat_picture(means, covariances, opacity, colours, view, intrinsics, width, height):
    """(H, W, 3) colours times cover and (H, W) cover by gsplat; gradients of its own.

    means (G, 3), covariances (G, 3, 3), opacity (G,), colours (G, 3): on CUDA.
    """
    from gsplat import rasterization

    picture, solid, about = rasterization(
        means, None, None, opacity, colours, view[None], intrinsics[None], width, height,
        packed=False, covars=covariances,
    )  # fmt: skip
    return picture[0], solid[0, ..., 0], about


class Ellipses(torch.autograd.Function):
    """Blends ellipses front to back: see `l2t.avatar.raster`."""

    @staticmethod
    def forward(ctx, spots, conics, opacity, colours, depth, width, height, use):
        """(H, W, 3) colours times cover and (H, W) cover.

        spots: (G, 2) column and row; conics: (G, 3) a, b, c of the inverse covariance; opacity:
        (G,); colours: (G, 3); depth: (G,) metres, not drawn where it is not positive; use: (G,)
        gets in the way back each one's largest share in a pixel, or None.
        """
        arrays = [np.asarray(t.detach().numpy(), np.float64) for t in
                  (spots, conics, opacity, colours, depth)]
        packed, rows = pack(*arrays, width, height)
        across, down = -(-width // TILE), -(-height // TILE)
        start = np.empty(across * down + 1, np.int32)
        items = np.empty(sort_into_tiles(packed, across, down, start, np.empty(0, np.int32)),
                         np.int32)
        sort_into_tiles(packed, across, down, start, items)
        picture, behind = np.zeros((height, width, 3)), np.ones((height, width))
        draw(packed, start, items, across, (0, down), picture, behind)
        ctx.kept = packed, rows, start, items, across, picture, behind, len(opacity), use
        return (torch.from_numpy(picture).to(spots.dtype),
                torch.from_numpy(1 - behind).to(spots.dtype))

    @staticmethod
    def backward(ctx, g_picture, g_solid):
        packed, rows, start, items, across, picture, behind, count, use = ctx.kept
        kind = g_picture.dtype
        g_picture = np.ascontiguousarray(g_picture.numpy(), np.float64)
        g_solid = np.ascontiguousarray(g_solid.numpy(), np.float64)
        total = (picture * g_picture).sum(axis=2) + (1 - behind) * g_solid
        grad, most = np.zeros_like(packed), np.zeros(len(packed))
        draw_back(packed, start, items, across, np.ones_like(behind), total, g_picture, g_solid,
                  grad, most)
        if use is not None:
            use[rows] = torch.from_numpy(most).to(use.dtype)
        full = torch.zeros((count, PACKED), dtype=kind)
        full[torch.from_numpy(rows)] = torch.from_numpy(grad).to(kind)
        return (full[:, COLUMN:ROW + 1], full[:, A:A + 3], full[:, OPACITY], full[:, RED:RED + 3],
                None, None, None, None)


def pack(spots, conics, opacity, colours, depth, width, height):
    """(n, PACKED) ellipses that may be seen, nearest first, and their numbers (n,)."""
    a, b, c = conics.T
    area = a * c - b * b
    level = 2 * np.log(np.maximum(opacity, 1e-12) / LEAST)
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.sqrt(np.stack([c, a], axis=1) / area[:, None] * np.maximum(level, 0)[:, None])
    inside = ((spots + reach > 0) & (spots - reach < (width, height))).all(axis=1)
    rows = np.flatnonzero(inside & (level > 0) & (depth > 0) & (area > 0))
    rows = rows[np.argsort(depth[rows], kind="stable")]
    packed = np.empty((len(rows), PACKED))
    packed[:, COLUMN:ROW + 1], packed[:, A:A + 3] = spots[rows], conics[rows]
    packed[:, OPACITY], packed[:, LEVEL] = opacity[rows], level[rows]
    packed[:, RED:RED + 3], packed[:, REACH_X:REACH_X + 2] = colours[rows], reach[rows]
    return packed, rows
