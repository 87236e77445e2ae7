"""Files of Gaussians: what is read back is what stood there."""

import numpy as np
import pytest
from avatars import ball, random_gaussians

from l2t.avatar.binding import SH_0, SH_1, local_shapes, place, rotations, triangle_frames
from l2t.avatar.export import SPLAT, UNITS, frozen, quaternions, write_ply, write_splat
from l2t.errors import OutputError

TURN = np.diag((1.0, -1.0, -1.0))


def read_ply(path):
    """Columns by name, by the header alone."""
    content = path.read_bytes()
    head, _, body = content.partition(b"end_header\n")
    lines = head.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    names = [line.split()[2] for line in lines if line.startswith("property float")]
    count = int(next(line for line in lines if line.startswith("element vertex")).split()[2])
    table = np.frombuffer(body, "<f4").reshape(count, len(names)).astype(float)
    return dict(zip(names, table.T, strict=True))


@pytest.fixture(scope="module")
def scene():
    vertices, faces = ball()
    gaussians = random_gaussians(len(faces), 40)
    return gaussians, vertices, faces, frozen(gaussians, vertices, faces)


def world(gaussians, vertices, faces, eye):
    out = [np.empty((len(faces), 3)), np.empty((len(faces), 3, 3)), np.empty(len(faces))]
    triangle_frames(vertices.astype(float), faces, *out)
    made = np.empty((40, 3)), np.empty((40, 6)), np.empty((40, 3))
    place(gaussians.triangle, gaussians.mu.astype(float),
          local_shapes(gaussians.turn.astype(float), gaussians.scale_log.astype(float)),
          gaussians.colour.astype(float), *out, np.asarray(eye, float), *made)
    return made


def test_ply_has_the_same_ellipsoids_and_colours(scene, tmp_path):
    gaussians, vertices, faces, free = scene
    read = read_ply(write_ply(tmp_path / "head.ply", free))
    eye = np.array([0.1, 0.05, 0.5])
    means, flat, seen = world(gaussians, vertices, faces, eye)
    places = np.stack([read[n] for n in "xyz"], axis=1)
    np.testing.assert_allclose(places, UNITS * means @ TURN.T, atol=1e-5)
    turns = rotations(np.stack([read[f"rot_{i}"] for i in range(4)], axis=1))
    axes = turns * np.exp(np.stack([read[f"scale_{i}"] for i in range(3)], axis=1))[:, None]
    full = TURN @ (axes @ axes.transpose(0, 2, 1)) @ TURN / UNITS**2
    np.testing.assert_allclose(full[:, *np.triu_indices(3)], flat, atol=1e-7)
    np.testing.assert_allclose(1 / (1 + np.exp(-read["opacity"])), gaussians.opacity, atol=1e-5)
    way = places - UNITS * TURN @ eye
    x, y, z = (way / np.linalg.norm(way, axis=1, keepdims=True)).T
    for c in range(3):
        value = 0.5 + SH_0 * read[f"f_dc_{c}"] + SH_1 * (
            -y * read[f"f_rest_{3 * c}"] + z * read[f"f_rest_{3 * c + 1}"]
            - x * read[f"f_rest_{3 * c + 2}"])
        np.testing.assert_allclose(np.maximum(value, 0), seen[:, c], atol=1e-4)


def test_splat_is_32_bytes_each_and_the_same(scene, tmp_path):
    gaussians, _, _, free = scene
    path = write_splat(tmp_path / "head.splat", free)
    assert path.stat().st_size == 32 * len(gaussians)
    rows = np.frombuffer(path.read_bytes(), SPLAT)
    order = np.argsort(free.means[:, 0])
    rows = rows[np.argsort(rows["place"][:, 0])]
    np.testing.assert_allclose(rows["place"], free.means[order], atol=1e-5)
    np.testing.assert_allclose(rows["scale"], free.scales[order], rtol=1e-5)
    np.testing.assert_allclose(rows["colour"][:, 3] / 255, free.opacity[order], atol=0.003)
    turns = rotations((rows["turn"].astype(float) - 128) / 128)
    np.testing.assert_allclose(turns, rotations(free.turns[order]), atol=0.04)


def test_the_most_visible_come_first(scene, tmp_path):
    rows = np.frombuffer(write_splat(tmp_path / "a.splat", scene[3]).read_bytes(), SPLAT)
    seen = rows["scale"].prod(axis=1) * rows["colour"][:, 3]
    assert seen[:10].min() > seen[-10:].max()


def test_quaternions_undo_rotations():
    turns = rotations(np.random.default_rng(1).normal(size=(50, 4)))
    turns[0], turns[1] = np.diag((1, -1, -1)), np.diag((-1, -1, 1))  # half turns
    np.testing.assert_allclose(rotations(quaternions(turns)), turns, atol=1e-12)


def test_gaussians_without_a_triangle_stay_out(scene):
    gaussians, vertices, faces, free = scene
    flat = vertices.copy()
    a, b, c = faces[gaussians.triangle[0]]
    flat[c] = flat[b] = flat[a]
    assert 0 < len(frozen(gaussians, flat, faces).means) < len(free.means)


@pytest.mark.parametrize("name", ["head.obj", "missing/head.ply"])
def test_where_nothing_can_be_written_it_says_so(scene, tmp_path, name):
    with pytest.raises(OutputError, match="head"):
        write_ply(tmp_path / name, scene[3])
