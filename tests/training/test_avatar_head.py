"""The head that the default avatar is learned from: finer, not other, than the template."""

import numpy as np
import pytest
from avatars import ball, looking

from l2t.avatar.camera import Orbit
from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES
from training.avatar.expressions import RANGES, columns, expressions, open_mouths, viseme
from training.avatar.head import DetailedHead
from training.avatar.scenes import all_faces, plan
from training.avatar.strands import rooted
from training.avatar.supersample import supersampled
from training.avatar.surface import subdivide


def area(points, faces):
    a, b, c = points[faces].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_cutting_triangles_keeps_the_surface():
    vertices, faces = ball()
    operator, fine = subdivide(faces, len(vertices), rounds=2)
    points = operator @ vertices
    assert len(fine) == 16 * len(faces)
    np.testing.assert_allclose(points[: len(vertices)], vertices)
    assert area(points, fine) == pytest.approx(area(vertices, faces), rel=1e-5)
    # Closed: every edge has two triangles, one each way.
    edges = np.concatenate([fine[:, [0, 1]], fine[:, [1, 2]], fine[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(e) for e in edges} == {tuple(e[::-1]) for e in edges}


def test_strands_go_with_their_triangle():
    vertices, faces = ball()
    lines = vertices[:4, None] * np.linspace(1, 1.5, 5)[None, :, None]
    strands = rooted(lines, np.full((4, 5), 0.001), np.zeros((4, 5, 3)), vertices, faces,
                     np.arange(len(faces)))
    rest, normals = strands.posed(vertices, faces)
    middle = rest.reshape(4, 5, 3, 3).mean(axis=2)
    np.testing.assert_allclose(middle, lines, atol=1e-5)
    moved, _ = strands.posed(vertices * 2 + 1, faces)
    np.testing.assert_allclose(moved.reshape(4, 5, 3, 3).mean(axis=2), 2 * lines + 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert strands.faces.max() == len(rest) - 1


def test_cover_is_the_share_of_samples():
    vertices, faces = ball(radius=0.1)
    colours = np.full((len(vertices), 4), 255, np.uint8)
    picture = supersampled(vertices, colours, faces, looking(50, (0, 0, 0.6)), 3)
    assert picture[25, 25] == pytest.approx(1)
    assert picture[2, 2] == pytest.approx(0)
    edge = picture[..., 3]
    assert ((edge > 0.01) & (edge < 0.99)).any()
    np.testing.assert_allclose(picture[..., 0], edge, atol=1e-6)  # white times cover


def test_test_pictures_share_no_face_and_no_place_with_training():
    pictures = plan(1)
    faces, places = ({s: {p[i] for p in pictures if p[0] == s} for s in ("train", "val", "test")}
                     for i in (1, 3))
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not faces[one] & faces[other]
        assert not places[one] & places[other]
    assert len(places["train"]) >= 24
    assert len(all_faces(1, None)) == 1 + max(map(max, faces.values()))
    where = {p[3]: (p[2].azimuth, p[2].elevation) for p in pictures}
    assert len(set(where.values())) == len(where)  # numbers tell places apart
    behind = [p for p in pictures if 90 < p[2].azimuth < 270]
    assert behind


def test_faces_are_within_their_ranges_and_repeatable():
    made = expressions(40, 3)
    assert made.shape == (40, 52)
    assert (made >= 0).all()
    assert (made <= 1).all()
    np.testing.assert_array_equal(made, expressions(40, 3))
    assert np.abs(made - expressions(40, 4)).max() > 0.1
    assert not made[0].any()


def test_open_mouths_are_open():
    faces = open_mouths(9, 1)
    assert (faces[:, columns("jawOpen")] >= 0.2).all()
    assert not faces[:, columns("mouthClose")].any()
    assert (faces <= 1).all()
    assert open_mouths(0, 1).shape == (0, 52)


def test_movements_know_their_sides():
    assert [ARKIT_NAMES[i] for i in columns("mouthSmile")] == ["mouthSmileLeft", "mouthSmileRight"]
    assert [ARKIT_NAMES[i] for i in columns("jawOpen")] == ["jawOpen"]
    assert all(columns(name) for name in RANGES)
    assert viseme({"jawOpen": 0.5}).sum() == pytest.approx(0.5)


def test_head_is_drawn_in_detail_and_moves():
    """More edges than the plain mesh, the same outline, and a blink that takes lashes along."""
    from training.avatar.plain import PlainMesh

    template = FaceTemplate.load()
    head = DetailedHead(template)
    camera = Orbit(zoom=2).camera(template.neutral(), 200)
    colour, cover = head.picture(template.neutral(), camera)
    plain = PlainMesh(template, head.identity).picture(template.neutral(), camera)
    detail, smooth = (np.abs(np.diff(p[40:160, 60:140], axis=1)).mean() for p in (colour, plain))
    assert detail > 1.2 * smooth
    assert cover[100, 100] == pytest.approx(1)
    shut = template.vertices(viseme({"eyeBlink": 1})[None])[0]
    before, after = (head._posed(v)[0] for v in (template.neutral(), shut))
    lashes = slice(-3 * 12 * 10, None)  # the last strands: lashes of one lid
    assert np.abs(after[lashes] - before[lashes]).max() > 0.001
