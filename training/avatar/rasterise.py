"""Differentiable drawing of ellipses: the product's rasteriser on the CPU, gsplat on CUDA.

gsplat (https://github.com/nerfstudio-project/gsplat, Apache-2.0) is asked for only where CUDA and
the package are there. It takes the same cameras and covariances.
"""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import torch

from l2t.avatar.order import nearest_first
from l2t.avatar.project import BLUR, COLUMN, OPACITY, PACKED, RED, ROW, A
from l2t.avatar.raster import draw
from l2t.avatar.tiles import TILE, sort_into_tiles
from training.avatar.packing import packed_ellipses
from training.avatar.raster_back import draw_back

BANDS = 2  # pieces of a picture with sums of their own: the same bytes for any number of threads


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
        packed=False, covars=covariances, eps2d=BLUR,
    )  # fmt: skip
    return picture[0], solid[0, ..., 0], about


class Ellipses(torch.autograd.Function):
    """Blends ellipses front to back, in the precision of its arguments: see `l2t.avatar.raster`."""

    @staticmethod
    def forward(ctx, spots, conics, opacity, colours, depth, width, height, use):
        """(H, W, 3) colours times cover and (H, W) cover.

        spots: (G, 2) column and row; conics: (G, 3) a, b, c of the inverse covariance; opacity:
        (G,); colours: (G, 3); depth: (G,) metres, not drawn where it is not positive; use: (G,)
        gets in the way back each one's largest share in a pixel, or None.
        """
        arrays = [t.detach().numpy() for t in (spots, conics, opacity, colours, depth)]
        packed, rows = packed_ellipses(*arrays, width, height)
        order = np.empty(len(rows), np.int32)
        nearest_first(arrays[4][rows].astype(np.float32), order, np.empty_like(order))
        across, down = -(-width // TILE), -(-height // TILE)
        start = np.empty(across * down + 1, np.int32)
        items = np.empty(8 * len(rows), np.int32)
        needed = sort_into_tiles(packed, order, across, down, start, items)
        if needed > len(items):
            items = np.empty(needed, np.int32)
            sort_into_tiles(packed, order, across, down, start, items)
        picture = np.empty((height, width, 3), packed.dtype)
        behind = np.empty((height, width), packed.dtype)
        bands = equal_bands(start, across, down)
        _each(lambda band: draw(packed, start, items, across, band, picture, behind), bands)
        ctx.kept = packed, rows, start, items, across, bands, picture, behind, len(opacity), use
        return torch.from_numpy(picture), torch.from_numpy(1 - behind)

    @staticmethod
    def backward(ctx, g_picture, g_solid):
        packed, rows, start, items, across, bands, picture, behind, count, use = ctx.kept
        g_picture = np.ascontiguousarray(g_picture.numpy())
        g_solid = np.ascontiguousarray(g_solid.numpy())
        total = (picture * g_picture).sum(axis=2) + (1 - behind) * g_solid

        def back(band):
            grad, most = np.zeros_like(packed), np.zeros(len(packed), packed.dtype)
            draw_back(packed, start, items, across, band, total, g_picture, g_solid, grad, most)
            return grad, most

        grads, shares = zip(*_each(back, bands), strict=True)
        if use is not None:
            use[rows] = torch.from_numpy(np.max(shares, axis=0)).to(use.dtype)
        full = torch.zeros((count, PACKED), dtype=torch.from_numpy(packed).dtype)
        full[torch.from_numpy(rows)] = torch.from_numpy(sum(grads))
        return (full[:, COLUMN:ROW + 1], full[:, A:A + 3], full[:, OPACITY], full[:, RED:RED + 3],
                None, None, None, None)


def equal_bands(start: np.ndarray, across: int, down: int) -> list[tuple[int, int]]:
    """Rows of tiles (first, behind last) of pieces with about equally much to draw."""
    share = start[::across] / max(1, start[-1])
    edges = [int(np.searchsorted(share, i / BANDS)) for i in range(BANDS)]
    return list(zip(edges, [*edges[1:], down], strict=True))


def _each(work, bands: list) -> list:
    """Results of `work` for the bands, on as many threads as torch may use."""
    if torch.get_num_threads() == 1:
        return [work(band) for band in bands]
    with ThreadPoolExecutor(min(len(bands), torch.get_num_threads())) as pool:
        return list(pool.map(work, bands))
