"""Picture, pose, shading and occlusion: the steps between vertices and a frame."""

import numpy as np
import pytest

from l2t.errors import RenderError
from l2t.render.occlusion import sky_share, smooth, sphere_directions
from l2t.render.picture import Canvas, background
from l2t.render.pose import Neck, rotation
from l2t.render.scene import frame_shot
from l2t.render.shade import MATERIALS, Shader

HEAD = np.random.default_rng(0).uniform((-0.1, 0, -0.1), (0.1, 0.3, 0.1), (500, 3))


def ball(rings=24):
    """(points, faces) of a unit sphere, counter-clockwise from outside."""
    polar, turn = np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings)
    p, t = np.meshgrid(polar, turn, indexing="ij")
    points = np.stack([np.sin(p) * np.sin(t), np.cos(p), np.sin(p) * np.cos(t)], -1)
    k = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    a, b, c, d = k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3),
                            np.stack([a, c, d], -1).reshape(-1, 3)])
    return points.reshape(-1, 3).astype(np.float32), faces.astype(np.int32)


# --- picture

def test_develop_is_the_mean_of_four_samples_over_the_background():
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 255, (512, 512, 4)).astype(np.uint8)
    samples[..., 3] = 255 * rng.integers(0, 2, (512, 512))
    ours = Canvas(256).develop(samples)
    row, column = 100, 37  # far above the fade
    block = samples[200:202, 74:76].reshape(4, 4).astype(float)
    solid = block[:, 3] > 0
    expected = (block[solid, :3].sum(0) + (~solid).sum() * background(256)[row, column]) / 4
    np.testing.assert_allclose(ours[row, column], expected, atol=0.51)


def test_an_empty_grid_is_an_error_not_a_frame():
    with pytest.raises(RenderError, match="empty"):
        Canvas(256).develop(np.zeros((512, 512, 4), np.uint8))


def test_the_bust_fades_out_below():
    picture = Canvas(256).develop(np.full((512, 512, 4), 255, np.uint8))
    np.testing.assert_allclose(picture[-1], background(256)[-1], atol=1)
    assert (picture[:200] == 255).all()


# --- pose

def test_rotation_directions():
    nose = np.array([0, 0, 1.0])
    assert (rotation(0.2, 0, 0) @ nose)[1] < 0  # nods down
    assert (rotation(0, 0.2, 0) @ nose)[0] > 0  # turns to +x
    assert (rotation(0, 0, 0.2) @ [0, 1, 0])[0] < 0  # tips towards -x
    matrix = rotation(0.3, -0.2, 0.1)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)


def test_the_head_turns_as_one_piece_and_the_shoulders_stay():
    points = HEAD.astype(np.float32)
    turned = Neck(points, chin_height=0.1).turned(points, np.array([0.1, -0.2, 0.05], np.float32))
    head, low = points[:, 1] > 0.1, points[:, 1] < 0.02
    np.testing.assert_allclose(turned[low], points[low], atol=1e-6)
    before = np.linalg.norm(points[head][:, None] - points[head][None], axis=-1)
    after = np.linalg.norm(turned[head][:, None] - turned[head][None], axis=-1)
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert np.abs(turned[head] - points[head]).max() > 0.01


def test_a_still_head_is_not_touched():
    points = HEAD.astype(np.float32)
    assert Neck(points).turned(points, np.zeros(3, np.float32)) is points


# --- shading

def test_light_comes_from_the_upper_left_and_goes_with_the_camera():
    points, _ = ball()
    shader = Shader(np.full((len(points), 3), 180, np.uint8), np.array(["skin"] * len(points)),
                    np.ones(len(points), np.float32))
    for view in ("front", "side"):
        shot = frame_shot(points, view, 256)
        light = shader(points, points, shot)[:, :3].mean(axis=1)
        right, up, front = points @ shot.right, points @ shot.up, points @ shot.back
        lit, dark = (front > 0.5) & (right < 0) & (up > 0), (front > 0.5) & (right > 0) & (up < 0)
        assert light[lit].mean() > light[dark].mean() + 20


def test_folds_are_darker_and_eyes_shine():
    points, _ = ball()
    shot, grey = frame_shot(points, "front", 256), np.full((len(points), 3), 120, np.uint8)

    def shaded(material, sky):
        names = np.array([material] * len(points))
        return Shader(grey, names, np.full(len(points), sky, np.float32))(points, points, shot)

    assert shaded("skin", 0.2).mean() < shaded("skin", 1.0).mean() - 15
    assert shaded("eye", 1.0)[:, :3].max() > int(shaded("skin", 1.0)[:, :3].max()) + 20


@pytest.mark.parametrize("material", MATERIALS)
def test_every_material_shades_white_and_black(material):
    points, _ = ball(6)
    for value in (0, 255):
        shader = Shader(np.full((len(points), 3), value, np.uint8),
                        np.array([material] * len(points)), np.ones(len(points), np.float32))
        assert shader(points, points, frame_shot(points, "front", 256)).shape == (len(points), 4)


# --- occlusion

def test_directions_are_even():
    ways = sphere_directions(100)
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 1)
    assert np.abs(ways.mean(axis=0)).max() < 0.02


def test_a_lonely_ball_sees_the_whole_sky_and_a_covered_one_does_not():
    points, faces = ball(12)
    shell = np.concatenate([points, points * 1.5])
    both = sky_share(shell, np.concatenate([faces, faces + len(points)]))
    assert np.median(sky_share(points, faces)) > 0.95
    assert np.median(both[: len(points)]) < 0.05


def test_smoothing_keeps_a_constant():
    _, faces = ball(6)
    count = faces.max() + 1
    np.testing.assert_allclose(smooth(np.full(count, 0.4), faces)[faces.ravel()], 0.4, atol=1e-6)
