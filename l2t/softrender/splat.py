"""Splatting: every point spreads its values over the four cells around it, bilinearly.

The shares of a point add up to 1 and change continuously with its place, so sums over the grid
are exact and the grid has gradients with respect to places as well as values.
"""

import torch
from torch.autograd.function import once_differentiable


class _Splat(torch.autograd.Function):
    """Written by hand: autograd's own backward keeps and moves several times as much."""

    @staticmethod
    def forward(ctx, x, y, values, start, side, cells):
        left, top = x.floor(), y.floor()
        inside = (left >= 0) & (left < side - 1) & (top >= 0) & (top < side - 1)
        cell = torch.where(inside, top * side + left, 0.0).long() + start
        cell = cell * x.shape[1] + torch.arange(x.shape[1], device=x.device)
        right, down = x - left, y - top
        values = values * inside
        grid = values.new_zeros(len(values), cells * x.shape[1])
        for share, step in _corners(right, down, side * x.shape[1], x.shape[1]):
            for plane, value in zip(grid, values, strict=True):
                plane[step:].scatter_add_(0, cell.view(-1), (share * value).view(-1))
        ctx.save_for_backward(right, down, cell, values, inside)
        ctx.side = side
        return grid.view(len(values), cells, x.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        right, down, cell, values, inside = ctx.saved_tensors
        frames = right.shape[1]
        grad = grad.reshape(len(values), -1)
        of_values = torch.zeros_like(values)
        pulls = []  # how much each corner's share is wanted
        for share, step in _corners(right, down, ctx.side * frames, frames):
            pull = torch.zeros_like(right)
            for plane, value, out in zip(grad, values, of_values, strict=True):
                seen = plane[step:].index_select(0, cell.view(-1)).view_as(right)
                out.addcmul_(share, seen)
                pull.addcmul_(value, seen)
            pulls.append(pull)
        a, b, c, d = pulls
        of_x = torch.lerp(b - a, d - c, down)
        of_y = torch.lerp(c - a, d - b, right)
        return of_x, of_y, of_values * inside, None, None, None


def _corners(right, down, row, column):
    """(share of the point, offset of the cell) of the four cells around each point."""
    left, up = 1 - right, 1 - down
    yield left * up, 0
    yield right * up, column
    yield left * down, row
    yield right * down, row + column


def splat(x, y, values, start, side: int, cells: int) -> torch.Tensor:
    """Sums of `values` on square grids, (channels, cells, frames).

    x, y:   (points, frames) place in cells, cell k of a row lying at k; who lies outside
            0 .. side - 1 is left out.
    values: (channels, points, frames).
    start:  (points, 1) int64, the first cell of the grid each point belongs to.
    side:   cells in a row of each grid; cells: of all grids together, a multiple of side squared.
    """
    return _Splat.apply(x, y, values, start, side, cells)
