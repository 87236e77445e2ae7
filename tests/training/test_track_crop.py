"""The mouth's picture."""

import numpy as np
import pytest

from training.data.mouths import decode_mouth
from training.data.track_crop import crop, squares, write_mouths
from training.data.track_faces import INDEX


def face(angle=0.0, scale=1.0, centre=(160.0, 200.0)):
    """Landmarks (1, 80, 3) of eyes 60 px apart and lips 70 px below, turned about the lips."""
    at = {int(n): i for i, n in enumerate(INDEX)}
    points = np.zeros((len(INDEX), 2))
    for number, x in ((33, -45), (133, -15), (362, 15), (263, 45)):
        points[at[number]] = (x, -70)
    c, s = np.cos(angle), np.sin(angle)
    points = scale * points @ np.array([[c, s], [-s, c]]) + centre
    return np.concatenate([points, np.zeros((len(INDEX), 1))], axis=1)[None]


def spot(x, y, width=320, height=400, radius=4):
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    bright = np.hypot(columns - x, rows - y) <= radius
    return np.repeat((40 + 200 * bright).astype(np.uint8)[..., None], 3, axis=2)


def middle_of(mouth):
    rows, columns = np.nonzero(mouth > 100)
    return columns.mean() + 0.5, rows.mean() + 0.5


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.4])
@pytest.mark.parametrize("angle", [0.0, 0.3, -0.2])
def test_lips_lie_in_the_middle_and_eyes_level_at_one_size(angle, scale):
    where = squares(face(angle, scale))
    assert where.sides[0] == pytest.approx(1.6 * 60 * scale)
    # A spot that lies on the face 20 px (at scale 1) to the lips' left in the picture.
    x, y = np.array([160.0, 200.0]) + 20 * scale * np.array([-np.cos(angle), -np.sin(angle)])
    picture = spot(x, y, radius=4 * scale)
    mouth = crop(picture, where.centres[0], where.sides[0], where.angles[0])
    assert mouth.shape == (96, 96)
    assert middle_of(mouth) == pytest.approx((48 - 20, 48), abs=0.6)


def test_a_crop_beyond_the_picture_repeats_its_border():
    where = squares(face(centre=(5.0, 395.0)))
    mouth = crop(spot(300, 20), where.centres[0], where.sides[0], where.angles[0])
    assert (mouth == 40).all()


def test_fine_stripes_are_blurred_and_not_aliased():
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[:, ::2] = 255
    mouth = crop(stripes, np.array([300.0, 300.0]), 288.0, 0.0)
    assert mouth.std() < 12
    assert mouth.mean() == pytest.approx(127, abs=3)


def test_a_trembling_tracker_does_not_shake_the_crop():
    rng = np.random.default_rng(0)
    points = np.repeat(face(), 50, axis=0)
    points[..., :2] += rng.normal(0, 1.0, (50, 1, 2))
    assert squares(points).centres.std(axis=0).max() < 0.5


def test_the_written_film_holds_the_same_greys(tmp_path):
    mouths = [np.full((96, 96), level, np.uint8) for level in (16, 90, 128, 200, 240)]
    write_mouths(tmp_path / "a.mp4", mouths)
    back = decode_mouth(tmp_path / "a.mp4")
    assert back.shape == (5, 96, 96)
    assert back.mean(axis=(1, 2)) == pytest.approx([16, 90, 128, 200, 240], abs=3)
