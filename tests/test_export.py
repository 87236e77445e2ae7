"""Motion leaves the house: every file is read back and compared with what went in."""

import csv
import json
import struct

import numpy as np
import pytest
from faces import tiny_arrays, weights

from l2t.errors import FaceError, OutputError
from l2t.export import (
    LIVE_LINK_COLUMNS,
    read_mesh,
    timecode,
    write_arkit_csv,
    write_glb,
    write_mesh,
    write_npz,
)
from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES, Motion
from l2t.render.pose import rotation


@pytest.fixture
def motion() -> Motion:
    random = np.random.default_rng(3)
    return Motion(random.random((35, 52)), head=random.normal(0, 0.2, (35, 3)))


@pytest.fixture
def tiny(tmp_path) -> FaceTemplate:
    np.savez(tmp_path / "tiny.npz", **tiny_arrays())
    return FaceTemplate.load(tmp_path / "tiny.npz")


def read_csv(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


# Live Link Face


def test_the_csv_has_live_links_columns(tmp_path, motion):
    write_arkit_csv(motion, tmp_path / "m.csv")
    header, rows = read_csv(tmp_path / "m.csv")
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[53:57] == ["TongueOut", "HeadYaw", "HeadPitch", "HeadRoll"]
    assert header[-1] == "RightEyeRoll"
    assert len(header) == 63
    assert len(LIVE_LINK_COLUMNS) == 61
    assert {len(row) for row in rows} == {63}
    assert {row[1] for row in rows} == {"61"}


def test_the_csv_holds_the_weights_and_the_pose(tmp_path, motion):
    write_arkit_csv(motion, tmp_path / "m.csv")
    header, rows = read_csv(tmp_path / "m.csv")
    values = np.array([row[2:] for row in rows], float)
    assert np.allclose(values[:, :52], motion.arkit, atol=1e-6)
    by_name = {name: values[:, i] for i, name in enumerate(header[2:])}
    pitch, yaw, roll = motion.head.T
    assert np.allclose(by_name["HeadPitch"], pitch, atol=1e-6)
    assert np.allclose(by_name["HeadYaw"], yaw, atol=1e-6)
    assert np.allclose(by_name["HeadRoll"], roll, atol=1e-6)


def test_the_csv_runs_at_thirty_frames_a_second(tmp_path):
    write_arkit_csv(Motion(np.full((50, 52), 0.25), fps=25.0), tmp_path / "m.csv")
    _, rows = read_csv(tmp_path / "m.csv")
    assert len(rows) == 60
    assert rows[31][0] == "00:00:01:01.000"


@pytest.mark.parametrize(("frame", "text"), [
    (0, "00:00:00:00.000"), (29, "00:00:00:29.000"), (30, "00:00:01:00.000"),
    (30 * 60, "00:01:00:00.000"), (30 * 3600 + 1, "01:00:00:01.000")])
def test_time_codes_count_frames(frame, text):
    assert timecode(frame) == text


# npz


def test_the_npz_holds_what_the_readme_says(tmp_path, motion):
    write_npz(motion, tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as data:
        assert sorted(data.files) == ["arkit", "fps", "head", "names"]
        assert data["arkit"].dtype == np.float32
        assert np.array_equal(data["arkit"], motion.arkit)
        assert np.array_equal(data["head"], motion.head)
        assert tuple(data["names"]) == ARKIT_NAMES
        assert float(data["fps"]) == 30.0


def test_the_npz_keeps_the_name_it_was_given(tmp_path, motion):
    write_npz(motion, tmp_path / "motion.data")
    assert [p.name for p in tmp_path.iterdir()] == ["motion.data"]


# GLB, read by a reader that knows nothing of the writer


def read_glb(content: bytes) -> tuple[dict, bytes]:
    magic, version, length = struct.unpack("<4sII", content[:12])
    assert (magic, version, length) == (b"glTF", 2, len(content))
    chunks, place = {}, 12
    while place < len(content):
        size, kind = struct.unpack("<I4s", content[place:place + 8])
        assert size % 4 == 0
        chunks[kind] = content[place + 8:place + 8 + size]
        place += 8 + size
    return json.loads(chunks[b"JSON"]), chunks[b"BIN\0"]


def accessor(document, blob, number) -> np.ndarray:
    """(count, width) of an accessor, sparse ones made dense."""
    entry = document["accessors"][number]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[entry["type"]]
    dtype = {5126: "<f4", 5125: "<u4", 5123: "<u2"}[entry["componentType"]]

    def raw(view, dtype, count):
        start = document["bufferViews"][view]["byteOffset"]
        assert start % 4 == 0
        return np.frombuffer(blob, dtype, count, start)

    if "bufferView" in entry:
        out = raw(entry["bufferView"], dtype, entry["count"] * width).reshape(-1, width)
    else:
        out = np.zeros((entry["count"], width), dtype)
    if "sparse" in entry:
        sparse, out = entry["sparse"], out.copy()
        rows = raw(sparse["indices"]["bufferView"], "<u4", sparse["count"])
        assert (np.diff(rows.astype(int)) > 0).all()
        out[rows] = raw(sparse["values"]["bufferView"], dtype,
                        sparse["count"] * width).reshape(-1, width)
    if "min" in entry:
        assert np.allclose(out.min(axis=0), entry["min"])
        assert np.allclose(out.max(axis=0), entry["max"])
    return out


def test_the_glb_plays_the_same_faces(tmp_path, motion):
    head = FaceTemplate.load()
    identity = head.identities[4]
    write_glb(motion, tmp_path / "m.glb", head, identity)
    document, blob = read_glb((tmp_path / "m.glb").read_bytes())
    (mesh,), (animation,) = document["meshes"], document["animations"]
    assert mesh["extras"]["targetNames"] == list(ARKIT_NAMES)
    (primitive,) = mesh["primitives"]
    position = accessor(document, blob, primitive["attributes"]["POSITION"])
    faces = accessor(document, blob, primitive["indices"]).reshape(-1, 3)
    targets = np.stack([accessor(document, blob, t["POSITION"]) for t in primitive["targets"]])
    samplers = {c["target"]["path"]: animation["samplers"][c["sampler"]]
                for c in animation["channels"]}
    curve = accessor(document, blob, samplers["weights"]["output"]).reshape(-1, 52)
    times = accessor(document, blob, samplers["weights"]["input"]).ravel()
    assert np.array_equal(faces, head.faces)
    assert np.allclose(times, (np.arange(35) + 0.5) / 30, atol=1e-6)
    frame = position + np.einsum("s,svc->vc", curve[20], targets)
    assert np.abs(frame - head.vertices(motion.arkit[20:21], identity)[0]).max() < 5e-5


def test_the_glb_turns_the_head_like_the_renderer(tmp_path, motion, tiny):
    write_glb(motion, tmp_path / "m.glb", tiny)
    document, blob = read_glb((tmp_path / "m.glb").read_bytes())
    animation = document["animations"][0]
    turn = next(c for c in animation["channels"] if c["target"]["path"] == "rotation")
    turns = accessor(document, blob, animation["samplers"][turn["sampler"]]["output"])
    for (x, y, z, w), pose in zip(turns, motion.head, strict=True):
        matrix = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
        assert np.allclose(matrix, rotation(*pose), atol=1e-5)


def test_the_glb_colours_are_linear_light(tmp_path, motion, tiny):
    write_glb(motion, tmp_path / "m.glb", tiny)
    document, blob = read_glb((tmp_path / "m.glb").read_bytes())
    colour = document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]
    assert document["accessors"][colour]["normalized"]
    light = accessor(document, blob, colour) / 65535
    assert np.allclose(light[:, :3], 0.2158605, atol=1e-4)  # sRGB 128 of 255
    assert (light[:, 3] == 1).all()


def test_trimesh_opens_the_glb(tmp_path, motion):
    write_glb(motion, tmp_path / "m.glb")
    head = FaceTemplate.load()
    vertices, faces = read_mesh(tmp_path / "m.glb")
    assert len(faces) == len(head.faces)
    assert np.allclose(vertices, head.neutral(), atol=1e-6)


def test_an_unknown_identity_is_refused_before_anything_is_written(tmp_path, motion, tiny):
    with pytest.raises(FaceError, match="only"):
        write_glb(motion, tmp_path / "m.glb", tiny, "nobody")
    assert not (tmp_path / "m.glb").exists()


# One frame as a mesh


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb", ".off", ".stl"])
def test_a_frame_written_as_a_mesh_comes_back(tmp_path, tiny, suffix):
    row = weights(jawOpen=1)
    path = tmp_path / f"frame{suffix}"
    write_mesh(path, tiny, row)
    vertices, faces = read_mesh(path)
    wanted = tiny.vertices(row[None])[0]
    assert np.allclose(vertices[faces], wanted[tiny.faces], atol=1e-6)


def test_a_mesh_type_nobody_knows_is_refused(tmp_path, tiny):
    with pytest.raises(OutputError, match=r"\.obj"):
        write_mesh(tmp_path / "frame.docx", tiny, weights())


@pytest.mark.parametrize(("name", "content"), [
    ("a.obj", b""), ("a.ply", b"plywood"), ("a.glb", b"glTF\x02"), ("a.xyz1", b"1 2 3"),
    ("a.obj", b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n")])
def test_what_is_no_mesh_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FaceError, match=name):
        read_mesh(tmp_path / name)


# Places that cannot be written


@pytest.mark.parametrize("write", [write_arkit_csv, write_npz, write_glb])
def test_an_unwritable_place_is_one_sentence_and_leaves_nothing(tmp_path, motion, write):
    with pytest.raises(OutputError) as caught:
        write(motion, tmp_path / "missing" / "m")
    assert caught.value.args[0].count(".") == 1
    assert str(tmp_path) not in caught.value.args[0]
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_keeps_the_old_file(tmp_path, motion, monkeypatch):
    write_npz(motion, tmp_path / "m.npz")
    before = (tmp_path / "m.npz").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match="No space left"):
        write_npz(motion, tmp_path / "m.npz")
    assert (tmp_path / "m.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]
