"""From Gaussians to ellipses in machine code: torch's array by array is the oracle."""

import numpy as np
import pytest
import torch
from avatars import ball, looking, random_gaussians

from training.avatar.model import BoundGaussians, flatten
from training.avatar.shadow import Shadows
from training.avatar.strands import frames_of

NAMES = ("mu", "turn", "scale_log", "base", "sides")


def both(camera, count=60):
    """(values and gradients by NAMES) of the machine code, and of torch."""
    vertices, faces = ball()
    model = BoundGaussians.of(random_gaussians(len(faces), count)).double()
    leaves, frames = [getattr(model, n) for n in NAMES], frames_of(vertices, faces)
    random = torch.Generator().manual_seed(0)
    weights = [torch.randn(count, n, generator=random, dtype=torch.float64) for n in (2, 3, 3)]
    eye, turn = torch.tensor(camera.eye), torch.tensor(camera.turn)
    means, axes, colours = model.world(
        *(torch.from_numpy(a).double()[model.triangle] for a in frames), eye)
    spots, conics, depth = flatten(means, axes, eye, turn, camera)
    sides = [Shadows.apply(*leaves, model.triangle, frames, camera),
             (spots, conics, colours, depth)]
    return [(values, torch.autograd.grad(
        sum((v * w).sum() for v, w in zip(values, weights, strict=False)), leaves))
        for values in sides]  # fmt: skip


# From afar, and so near that many are beyond the picture's rim, where slopes are held.
@pytest.mark.parametrize("eye", [(0.05, 0.04, 0.6), (0.11, 0.05, 0.16)])
def test_values_and_gradients_are_torchs(eye):
    (ours, our_grads), (theirs, their_grads) = both(looking(32, eye))
    for name, a, b in zip(("spots", "conics", "colours", "depth"), ours, theirs, strict=True):
        torch.testing.assert_close(a, b, msg=lambda m, n=name: f"{n}: {m}")
    for name, a, b in zip(NAMES, our_grads, their_grads, strict=True):
        assert float((a - b).abs().max()) < 1e-7 * float(b.abs().max()), name


def test_what_is_too_near_gets_the_depth_that_says_so():
    camera = looking(32, (0.0, 0.02, 0.09))
    (ours, _), (theirs, _) = both(camera)
    assert (ours[3] < 0).any()
    np.testing.assert_array_equal(ours[3] < 0, theirs[3] < 0)
