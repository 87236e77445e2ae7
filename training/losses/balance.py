"""Several losses on one output, weighed by the size of their gradients.

The sync and the lipread loss are known not to go together well (Learn2Talk, arXiv 2404.12888), and
their scales say nothing about how hard they pull. Here a weight of 0.3 means: pull on the motion
with 0.3 times the force of the reconstruction, whatever the loss's own scale is.
"""

import torch
from torch import Tensor


def weighed(
    output: Tensor, main: Tensor, others: dict[str, tuple[Tensor, float]], norms: dict[str, float]
) -> Tensor:
    """Scalar whose gradient at `output` is grad(main) + sum of w * |grad main| / |grad k| * grad k.

    others: name -> (loss, w). norms: running mean of the norms by name ("main" too), kept by the
    caller from step to step and changed here: one quiet batch must not blow a loss up.
    """
    total = _gradient(main, output)
    size = _running(norms, "main", total)
    for name, (loss, weight) in others.items():
        pull = _gradient(loss, output)
        own = _running(norms, name, pull)
        if own > 0:
            total = total + weight * size / own * pull
    pull = (output * total).sum()
    return main.detach() + pull - pull.detach()  # reads as the main loss, pulls as all of them


def _gradient(loss: Tensor, output: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
    return torch.zeros_like(output) if gradient is None else gradient


def _running(norms: dict[str, float], name: str, gradient: Tensor, keep: float = 0.95) -> float:
    """Running mean of a gradient's norm; a batch without any does not count."""
    now = float(gradient.norm())
    if now > 0:
        norms[name] = keep * norms[name] + (1 - keep) * now if name in norms else now
    return norms.get(name, 0.0)
