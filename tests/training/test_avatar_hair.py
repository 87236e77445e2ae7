"""Gaussians along strands: where they lie, what they hang on, and files that are refused."""

import json

import numpy as np
import pytest
from avatars import ball, looking
from PIL import Image

from l2t.avatar.binding import local_shapes, place, triangle_frames
from l2t.face import FaceTemplate
from training.avatar.begin import begin
from training.avatar.dataset import SceneError, load_scene
from training.avatar.hair import STRIDE, Courses, along
from training.avatar.model import BoundGaussians


@pytest.fixture(scope="module")
def strands():
    """Two strands off a ball: one of 60 mm that comes down beside it, one of 6 mm."""
    down = np.linspace([0.105, 0.03, 0.0], [0.105, -0.03, 0.0], 7)
    out = np.linspace([0.0, 0.0, 0.1], [0.0, 0.0, 0.106], 7)
    return Courses(np.stack([down, out]), np.full((2, 7), 5e-4), np.array([3, 20]))


def test_each_piece_is_covered_by_one_long_thin_gaussian(strands):
    vertices, faces = ball()
    triangles, values = along(strands, vertices, faces)
    made = BoundGaussians.on(triangles, values).gaussians()
    assert len(made) == 2 * (6 // STRIDE)
    frames = np.empty((len(faces), 3)), np.empty((len(faces), 3, 3)), np.empty(len(faces))
    triangle_frames(vertices.astype(float), faces, *frames)
    means, spread, _ = out = np.empty((6, 3)), np.empty((6, 6)), np.empty((6, 3))
    place(made.triangle, made.mu.astype(float), local_shapes(made.turn, made.scale_log).astype(
        float), made.colour.astype(float), *frames, np.array([0.0, 0, 1]), *out)
    np.testing.assert_allclose(means[:3, 1], [0.02, 0, -0.02], atol=1e-6)
    np.testing.assert_allclose(means[:3, 0], 0.105, atol=1e-6)
    x, y, z = np.sqrt(spread[:, [0, 3, 5]]).T  # along the axes of the world
    assert (y[:3] > 10 * x[:3]).all()
    assert (z[3:] > x[3:]).all()


def test_short_strands_stay_on_their_root_and_long_ones_go_with_what_is_near(strands):
    vertices, faces = ball()
    triangles, _ = along(strands, vertices, faces)
    assert set(triangles[3:]) == {20}
    assert set(triangles[:3]) == {3}  # the only root of a long strand
    more = Courses(strands.lines[[0, 0]], strands.radius[[0, 0]], np.array([3, 40]))
    roots = np.array([3, 40])
    middles = vertices[faces[roots]].mean(axis=1)
    pieces = 0.5 * (more.lines[0, :-1:STRIDE] + more.lines[0, STRIDE::STRIDE])
    nearest = roots[((pieces[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)]
    assert along(more, vertices, faces)[0].tolist() == [*nearest, *nearest]


def test_a_strand_that_has_ended_gets_no_more(strands):
    lines = strands.lines.copy()
    lines[0, 3:] = lines[0, 2]
    vertices, faces = ball()
    triangles, _ = along(Courses(lines, strands.radius, strands.triangle), vertices, faces)
    assert len(triangles) == 1 + 3


@pytest.fixture
def folder(tmp_path, strands):
    """One grey picture of the ball, with strands."""
    vertices, faces = ball()
    camera = looking(24)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = camera.turn.T * (1, -1, -1), camera.eye
    Image.fromarray(np.full((24, 24, 4), 130, np.uint8)).save(tmp_path / "a.png")
    frame = {"file_path": "a.png", "timestep_index": 0, "transform_matrix": matrix.tolist(),
             "w": 24, "h": 24, "fl_x": camera.focal[0], "fl_y": camera.focal[1], "cx": 12,
             "cy": 12}
    (tmp_path / "transforms_train.json").write_text(json.dumps({"frames": [frame]}))
    (tmp_path / "transforms_val.json").write_text(json.dumps({"frames": [frame, frame]}))
    np.savez(tmp_path / "motion.npz", vertices=vertices[None], faces=faces)
    np.savez(tmp_path / "strands.npz", lines=strands.lines, radius=strands.radius,
             triangle=strands.triangle)
    return tmp_path


def test_a_scene_with_strands_begins_with_them(folder):
    scene = load_scene(folder, FaceTemplate.load())
    assert len(scene.val) == 2
    assert scene.test == []
    model = begin(scene, 96)
    assert len(model.triangle) == 96 + 6
    thin = model.scale_log.detach().exp().numpy()
    assert (np.sort(thin[-6:], axis=1)[:, 2] > 2 * np.sort(thin[-6:], axis=1)[:, 0]).all()


@pytest.mark.parametrize("changes", [
    {"radius": np.zeros((2, 3))}, {"triangle": np.array([0, 10**6])},
    {"triangle": np.array([0.5, 1])}, {"lines": np.full((2, 7, 3), np.nan)},
])  # fmt: skip
def test_broken_strands_are_refused(folder, strands, changes):
    arrays = {"lines": strands.lines, "radius": strands.radius, "triangle": strands.triangle}
    np.savez(folder / "strands.npz", **arrays | changes)
    with pytest.raises(SceneError, match=r"strands\.npz must hold"):
        load_scene(folder, FaceTemplate.load())
