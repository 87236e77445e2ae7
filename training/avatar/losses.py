"""How far a drawn picture is from its target, and how far Gaussians stray from their triangles."""

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW, SIGMA = 11, 1.5  # of SSIM's window, in pixels


def ssim(made: Tensor, real: Tensor) -> Tensor:
    """Mean structural similarity of two pictures (H, W, 3) in 0..1, at least 11 pixels a side.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 2004: Gaussian window
    of 11 pixels, constants (0.01, 0.03); only where the window lies within the picture.
    """
    at = torch.arange(WINDOW, dtype=made.dtype, device=made.device) - WINDOW // 2
    bell = torch.exp(-0.5 * (at / SIGMA) ** 2)
    bell = bell / bell.sum()
    a, b = made.movedim(-1, 0), real.movedim(-1, 0)
    stack = torch.cat([a, b, a * a, b * b, a * b])[:, None]
    stack = F.conv2d(F.conv2d(stack, bell[None, None, :, None]), bell[None, None, None, :])
    mean_a, mean_b, aa, bb, ab = stack[:, 0].unflatten(0, (5, 3))
    over = (2 * mean_a * mean_b + 0.01**2) * (2 * (ab - mean_a * mean_b) + 0.03**2)
    under = (mean_a**2 + mean_b**2 + 0.01**2) * (
        aa - mean_a**2 + bb - mean_b**2 + 0.03**2)
    return (over / under).mean()


def psnr(made: Tensor, real: Tensor) -> float:
    """dB for values in 0..1."""
    return float(-10 * torch.log10(((made - real) ** 2).mean().clamp_min(1e-10)))


def stray(mu: Tensor) -> Tensor:
    """How far middles are from their triangle beyond its size: mean of relu(|mu| - 1)."""
    return F.relu(mu.norm(dim=1) - 1).mean()


def swell(scale_log: Tensor) -> Tensor:
    """How much larger than 0.6 of their triangle Gaussians are: mean of relu(exp(s) - 0.6)."""
    return F.relu(scale_log.exp() - 0.6).mean()


def picture_loss(made: Tensor, real: Tensor, window: tuple[slice, slice]) -> dict[str, Tensor]:
    """L1 of the pictures (H, W, 3), and 1 - SSIM within a window of them."""
    return {"l1": (made - real).abs().mean(), "dssim": 1 - ssim(made[window], real[window])}
