"""Splatting onto grids and cutting triangles, each against a slow and obvious way."""

import numpy as np
import pytest
import torch

from l2t.softrender.pieces import cut
from l2t.softrender.splat import splat

SIDE, GRIDS = 5, 2


@pytest.fixture
def points():
    """Eleven points in three frames on two grids; some lie outside, none on a node."""
    rng = np.random.default_rng(3)
    x, y = (torch.tensor(rng.uniform(-1, SIDE, (11, 3))) for _ in range(2))
    values = torch.tensor(rng.normal(size=(2, 11, 3)))
    start = torch.tensor(rng.integers(0, GRIDS, (11, 1))) * SIDE**2
    return x, y, values, start


def naive(x, y, values, start):
    """One point, one node at a time: the share falls linearly to 0 one node away."""
    out = torch.zeros(len(values), GRIDS * SIDE**2, x.shape[1], dtype=x.dtype)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            px, py = float(x[n, t]), float(y[n, t])
            if not (0 <= px < SIDE - 1 and 0 <= py < SIDE - 1):
                continue
            for row in range(SIDE):
                for column in range(SIDE):
                    share = max(0, 1 - abs(px - column)) * max(0, 1 - abs(py - row))
                    node = int(start[n, 0]) + row * SIDE + column
                    out[:, node, t] += share * values[:, n, t]
    return out


def test_splat_is_what_one_point_at_a_time_gives(points):
    x, y, values, start = points
    torch.testing.assert_close(splat(x, y, values, start, SIDE, GRIDS * SIDE**2), naive(*points))


def test_nothing_is_lost_between_the_nodes():
    x, y = torch.full((4, 1), 1.37), torch.full((4, 1), 2.81)
    values = torch.tensor([1.0, 2.0, 3.0, 4.0])[None, :, None]
    out = splat(x, y, values, torch.zeros(4, 1, dtype=torch.long), SIDE, SIDE**2)
    assert float(out.sum()) == pytest.approx(10.0)


def test_gradients_of_places_and_values_agree_with_differences(points):
    x, y, values, start = points
    inputs = [tensor.clone().requires_grad_() for tensor in (x, y, values)]
    assert torch.autograd.gradcheck(
        lambda *moving: splat(*moving, start, SIDE, GRIDS * SIDE**2), inputs
    )


def test_a_point_outside_neither_draws_nor_pulls():
    x = torch.tensor([[-0.5], [3.9]], requires_grad=True)
    y = torch.tensor([[2.0], [4.1]], requires_grad=True)
    out = splat(x, y, torch.ones(1, 2, 1), torch.zeros(2, 1, dtype=torch.long), SIDE, SIDE**2)
    out.square().sum().backward()
    assert not out.any()
    assert not x.grad.any()
    assert not y.grad.any()


def test_pieces_make_up_their_triangle_and_none_is_longer_than_allowed():
    rng = np.random.default_rng(5)
    corners, longest = rng.normal(size=(2, 6, 3, 2)), np.linspace(0.3, 4.0, 6)
    face, middle, share = cut(corners, longest)
    np.testing.assert_allclose(np.bincount(face, share), 1.0)
    np.testing.assert_allclose(middle.sum(axis=1), 1.0)
    mean = np.stack([np.bincount(face, share * column) for column in middle.T], axis=1)
    np.testing.assert_allclose(mean, 1 / 3)
    # Halving a longest side leaves no piece smaller than a quarter of the limit needs.
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=2), axis=3).max(axis=(0, 2))
    assert (np.bincount(face) >= sides / longest).all()
    assert (np.bincount(face)[sides <= longest] == 1).all()
