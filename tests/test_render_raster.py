"""The software rasteriser: coverage, hidden surfaces, colour and repeatability."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from l2t.render.raster import SoftwarePainter, rasterise
from l2t.render.scene import frame_shot

SIDE = 40


def draw(screen, faces, colors=None):
    """Samples and depth of triangles given in screen coordinates."""
    screen = np.asarray(screen, np.float32)
    colors = np.full((len(screen), 4), 200, np.uint8) if colors is None else colors
    samples = np.full((SIDE, SIDE, 4), 7, np.uint8)
    depth = np.full((SIDE, SIDE), 7, np.float32)
    rasterise(screen, colors, np.asarray(faces, np.int32), samples, depth)
    return samples, depth


def naive_cover(triangle):
    """Samples whose middle lies inside or on the triangle (given clockwise on screen)."""
    (ax, ay), (bx, by), (cx, cy) = np.asarray(triangle, np.float64)[:, :2]
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    inside = np.ones((SIDE, SIDE), bool)
    for (px, py), (qx, qy) in (((ax, ay), (bx, by)), ((bx, by), (cx, cy)), ((cx, cy), (ax, ay))):
        inside &= (qx - px) * (y - py) - (qy - py) * (x - px) <= 1e-9
    return inside


@pytest.mark.parametrize("seed", range(25))
def test_covers_what_the_naive_test_covers(seed):
    triangle = np.random.default_rng(seed).uniform(-8, SIDE + 8, (3, 3)).astype(np.float32)
    a, b, c = triangle[:, :2].astype(np.float64)
    if (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0:
        triangle = triangle[::-1].copy()
    samples, _ = draw(np.abs(triangle) * [1, 1, 0] * np.sign(triangle) + [0, 0, 1], [(0, 1, 2)])
    np.testing.assert_array_equal(samples[..., 3] > 0, naive_cover(triangle))


def test_a_fan_leaves_no_hole():
    """Every sample of a disc cut into thin triangles is drawn, whatever the edges' directions."""
    turn = np.linspace(0, 2 * np.pi, 61)[:-1]
    ring = np.stack([20 + 15 * np.cos(turn), 20 - 15 * np.sin(turn), np.ones(60)], axis=1)
    faces = [(0, 1 + k, 1 + (k + 1) % 60) for k in range(60)]
    samples, _ = draw(np.concatenate([[(20.0, 20.0, 1.0)], ring]), faces)
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    assert (samples[np.hypot(x - 20, y - 20) < 14.9, 3] == 255).all()


def test_the_nearer_triangle_wins_in_either_order():
    big = [(0, 40, 1), (40, 40, 1), (20, 0, 1)]
    near = [(5, 38, 2), (35, 38, 2), (20, 5, 2)]
    colors = np.zeros((6, 4), np.uint8)
    colors[3:] = 250
    for faces in ([(0, 1, 2), (3, 4, 5)], [(3, 4, 5), (0, 1, 2)]):
        samples, depth = draw(big + near, faces, colors)
        assert samples[30, 20, 0] == 250
        assert depth[30, 20] == 2
        assert samples[38, 2, 0] == 0
        assert samples[38, 2, 3] == 255


def test_back_faces_are_left_out():
    samples, depth = draw([(0, 0, 1), (40, 0, 1), (20, 40, 1)], [(0, 1, 2)])
    assert not samples.any()
    assert not depth.any()


def test_colours_blend_between_the_corners():
    colors = np.array([(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)], np.uint8)
    samples, _ = draw([(0, 40, 1), (40, 40, 1), (20, 0, 1)], [(0, 1, 2)], colors)
    centre = samples[26, 20, :3].astype(int)
    assert np.abs(centre - 85).max() <= 6
    assert abs(centre.sum() - 255) <= 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_point_that_is_no_number_draws_nothing_outside(bad):
    samples, _ = draw([(bad, 10, 1), (40, 40, 1), (20, 0, 1)], [(0, 1, 2)])
    assert samples.shape == (SIDE, SIDE, 4)


def test_same_bytes_from_many_threads():
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (60, 3)).astype(np.float32)
    faces = rng.integers(0, 60, (200, 3)).astype(np.int32)
    colors = rng.integers(0, 255, (60, 4)).astype(np.uint8)

    def job(_):
        painter = SoftwarePainter(faces)
        painter.aim(frame_shot(points, "front", 256), 256)
        return painter.paint(points, colors).tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(job, range(12)))) == 1
