"""Camera, framing and refusals."""

import numpy as np
import pytest

from l2t.errors import RenderError
from l2t.render import VIEWS
from l2t.render.scene import VIEW_ANGLE, check_size, frame_shot

# A box as tall as a head, nose at +z, the head's left at +x.
BOX = np.array([(x, y, z) for x in (-0.1, 0.1) for y in (0.0, 0.3) for z in (-0.1, 0.1)])


def test_views_in_order():
    assert VIEWS == ("front", "three-quarter", "side")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_the_head_fills_the_picture_whatever_its_units(view, scale):
    shot = frame_shot(BOX * scale, view, 512)
    screen = shot.project(BOX * scale, 512)
    assert screen[:, 1].min() > -20  # the crown is inside, the lower edge outside
    assert screen[:, 1].max() > 512
    assert np.ptp(screen[:, 1]) < 700
    assert abs(screen[:, 0].mean() - 256) < 30


def test_side_shows_the_nose_on_the_left():
    nose, nape = np.array([(0, 0.15, 0.1), (0, 0.15, -0.1)])
    shot = frame_shot(BOX, "side", 512)
    columns = shot.project(np.stack([nose, nape]), 512)[:, 0]
    assert columns[0] < 200 < 300 < columns[1]


def test_projection_against_first_principles():
    shot = frame_shot(BOX, "three-quarter", 400)
    point = np.array([[0.03, 0.2, 0.05]])
    ray = point[0] - shot.eye
    ahead = -ray @ shot.back
    half = np.tan(np.radians(VIEW_ANGLE / 2)) * ahead
    expected = (200 + 200 * (ray @ shot.right) / half, 200 - 200 * (ray @ shot.up) / half)
    np.testing.assert_allclose(shot.project(point, 400)[0, :2], expected, rtol=1e-5)
    np.testing.assert_allclose(shot.project(point, 400)[0, 2], 1 / ahead, rtol=1e-5)


@pytest.mark.parametrize("size", [0, 255, 1025, 4096, -512, 511, 512.0, "512", None, True])
def test_sizes_outside_are_refused_in_one_sentence(size):
    with pytest.raises(RenderError, match="from 256 to 1024 pixels, found") as caught:
        check_size(size)
    assert str(caught.value).count(".") <= 2


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_sizes_inside_are_taken(size):
    assert check_size(size) == size


def test_unknown_view_names_the_known_ones():
    with pytest.raises(RenderError, match="'back'.*front, three-quarter, side"):
        frame_shot(BOX, "back", 512)
