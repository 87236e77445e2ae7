"""How far a drawn picture is from its target, and how far Gaussians stray from their triangles."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from l2t.render.jit import jit

WINDOW, SIGMA = 11, 1.5  # of SSIM's window, in pixels


class Blur(torch.autograd.Function):
    """Gaussian windows of WINDOW pixels over pictures (n, H, W), where they lie within them.

    In machine code: torch's own way back through such a convolution takes ten times as long.
    """

    @staticmethod
    def forward(ctx, pictures):
        """(n, H, W) -> (n, H - 10, W - 10)."""
        return torch.from_numpy(_blurred(pictures.detach().contiguous().numpy(), _bell()))

    @staticmethod
    def backward(ctx, grad):
        # The way back is the same blur over the gradient with a rim of zeros.
        rim = WINDOW - 1
        wide = F.pad(grad, (rim, rim, rim, rim))
        return torch.from_numpy(_blurred(wide.contiguous().numpy(), _bell()))


def _bell() -> np.ndarray:
    at = np.arange(WINDOW) - WINDOW // 2
    bell = np.exp(-0.5 * (at / SIGMA) ** 2)
    return bell / bell.sum()


@jit
def _blurred(pictures, bell):
    """(n, H, W) -> (n, H - 10, W - 10), columns first, then rows."""
    kind = pictures.dtype.type
    count, height, width = pictures.shape
    rim = len(bell) - 1
    half = np.empty(width, pictures.dtype)
    out = np.empty((count, height - rim, width - rim), pictures.dtype)
    for n in range(count):
        for y in range(height - rim):
            half[:] = 0
            for k in range(rim + 1):
                weight = kind(bell[k])
                for x in range(width):
                    half[x] += weight * pictures[n, y + k, x]
            row = out[n, y]
            row[:] = 0
            for k in range(rim + 1):
                weight, moved = kind(bell[k]), half[k : k + width - rim]
                for x in range(width - rim):
                    row[x] += weight * moved[x]
    return out


def ssim(made: Tensor, real: Tensor) -> Tensor:
    """Mean structural similarity of two pictures (H, W, 3) in 0..1, at least 11 pixels a side.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 2004: Gaussian window
    of 11 pixels, constants (0.01, 0.03); only where the window lies within the picture.
    """
    a, b = made.movedim(-1, 0), real.movedim(-1, 0)
    stack = torch.cat([a, b, a * a, b * b, a * b])
    stack = Blur.apply(stack.cpu()).to(stack.device)
    mean_a, mean_b, aa, bb, ab = stack.unflatten(0, (5, 3))
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


def picture_loss(made: Tensor, real: Tensor) -> dict[str, Tensor]:
    """L1 of the pictures (H, W, 3), and 1 - SSIM."""
    return {"l1": (made - real).abs().mean(), "dssim": 1 - ssim(made, real)}
