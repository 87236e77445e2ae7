"""The rasteriser against an oracle that asks every Gaussian at every pixel."""

import numpy as np
import pytest
from avatars import ball, blended, flattened, looking, random_gaussians

from l2t.avatar.camera import Camera, Orbit
from l2t.avatar.gaussians import Gaussians
from l2t.avatar.order import nearest_first
from l2t.avatar.project import COLUMN, LEVEL, PACKED, REACH_X, REACH_Y, ROW, A, B, C
from l2t.avatar.raster import develop, fall
from l2t.avatar.splatter import Splatter
from l2t.avatar.tiles import TILE, sort_into_tiles
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


def test_a_film_is_its_pictures_one_by_one():
    """Prepared ahead and painted in bands: the same bytes as drawn alone, for any threads."""
    vertices, faces = ball()
    g, camera = random_gaussians(len(faces), 300), looking(100)
    frames = [vertices * (1 + 0.1 * i) for i in range(5)]
    back, solid = np.full((100, 100, 3), 90, np.uint8), np.linspace(1, 0.5, 100)
    alone = Splatter(g, faces, 1)
    wanted = []
    for frame in frames:
        picture, behind = alone.draw(frame, camera)
        out = np.empty((100, 100, 3), np.uint8)
        cover = develop(picture, behind, back, solid, out) / behind.size
        wanted.append((out.tobytes(), cover))
    assert len({picture for picture, _ in wanted}) == len(frames)
    for threads in (1, 2, 3):
        splatter = Splatter(g, faces, threads)
        made = [(p.tobytes(), c) for p, c in splatter.film(iter(frames), camera, back, solid)]
        splatter.close()
        assert [p for p, _ in made] == [p for p, _ in wanted]
        assert [c for _, c in made] == pytest.approx([c for _, c in wanted])


def test_a_film_of_nothing_and_of_one_picture():
    vertices, faces = ball()
    splatter, camera = Splatter(random_gaussians(len(faces), 30), faces, 2), looking()
    back, solid = np.zeros((40, 40, 3), np.uint8), np.ones(40)
    assert list(splatter.film([], camera, back, solid)) == []
    assert len(list(splatter.film([vertices], camera, back, solid))) == 1
    splatter.close()


@pytest.mark.parametrize(("kind", "error"), [(np.float32, 4e-6), (np.float64, 3e-11)])
def test_fall_is_the_exponential(kind, error):
    powers = np.linspace(0, 5.6, 500).astype(kind)
    found = np.array([fall(p, kind) for p in powers])
    np.testing.assert_allclose(found, np.exp(-powers.astype(float)), rtol=error)


def test_nearest_first_is_a_stable_argsort():
    random = np.random.default_rng(0)
    for count in (0, 1, 2, 700, 40_000):
        depth = random.uniform(0.02, 3, count).astype(np.float32)
        depth[::3] = np.round(depth[::3], 1)  # many are equal
        depth = np.maximum(depth, 0.02)
        order, spare = np.empty((2, count), np.int32)
        nearest_first(depth, order, spare)
        np.testing.assert_array_equal(order, np.argsort(depth, kind="stable"))


def test_tiles_have_what_is_drawn_in_them_nearest_first():
    """Every ellipse that colours a pixel of a tile is in its list; of those that only their box
    brings near, most are not."""
    vertices, faces = ball()
    g, camera = random_gaussians(len(faces), 80), looking(70)
    splatter = Splatter(g, faces, 1)
    sheet = splatter._prepared(vertices, camera, splatter._sheets[0])
    packed, column, row = sheet.packed[: sheet.count].astype(float), *np.meshgrid(
        np.arange(80) + 0.5, np.arange(80) + 0.5)
    x, y = column - packed[:, COLUMN, None, None], row - packed[:, ROW, None, None]
    a, b, c, level = (packed[:, k, None, None] for k in (A, B, C, LEVEL))
    drawn = a * x * x + 2 * b * x * y + c * y * y <= level - 1e-4
    boxed = ((np.abs(x) < packed[:, REACH_X, None, None])
             & (np.abs(y) < packed[:, REACH_Y, None, None]))  # fmt: skip
    needless = spared = 0
    for tile in range(25):
        items = sheet.items[sheet.start[tile] : sheet.start[tile + 1]]
        assert (np.diff(sheet.depth[items]) >= 0).all()
        left, top = TILE * (tile % 5), TILE * (tile // 5)
        there = (slice(None), slice(top, top + TILE), slice(left, left + TILE))
        needed = set(np.flatnonzero(drawn[there].any(axis=(1, 2))))
        assert needed <= set(items)
        needless += len(set(items) - needed)
        spared += len(set(np.flatnonzero(boxed[there].any(axis=(1, 2)))) - set(items))
    assert needless < 0.1 * sheet.start[-1]
    assert spared > 2 * needless


def test_an_ellipse_over_very_many_tiles_is_in_all_of_them():
    packed = np.zeros((1, PACKED), np.float32)
    packed[0, [COLUMN, ROW, A, C, LEVEL]] = 200, 200, 1e-4, 1e-4, 9
    packed[0, [REACH_X, REACH_Y]] = 300
    start, items = np.empty(25 * 25 + 1, np.int32), np.empty(700, np.int32)
    assert sort_into_tiles(packed, np.zeros(1, np.int32), 25, 25, start, items) == 625
    np.testing.assert_array_equal(start, np.arange(626))


def test_smallest_gaussian_is_still_a_blot():
    """The low pass: a point without extent has the width of 0.1 pixels squared."""
    vertices, faces = ball()
    g = random_gaussians(len(faces), 1)
    g = Gaussians(g.triangle, g.mu * 0, g.turn, np.full((1, 3), -12, np.float32),
                  np.full(1, 9, np.float32), g.colour)
    splatter, camera = Splatter(g, faces, 1), looking(60)
    _, behind = splatter.draw(vertices, camera)
    cover = 1 - behind
    column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    spot = camera.project(splatter.world(vertices, camera.eye)[0])[0]
    assert cover.sum() == pytest.approx(2 * np.pi * 0.1, rel=0.25)
    assert (cover * column).sum() / cover.sum() == pytest.approx(spot[0], abs=0.25)
    assert (cover * row).sum() / cover.sum() == pytest.approx(spot[1], abs=0.25)


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
