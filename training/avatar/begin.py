"""Where the optimisation begins: one Gaussian a triangle and piece of hair, more where motley.

The share that a Gaussian has in each pixel is the gradient of the picture by its colour, so that
the pictures' mean colour under each Gaussian, and how much it varies there, cost one way back.
"""

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from l2t.avatar.binding import SH_0
from training.avatar.dataset import Scene
from training.avatar.density import rearranged
from training.avatar.hair import along
from training.avatar.model import BoundGaussians, joined

EVERY = 4  # of so many pictures one is looked at
SHARES = (0.65, 0.85)  # of the number to reach, after each round of dividing
LUMA = (0.299, 0.587, 0.114)
LEAST = 1e-2  # pixels: what was seen less than that has no colour of its own


def begin(scene: Scene, count: int, device: torch.device | str = "cpu") -> BoundGaussians:
    """A model in the colours of the pictures, divided to most of `count`; pictures of half the
    size will do."""
    model = BoundGaussians.on(np.arange(len(scene.faces)))
    if scene.strands is not None:
        triangles, values = along(scene.strands, scene.vertices[0], scene.faces)
        model = joined(model, BoundGaussians.on(triangles, values))
    model = model.to(device)
    for share in SHARES:
        seen = sums(model, scene, _moments)
        area, mean = seen[:, 2], seen[:, 0] / seen[:, 2].clamp_min(LEAST)
        error = area * (seen[:, 1] / area.clamp_min(LEAST) - mean**2).clamp_min(0)
        room = min(max(round(share * count) - len(error), 0), int((area > LEAST).sum()))
        worst = torch.sort(error, descending=True, stable=True).indices[:room]
        model = rearranged(model, torch.arange(len(error), device=error.device), worst)
    total = sums(model, scene, lambda real: real)
    weight = sums(model, scene, torch.ones_like)
    known = weight[:, 0] > LEAST
    with torch.no_grad():
        model.base[known, 0] = (total[known] / weight[known] - 0.5) / SH_0
        # What no picture showed is like what is next to it at rest, not a grey that shines.
        place = torch.from_numpy(scene.vertices[0][scene.faces].mean(axis=1))[model.triangle.cpu()]
        next_to = cKDTree(place[known.cpu()].numpy()).query(place[~known.cpu()].numpy())[1]
        model.base[~known] = model.base[known][torch.from_numpy(next_to).to(known.device)]
    return model


def sums(model: BoundGaussians, scene: Scene, of) -> Tensor:
    """(G, 3): over all pixels, a Gaussian's share times `of` the true picture (H, W, 3)."""
    found = torch.zeros(len(model.triangle), 3, device=model.mu.device)
    for view in scene.train[::EVERY]:
        real = view.target(torch.full((3,), 0.5))[0].to(found)
        drawn = model(scene.vertices[view.moment], scene.faces, view.camera)
        (grad,) = torch.autograd.grad(drawn.picture, model.base, of(real))
        found += grad[:, 0] / SH_0  # the way from base to colour
    return found


def _moments(real: Tensor) -> Tensor:
    """Brightness, its square, and one."""
    grey = (real * real.new_tensor(LUMA)).sum(dim=-1)
    return torch.stack([grey, grey**2, torch.ones_like(grey)], dim=-1)
