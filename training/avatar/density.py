"""Fewer Gaussians where none is seen, more where the picture still pulls at them.

After Kerbl et al., "3D Gaussian Splatting" (ACM TOG 2023): the gradient of a Gaussian's place in
the picture, summed over steps, says where one is not enough. Here the number to reach is given,
so that the worst are divided, as many as there is room for; a child keeps its parent's triangle.
"""

import torch
from torch import Tensor

from training.avatar.model import NAMES, BoundGaussians, matrices

UNUSED = 0.02  # a largest share in any pixel below this is not missed
APART, THINNER, THINNEST = 0.5, 0.90, 0.62  # children: how far from the middle, and their widths


class Watch:
    """Adds up, over steps, how hard pictures pull at each Gaussian and how much of it is seen."""

    def __init__(self, count: int):
        self.pull, self.seen, self.most = torch.zeros(3, count)
        self.steps = 0

    def add(self, pull: Tensor, use: Tensor) -> None:
        """pull: (G, 2) gradient of a loss by the place in pixels; use: (G,) largest share."""
        self.pull += pull.norm(dim=1)
        self.seen += use > 0
        self.most = torch.maximum(self.most, use)
        self.steps += 1

    def state_dict(self) -> dict:
        return dict(vars(self))

    def load_state_dict(self, state: dict) -> None:
        vars(self).update(state)


def choose(watch: Watch, count: int, views: int) -> tuple[Tensor, Tensor]:
    """(kept, divided): numbers of the used, and of those among them to divide so that at most
    `count` are left; the hardest pulled first. views: steps after which all has been shown;
    before, none counts as unused."""
    kept = torch.nonzero((watch.most >= UNUSED) | (watch.steps < views))[:, 0]
    room = min(max(count - len(kept), 0), len(kept))
    mean = (watch.pull / watch.seen.clamp_min(1))[kept]
    worst = torch.sort(mean, descending=True, stable=True).indices[:room]
    return kept, kept[worst]


def divided(model: BoundGaussians, rows: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Values of the first and the second child of each of `rows`: side by side along the
    parent's longest axis, thinner."""
    values = {name: getattr(model, name).detach()[rows] for name in NAMES}
    longest = values["scale_log"].argmax(dim=1)
    axis = matrices(values["turn"]).gather(2, longest[:, None, None].expand(-1, 3, 1))[..., 0]
    width = values["scale_log"].gather(1, longest[:, None]).exp()
    thinner = torch.full_like(values["scale_log"], THINNER)
    thinner.scatter_(1, longest[:, None], THINNEST)
    values["scale_log"] = values["scale_log"] + thinner.log()
    apart = APART * width * axis
    return values | {"mu": values["mu"] + apart}, values | {"mu": values["mu"] - apart}


def rearranged(model: BoundGaussians, kept: Tensor, rows: Tensor) -> BoundGaussians:
    """A model of the `kept`, those in `rows` moved to their first child, and the second ones."""
    first, second = divided(model, rows)
    values = {}
    for name in NAMES:
        whole = getattr(model, name).detach().clone()
        whole[rows] = first[name]
        values[name] = torch.cat([whole[kept], second[name]])
    return BoundGaussians(torch.cat([model.triangle[kept], model.triangle[rows]]), values)
