"""The mouth renderer against the product's own picture of the same face, seen the same way."""

import numpy as np
import pytest
import torch
from faces import weights

from l2t.face import FaceTemplate
from l2t.render.painters import make_painter
from l2t.render.scene import Shot
from l2t.render.studio import Studio
from l2t.softrender import MouthRenderer

SIZE, SAMPLES = 96, 4  # pixels of a side, samples along a pixel
AWAY = 6.0  # metres to the camera: hardly any perspective
POSES = np.stack([
    weights(),
    weights(jawOpen=0.2),
    weights(jawOpen=0.6),
    weights(jawOpen=0.3, mouthFunnel=0.7),
    weights(jawOpen=0.1, mouthPucker=0.8),
    weights(jawOpen=0.15, mouthSmile=0.5, mouthUpperUp=0.3, mouthLowerDown=0.4),
    weights(mouthPress=0.6, mouthRollUpper=0.3, mouthRollLower=0.3),
    weights(jawOpen=0.2, mouthStretch=0.6),
])  # fmt: skip


@pytest.fixture(scope="module")
def pictures():
    """(drawn by the studio, drawn by the renderer), both (poses, SIZE, SIZE) grey 0..1.

    The studio's software painter stands in for pyvista, which draws the same (test_render_*).
    """
    template = FaceTemplate.load()
    renderer = MouthRenderer(template, SIZE)
    return studio_pictures(template, renderer.framing), renderer(torch.tensor(POSES)).numpy()


def studio_pictures(template, framing):
    """The studio's shading and painter, with the renderer's framing and grey by Rec. 601."""
    middle = np.array([framing.x, framing.y, framing.z])
    angle = 2 * np.degrees(np.arctan(framing.side / 2 / AWAY))
    axes = np.eye(3)
    shot = Shot(SIZE, middle + AWAY * axes[2], middle, *axes, angle=float(angle))
    painter = make_painter(template, "software")
    studio = Studio(template, painter)
    painter.aim(shot, SIZE * SAMPLES)
    shader, out = studio._shader(template.identities[0]), []
    for points in template.vertices(POSES):
        samples = studio._paint(points, shader, shot)[..., :3] @ (0.299, 0.587, 0.114) / 255
        out.append(samples.reshape(SIZE, SAMPLES, SIZE, SAMPLES).mean(axis=(1, 3)))
    return np.stack(out)


def alike(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_grey_values_go_together_in_every_pose(pictures):
    for drawn, ours in zip(*pictures, strict=True):
        assert alike(drawn, ours) > 0.94
        assert alike(drawn[24:72, 24:72], ours[24:72, 24:72]) > 0.9


def test_what_a_pose_changes_in_one_it_changes_in_the_other(pictures):
    drawn, ours = pictures
    for k in range(1, len(POSES)):
        assert alike(drawn[k] - drawn[0], ours[k] - ours[0]) > 0.78


def test_brightness_and_contrast_are_those_of_a_photo(pictures):
    # Real crops of GRID's first speaker: mean 0.57, deviation 0.11, 5 % below 0.38.
    ours = pictures[1]
    assert 0.5 < ours.mean() < 0.66
    assert 0.09 < ours.std() < 0.16
    assert 0.28 < np.percentile(ours, 5) < 0.45
