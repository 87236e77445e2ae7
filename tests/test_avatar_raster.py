"""The rasteriser against an oracle that asks every Gaussian at every pixel."""

import numpy as np
import pytest
from avatars import ball, blended, flattened, looking, random_gaussians

from l2t.avatar.camera import Camera, Orbit
from l2t.avatar.gaussians import Gaussians
from l2t.avatar.splatter import Splatter
from l2t.errors import RenderError
from l2t.render.scene import frame_shot


def oracle(splatter, vertices, camera, gaussians):
    means, flat, seen = (a.astype(float) for a in splatter.world(vertices, camera.eye))
    full = np.empty((len(means), 3, 3))
    full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]] = flat
    full[:, [1, 2, 2], [0, 0, 1]] = flat[:, [1, 2, 4]]
    spots, covariances, depths = flattened(means, full, camera)
    return blended(spots, covariances, depths, gaussians.opacity, seen, camera.width,
                   camera.height)


@pytest.mark.parametrize(("size", "eye"), [(40, (0.05, 0.04, 0.6)), (37, (0.2, -0.1, 0.35))])
def test_picture_is_the_oracles(size, eye):
    vertices, faces = ball()
    g = random_gaussians(len(faces), 150)
    splatter, camera = Splatter(g, faces, threads=1), looking(size, eye)
    picture, behind = splatter.draw(vertices, camera)
    true, cover = oracle(splatter, vertices, camera, g)
    assert cover.max() > 0.9  # there is something to see
    # Where an opacity is 1/255 up to rounding, it may be drawn or not.
    assert np.abs(picture - true).max() < 1.5 / 255
    assert np.abs(picture - true).mean() < 1e-5
    assert np.abs(1 - behind - cover).mean() < 1e-5


def test_nearer_hides_farther():
    vertices = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0], [-1, -1, 1], [1, -1, 1], [0, 1, 1]],
                        np.float32)
    faces = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    red, blue = np.zeros((4, 3), np.float32), np.zeros((4, 3), np.float32)
    red[0], blue[0] = (1.5, -1.7, -1.7), (-1.7, -1.7, 1.5)
    for first, second in ((red, blue), (blue, red)):
        g = Gaussians(np.array([0, 1], np.int32), np.zeros((2, 3), np.float32),
                      np.tile(np.float32([1, 0, 0, 0]), (2, 1)), np.zeros((2, 3), np.float32),
                      np.full(2, 9, np.float32), np.stack([first, second]))
        picture, _ = Splatter(g, faces, 1).draw(vertices, looking(32, (0, 0, 9)))
        assert picture[16, 16].argmax() == second[0].argmax()


def test_threads_change_nothing():
    vertices, faces = ball()
    g = random_gaussians(len(faces), 400)
    one, three = (Splatter(g, faces, n).draw(vertices, looking(200)) for n in (1, 3))
    assert one[0].tobytes() == three[0].tobytes()
    assert one[1].tobytes() == three[1].tobytes()


def test_smallest_gaussian_is_still_a_blot():
    """The low pass: a point without extent has the width of 0.3 pixels squared."""
    vertices, faces = ball()
    g = random_gaussians(len(faces), 1)
    g = Gaussians(g.triangle, g.mu * 0, g.turn, np.full((1, 3), -12, np.float32),
                  np.full(1, 9, np.float32), g.colour)
    splatter, camera = Splatter(g, faces, 1), looking(60)
    _, behind = splatter.draw(vertices, camera)
    cover = 1 - behind
    column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    spot = camera.project(splatter.world(vertices, camera.eye)[0])[0]
    assert cover.sum() == pytest.approx(2 * np.pi * 0.3, rel=0.25)
    assert (cover * column).sum() / cover.sum() == pytest.approx(spot[0], abs=0.15)
    assert (cover * row).sum() / cover.sum() == pytest.approx(spot[1], abs=0.15)


def test_behind_the_camera_there_is_nothing():
    vertices, faces = ball()
    g = random_gaussians(len(faces), 50)
    camera = Camera.looking(np.array([0, 0, 0.5]), np.array([0, 0, 2.0]), 25, 32)
    picture, behind = Splatter(g, faces, 1).draw(vertices, camera)
    assert not picture.any()
    assert (behind == 1).all()


def test_orbit_stands_where_the_film_does():
    neutral = np.random.default_rng(0).normal(size=(50, 3)) * 0.1
    shot = frame_shot(neutral, "three-quarter", 300)
    camera = Orbit(azimuth=35).camera(neutral, 300)
    np.testing.assert_allclose(camera.project(neutral)[:, :2], shot.project(neutral, 300)[:, :2],
                               atol=1e-3)


def test_zoom_and_scale_enlarge_about_the_middle():
    neutral = np.random.default_rng(0).normal(size=(50, 3)) * 0.1
    plain = Orbit(10, 5).camera(neutral, 300).project(neutral)[:, :2] - 150
    near = Orbit(10, 5, 2).camera(neutral, 300).project(neutral)[:, :2] - 150
    np.testing.assert_allclose(near, 2 * plain, atol=1e-6)
    half = Orbit(10, 5).camera(neutral, 300).scaled(0.5).project(neutral)[:, :2]
    np.testing.assert_allclose(half, (plain + 150) / 2, atol=1e-6)


def test_opengl_matrices_are_understood():
    camera = looking(64, (0.3, 0.2, 0.5))
    matrix = np.eye(4)
    matrix[:3, :3] = camera.turn.T * (1, -1, -1)
    matrix[:3, 3] = camera.eye
    again = Camera.from_opengl(matrix, camera.focal, camera.centre, 64, 64)
    np.testing.assert_allclose(again.view, camera.view, atol=1e-12)
    assert (matrix[:3, :3] @ [0, 0, -1] @ -camera.eye) > 0  # it looks along its own -z


@pytest.mark.parametrize("orbit", [Orbit(0, 85), Orbit(np.nan, 0), Orbit(0, 0, 0.1)])
def test_impossible_orbits_are_refused(orbit):
    with pytest.raises(RenderError, match="must be from"):
        orbit.camera(np.zeros((3, 3)), 64)
