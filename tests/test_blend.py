"""Blend shapes in machine code: a matrix product's sums, in an order that nothing changes."""

import numpy as np
import pytest

from l2t.blend import Shapes
from l2t.face import FaceTemplate


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def shapes(template):
    return Shapes.of(template.moving, template.displacement)


def some_weights(frames: int) -> np.ndarray:
    chance = np.random.default_rng(1)
    return (chance.random((frames, 52)) * (chance.random((frames, 52)) < 0.5)).astype(np.float32)


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_it_is_the_matrix_product(template, shapes, frames):
    weights, neutral = some_weights(frames), template.neutral()
    product = np.einsum("fs,svc->fvc", weights.astype(float), template.basis().astype(float))
    made = shapes.vertices(neutral, weights)
    assert made.dtype == np.float32
    assert made.shape == (frames, len(neutral), 3)
    assert made == pytest.approx(product + neutral, abs=1e-6)  # a micrometre


def test_it_is_the_sum_from_the_first_shape_to_the_last_to_the_last_bit(template, shapes):
    """Float32 sums in the order of the shapes, as numpy does them one by one."""
    weights, neutral = some_weights(2), template.neutral()
    for row, made in zip(weights, shapes.vertices(neutral, weights), strict=True):
        by_hand = neutral.copy()
        for weight, shift in zip(row, template.displacement, strict=True):
            by_hand[template.moving] += weight * shift
        assert made.tobytes() == by_hand.tobytes()


def test_weights_of_zero_leave_the_face_and_the_rest_pose_alone(template, shapes):
    neutral = template.neutral()
    before = neutral.copy()
    made = shapes.vertices(neutral, np.zeros((1, 52), np.float32))
    made += 1
    assert np.array_equal(neutral, before)


def test_what_no_shape_moves_is_not_visited(shapes, template):
    assert len(shapes.index) == np.count_nonzero(template.displacement.any(axis=2))
    assert shapes.start[0] == 0
    assert shapes.start[-1] == len(shapes.index)


def test_a_face_does_not_know_how_many_cores_blas_uses(template):
    """A matrix product does: from eight cores on it is cut up otherwise."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    blocks, seen = [some_weights(frames) for frames in (1, 3, 5, 11, 16)], set()
    for cores in (1, 8, 16, 64):
        with threadpoolctl.threadpool_limits(cores, "blas"):
            seen.add(b"".join(template.vertices(block).tobytes() for block in blocks))
    assert len(seen) == 1
