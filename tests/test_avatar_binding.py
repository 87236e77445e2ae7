"""Gaussians on triangles: the formulas, one at a time, and what follows from them."""

import numpy as np
import pytest
from avatars import ball, random_gaussians

from l2t.avatar.binding import SH_0, SH_1, local_shapes, place, rotations, triangle_frames


def frames(vertices, faces):
    out = np.empty((len(faces), 3)), np.empty((len(faces), 3, 3)), np.empty(len(faces))
    triangle_frames(np.asarray(vertices, float), faces, *out)
    return out


def placed(gaussians, vertices, faces, eye):
    count = len(gaussians)
    out = np.empty((count, 3)), np.empty((count, 6)), np.empty((count, 3))
    shape = local_shapes(gaussians.turn.astype(float), gaussians.scale_log.astype(float))
    place(gaussians.triangle, gaussians.mu.astype(float), shape, gaussians.colour.astype(float),
          *frames(vertices, faces), np.asarray(eye, float), *out)
    return out


@pytest.fixture(scope="module")
def mesh():
    return ball()


def test_frame_is_edge_normal_and_their_cross_product(mesh):
    vertices, faces = mesh
    origin, basis, size = frames(vertices, faces)
    for f, (a, b, c) in enumerate(vertices[faces].astype(float)):
        edge, normal = b - a, np.cross(b - a, c - a)
        length = np.linalg.norm(edge)
        height = np.linalg.norm(normal) / length
        axes = np.stack([edge / length, normal / np.linalg.norm(normal)])
        np.testing.assert_allclose(origin[f], (a + b + c) / 3, atol=1e-12)
        np.testing.assert_allclose(basis[f].T, [*axes, np.cross(*axes)], atol=1e-9)
        assert size[f] == pytest.approx((length + height) / 2)


def test_triangle_without_area_has_no_size():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [np.nan, 0, 0]], float)
    size = frames(vertices, np.array([[0, 1, 2], [0, 0, 1], [0, 1, 3]], np.int32))[2]
    assert list(size) == [0, 0, 0]


def test_place_follows_the_formulas(mesh):
    vertices, faces = mesh
    g = random_gaussians(len(faces), 30)
    eye = np.array([0.1, 0.2, 0.7])
    means, covariances, seen = placed(g, vertices, faces, eye)
    origin, basis, size = frames(vertices, faces)
    for i, f in enumerate(g.triangle):
        mean = size[f] * basis[f] @ g.mu[i] + origin[f]
        axes = size[f] * basis[f] @ rotations(g.turn.astype(float))[i] @ np.diag(
            np.exp(g.scale_log[i].astype(float)))
        np.testing.assert_allclose(means[i], mean, atol=1e-9)
        full = axes @ axes.T
        np.testing.assert_allclose(covariances[i], full[np.triu_indices(3)], atol=1e-10)
        x, y, z = basis[f].T @ (mean - eye) / np.linalg.norm(mean - eye)
        c = g.colour[i]
        value = 0.5 + SH_0 * c[0] + SH_1 * (-y * c[1] + z * c[2] - x * c[3])
        np.testing.assert_allclose(seen[i], np.maximum(value, 0), atol=1e-6)


def test_gaussians_go_with_the_mesh(mesh):
    """Turned, moved and doubled vertices: means, widths and colours follow."""
    vertices, faces = mesh
    g = random_gaussians(len(faces), 30)
    turn, shift = rotations(np.array([[0.9, 0.1, -0.3, 0.2]]))[0], np.array([0.3, -0.1, 0.2])
    eye = np.array([0.1, 0.2, 0.7])
    before = placed(g, vertices, faces, eye)
    after = placed(g, 2 * vertices @ turn.T + shift, faces, 2 * turn @ eye + shift)
    np.testing.assert_allclose(after[0], 2 * before[0] @ turn.T + shift, atol=1e-6)
    full = np.zeros((2, 30, 3, 3))
    for side, flat in zip(full, (before[1], after[1]), strict=True):
        side[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]] = flat
        side[:, [1, 2, 2], [0, 0, 1]] = flat[:, [1, 2, 4]]
    np.testing.assert_allclose(full[1], 4 * turn @ full[0] @ turn.T, atol=1e-7)
    np.testing.assert_allclose(after[2], before[2], atol=1e-5)


def test_rotations_are_rotations():
    turns = rotations(np.random.default_rng(0).normal(size=(9, 4)))
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (9, 1, 1)),
                               atol=1e-12)
    np.testing.assert_allclose(rotations(np.array([[2.0, 0, 0, 0]]))[0], np.eye(3))
    quarter = rotations(np.array([[1.0, 0, 0, 1.0]]))[0]  # round z: x goes to y
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
