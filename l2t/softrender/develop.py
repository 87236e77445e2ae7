"""From splatted sums to a picture: grey within each layer, and the layers over one another."""

import torch

from l2t.softrender.layers import FACE, INSIDE, TEETH

SHARP = 1.5  # steepness of the edges between layers: evens out how thick the points lie
DENSE = 3.0  # a third of a pixel's area is enough for the backmost layer to fill it
NOTHING, DARK = 1e-30, 0.06  # weight and grey of what is there where no point is


def develop(grid: torch.Tensor) -> torch.Tensor:
    """(3, layers, n + 3, n + 3, frames) -> (n, n, frames) grey in 0..1.

    grid: sums of area (pixels), of weight, and of weight times grey, at the corners of pixels and
    one node more all round. A pixel is the mean of its four corners.
    """
    # The face's cover alone is smoothed twice more: where its points lie thinner, stretched by
    # the jaw, it may not let anything through.
    face = _sharp(_box(_box(_box(grid[0, FACE]))))
    grid = _box(grid[:, :, 1:-1, 1:-1])
    inside, teeth = (DENSE * grid[0, INSIDE]).clamp(max=1.0), _sharp(grid[0, TEETH])
    grey = (grid[2] + NOTHING * DARK) / (grid[1] + NOTHING)
    behind = torch.lerp(grey[INSIDE], grey[TEETH], teeth)
    # Only where something lies behind it can the face have a hole.
    return torch.lerp(grey[FACE], behind, (1 - face) * (inside + teeth - inside * teeth))


def _box(grid: torch.Tensor) -> torch.Tensor:
    """(..., n, n, frames) -> (..., n - 1, n - 1, frames): means of four neighbours."""
    grid = grid[..., 1:, :, :] + grid[..., :-1, :, :]
    return 0.25 * (grid[..., 1:, :] + grid[..., :-1, :])


def _sharp(cover: torch.Tensor) -> torch.Tensor:
    return (SHARP * (cover - 0.5) + 0.5).clamp(0.0, 1.0)
