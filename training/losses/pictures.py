"""How far painted mouths are from filmed ones: grey, edges, coarse shape, change over time."""

import torch
from torch.nn import functional as F

CENTRE, SPREAD = (0.49, 0.5), (0.16, 0.24)  # of the lips in a crop: row, column, shares of the side


def lip_weights(side: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Weight of each pixel, (side, side), mean 1: a bell over the lips on a low floor."""
    at = (torch.arange(side, device=device) + 0.5) / side
    rows = torch.exp(-0.5 * ((at - CENTRE[0]) / SPREAD[0]) ** 2)
    columns = torch.exp(-0.5 * ((at - CENTRE[1]) / SPREAD[1]) ** 2)
    bell = 0.15 + rows[:, None] * columns[None, :]
    return bell / bell.mean()


def picture_losses(made: torch.Tensor, real: torch.Tensor) -> dict[str, torch.Tensor]:
    """Weighted L1 distances, made and real (batch, frames, side, side) in 0..1.

    grey: of the pictures; edge: of their differences to the right and downwards; coarse: of 4 x 4
    means; change: of the difference of successive frames.
    """
    weights = lip_weights(real.shape[-1], real.device)
    wrong = made - real
    right, down = wrong.diff(dim=-1).abs(), wrong.diff(dim=-2).abs()
    edge = (right * weights[:, 1:]).mean() + (down * weights[1:]).mean()
    coarse = F.avg_pool2d(wrong.flatten(0, 1)[:, None], 4)[:, 0]
    return {
        "grey": (wrong.abs() * weights).mean(),
        "edge": edge,
        "coarse": (coarse.abs() * F.avg_pool2d(weights[None, None], 4)[0, 0]).mean(),
        "change": (wrong.diff(dim=1).abs() * weights).mean(),
    }
