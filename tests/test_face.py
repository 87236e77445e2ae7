"""The head: a face that is the right way round, closes its lips, and refuses broken files."""

import numpy as np
import pytest
from faces import poking, tiny_arrays, weights

from l2t.errors import FaceError
from l2t.face import CHIN_POINTS, EYE_POINTS, LIP_POINTS, REGIONS, FaceTemplate
from l2t.motion import ARKIT_NAMES

INNER_PAIRS = ((81, 178), (13, 14), (311, 402))


@pytest.fixture(scope="module")
def head() -> FaceTemplate:
    return FaceTemplate.load()


def point(head, vertices, number):
    """Position of MediaPipe's point `number`."""
    numbers = LIP_POINTS + CHIN_POINTS + EYE_POINTS
    ids = np.concatenate([head.lip_landmarks, head.chin_landmarks, head.eye_corners])
    return vertices[ids[numbers.index(number)]]


def gap(head, identity, **named) -> float:
    """Mean height in metres between the three middle pairs of the inner lips."""
    vertices = head.vertices(weights(**named)[None], identity)[0]
    return float(np.mean([point(head, vertices, a)[1] - point(head, vertices, b)[1]
                          for a, b in INNER_PAIRS]))


# The mesh


def test_it_is_a_head_in_metres(head):
    for identity in head.identities:
        neutral = head.neutral(identity)
        lips = neutral[head.lip_landmarks].mean(axis=0)
        crown = neutral[head.part("skin"), 1].max()
        assert 0.12 < crown - lips[1] < 0.25  # crown to lips
        assert neutral.dtype == np.float32


def test_up_is_y_and_the_face_looks_along_z(head):
    neutral = head.neutral(head.identities[0])
    eyes, lips = neutral[head.eye_corners], neutral[head.lip_landmarks]
    chin = neutral[head.chin_landmarks]
    assert eyes[:, 1].min() > lips[:, 1].max() > lips[:, 1].min() > chin[:, 1].max()
    assert lips[:, 2].mean() > neutral[:, 2].mean()


def test_the_eight_identities_differ(head):
    assert len(head.identities) == 8
    for i, one in enumerate(head.identities):
        for other in head.identities[:i]:
            apart = np.abs(head.neutral(one) - head.neutral(other))[head.region("jaw")]
            assert apart.max() > 0.001, (one, other)
            assert (head.colors_of(one) != head.colors_of(other)).any()


def test_triangles_fit_each_other(head):
    """No degenerate triangle, no edge used twice in one direction, no crack inside the skin."""
    faces = head.faces
    assert (faces[:, 0] != faces[:, 1]).all()
    assert (faces[:, 1] != faces[:, 2]).all()
    assert (faces[:, 2] != faces[:, 0]).all()
    assert set(np.unique(faces)) == set(range(len(head.parts)))
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(sides, axis=0)) == len(sides)
    _, first, count = np.unique(np.sort(sides, axis=1), axis=0, return_index=True,
                                return_counts=True)
    border = sides[first[count == 1]]
    border = border[head.parts[border[:, 0]] == head.part_names.index("skin")]
    following = dict(border.tolist())
    assert len(following) == len(border)  # each border vertex has one way on: closed loops
    loops, todo = 0, set(following)
    while todo:
        vertex = todo.pop()
        loops += 1
        while (vertex := following[vertex]) in todo:
            todo.remove(vertex)
    assert loops == 3  # two eye sockets and the lower end


def test_triangles_face_outwards(head):
    """Around the foremost point of every part the triangles look forward (the shirt's: up)."""
    neutral = head.neutral(head.identities[0])
    for name in head.part_names:
        ids, axis = head.part(name), 1 if name == "shirt" else 2
        foremost = ids[neutral[ids, axis] > neutral[ids, axis].max() - 1e-3]
        faces = head.faces[np.isin(head.faces, foremost).any(axis=1)]
        a, b, c = (neutral[faces[:, k]] for k in range(3))
        assert np.cross(b - a, c - a)[:, axis].sum() > 0, name


# Landmarks and regions


def test_landmarks_are_where_mediapipe_has_them(head):
    neutral = head.neutral(head.identities[0])
    assert len(set(head.lip_landmarks.tolist())) == 40

    def at(number):
        return point(head, neutral, number)

    assert at(61)[0] < -0.015 < 0.015 < at(291)[0]  # the person's right corner has x < 0
    assert at(33)[0] < at(133)[0] < 0 < at(362)[0] < at(263)[0]
    assert at(150)[0] < at(176)[0] < at(152)[0] < at(400)[0] < at(379)[0]
    upper = [at(n)[0] for n in (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)]
    lower = [at(n)[0] for n in (146, 91, 181, 84, 17, 314, 405, 321, 375)]
    assert upper == sorted(upper)
    assert lower == sorted(lower)
    assert at(0)[1] > at(13)[1] > at(17)[1]
    assert abs(at(13)[0]) < 1e-3
    assert abs(at(14)[0]) < 1e-3


def test_landmarks_mirror_each_other(head):
    neutral = head.neutral(head.identities[0])
    for right, left in ((61, 291), (40, 270), (37, 267), (91, 321), (78, 308), (81, 311),
                        (178, 402), (33, 263), (133, 362), (176, 400)):
        mirrored = point(head, neutral, left) * (-1, 1, 1)
        assert np.allclose(point(head, neutral, right), mirrored, atol=3e-4), (right, left)


def test_upper_lip_points_rise_and_lower_ones_drop(head):
    ids = head.lip_landmarks
    up = head.basis(ids)[ARKIT_NAMES.index("mouthUpperUpLeft")][:, 1]
    down = head.basis(ids)[ARKIT_NAMES.index("mouthLowerDownLeft")][:, 1]
    numbers = np.array(LIP_POINTS)
    assert up[np.isin(numbers, (0, 267, 269, 312, 311))].min() > 5e-4
    assert down[np.isin(numbers, (17, 314, 405, 317, 402))].max() < -5e-4


@pytest.mark.parametrize("name", REGIONS)
def test_regions_are_sets_of_skin_vertices(head, name):
    region = head.region(name)
    assert len(region) == len(set(region.tolist())) > 30
    assert (head.parts[region] == head.part_names.index("skin")).all()


def test_regions_move_with_what_they_are_named_after(head):
    travel = np.linalg.norm(head.basis(), axis=2)

    def answer(shape, region):
        return travel[ARKIT_NAMES.index(shape), head.region(region)]

    assert answer("jawOpen", "jaw").min() > 0.005
    assert answer("eyeBlinkLeft", "lids").max() > 0.008
    assert answer("browInnerUp", "upper_face").max() > 0.003
    assert answer("jawOpen", "upper_face").max() < 0.003
    assert set(head.region("inner_lip")) <= set(head.region("lips"))
    assert set(head.lip_landmarks) <= set(head.region("mouth"))


def test_unknown_names_are_refused_with_what_exists(head):
    for ask in (lambda: head.region("nose"), lambda: head.neutral("nobody"),
                lambda: head.part("wig"), lambda: head.colors_of("nobody")):
        with pytest.raises(FaceError, match="there are .*, .*") as caught:
            ask()
        assert caught.value.args[0].count(".") == 1


# The linear map


def test_vertices_are_neutral_plus_weighted_shapes(head):
    """Naive oracle: one vertex at a time, one shape at a time."""
    random = np.random.default_rng(1)
    arkit = random.random((3, 52)).astype(np.float32)
    ids = random.choice(len(head.parts), 40, replace=False)
    identity = head.identities[3]
    made = head.vertices(arkit, identity)
    basis, neutral = head.basis(), head.neutral(identity)
    for frame in range(3):
        for vertex in ids:
            wanted = neutral[vertex].astype(float)
            for shape in range(52):
                wanted = wanted + float(arkit[frame, shape]) * basis[shape, vertex]
            assert np.allclose(made[frame, vertex], wanted, atol=2e-6)


def test_some_vertices_are_the_same_as_all_of_them(head):
    arkit = np.random.default_rng(2).random((4, 52)).astype(np.float32)
    ids = head.region("mouth")
    some = head.vertices(arkit, head.identities[1], ids)
    assert np.allclose(some, head.vertices(arkit, head.identities[1])[:, ids], atol=1e-6)
    assert np.array_equal(head.basis(ids), head.basis()[:, ids])


def test_no_frames_no_vertices_and_wrong_widths(head):
    assert head.vertices(np.zeros((0, 52))).shape == (0, len(head.parts), 3)
    assert head.vertices(np.zeros((2, 52)), ids=np.array([], int)).shape == (2, 0, 3)
    with pytest.raises(FaceError, match="51"):
        head.vertices(np.zeros((2, 51)))
    with pytest.raises(FaceError, match="52"):
        head.vertices(np.zeros(52))


# What the face does


@pytest.mark.parametrize("identity", range(8))
def test_lips_meet_at_rest_part_with_the_jaw_and_close_on_it(head, identity):
    name = head.identities[identity]
    assert abs(gap(head, name)) < 0.0015
    assert gap(head, name, jawOpen=0.7) > 0.015
    assert gap(head, name, jawOpen=0.4, mouthClose=0.4) < 0.0015
    assert gap(head, name, mouthUpperUp=0.8, mouthLowerDown=0.8) > 0.005


def test_lower_teeth_follow_the_jaw_and_upper_ones_stay(head):
    travel = head.basis()
    assert not travel[:, head.part("teeth_upper")].any()
    assert not travel[:, head.part("gums_upper")].any()
    lower = travel[ARKIT_NAMES.index("jawOpen"), head.part("teeth_lower")]
    assert lower[:, 1].max() < -0.008
    still = [n for n in ARKIT_NAMES if not n.startswith("jaw")]
    others = travel[[ARKIT_NAMES.index(n) for n in still]][:, head.part("teeth_lower")]
    assert np.abs(others).max() < 0.001


POSES = {
    "jaw": {"jawOpen": 1.0},
    "closed jaw": {"jawOpen": 0.4, "mouthClose": 0.4},
    "teeth": {"mouthUpperUp": 0.8, "mouthLowerDown": 0.8},
    "ee": {"jawOpen": 0.15, "mouthStretch": 0.6, "mouthSmile": 0.4},
    "oo": {"jawOpen": 0.15, "mouthPucker": 1.0},
    "oh": {"jawOpen": 0.3, "mouthFunnel": 0.9},
    "f": {"jawOpen": 0.1, "mouthRollLower": 0.6, "mouthUpperUp": 0.4},
    "rolled": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "press": {"mouthPress": 1.0, "mouthRollLower": 0.4, "mouthRollUpper": 0.3},
    "pressed and puckered": {"mouthPress": 0.6, "mouthPucker": 0.6, "mouthShrugLower": 0.4},
}


@pytest.mark.parametrize("identity", range(8))
def test_teeth_and_tongue_stay_behind_the_lips(head, identity):
    ids = np.concatenate([head.part(p)[::3] for p in
                          ("teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue")])
    rows = np.stack([weights(**pose) for pose in POSES.values()])
    for name, vertices in zip(POSES, head.vertices(rows, head.identities[identity]), strict=True):
        front = ids[vertices[ids, 2] > vertices[ids, 2].max() - 0.022]
        assert poking(head, vertices, front) == 0, name


def test_a_tooth_that_pokes_out_is_noticed(head):
    vertices = head.neutral(head.identities[0]).copy()
    teeth = head.part("teeth_upper")
    vertices[teeth, 2] += 0.022
    assert poking(head, vertices, teeth[::3]) > 0


@pytest.mark.parametrize(("side", "part", "nose"), [("Left", "eye_l", -1), ("Right", "eye_r", 1)])
def test_eyes_turn_about_their_middle(head, side, part, nose):
    ids = head.part(part)
    neutral = head.neutral(head.identities[0])[ids]
    pole = neutral[:, 2].argmax()
    ways = {"In": (nose, 0), "Out": (-nose, 0), "Up": (0, 1), "Down": (0, -1)}
    for way, (x, y) in ways.items():
        moved = head.basis(ids)[ARKIT_NAMES.index(f"eyeLook{way}{side}")]
        assert moved[pole, 0] * x >= 0
        assert moved[pole, 1] * y >= 0
        assert np.hypot(moved[pole, 0], moved[pole, 1]) > 0.003
        turned = neutral + moved  # the distance between points of a rigid eye stays
        before = np.linalg.norm(neutral - neutral[pole], axis=1)
        after = np.linalg.norm(turned - turned[pole], axis=1)
        assert np.allclose(before, after, atol=2e-5)


def test_lids_cover_the_eyes_in_a_blink(head):
    """The upper lid's margin comes down to the lower one's within two millimetres."""
    for identity in head.identities:
        for blink, most, least in ((0.0, 1.0, 0.004), (0.9, 0.003, -0.01)):
            vertices = head.vertices(weights(eyeBlink=blink)[None], identity)[0]
            iris = vertices[head.part("eye_l")][:, :2]
            lids = vertices[head.region("lids")]
            centre = iris.mean(axis=0)
            near = lids[(np.abs(lids[:, 0] - centre[0]) < 0.004)]
            rest = head.basis(head.region("lids"))[ARKIT_NAMES.index("eyeBlinkLeft"), :, 1]
            rest = rest[np.abs(lids[:, 0] - centre[0]) < 0.004]
            upper = near[rest < -0.006, 1].min()
            lower = near[np.abs(rest) < 0.0035, 1].max()
            assert least < upper - lower < most, (identity, blink)


# Files


def saved(tmp_path, arrays):
    path = tmp_path / "face.npz"
    np.savez(path, **arrays)
    return path


def test_any_topology_loads_that_follows_the_schema(tmp_path):
    face = FaceTemplate.load(saved(tmp_path, tiny_arrays()))
    assert face.identities == ("only",)
    lowered = face.vertices(weights(jawOpen=0.5)[None])[0] - face.neutral("only")
    assert np.allclose(lowered[4], (0, -0.01, 0))
    assert np.abs(np.delete(lowered, 4, axis=0)).max() < 1e-7


def test_shapes_may_stand_in_any_order(tmp_path):
    arrays = tiny_arrays()
    arrays["shape_names"] = arrays["shape_names"][::-1]
    face = FaceTemplate.load(saved(tmp_path, arrays))
    moved = arrays["shape_names"][np.flatnonzero(np.diff(arrays["shape_ptr"]))[0]]
    assert face.basis()[ARKIT_NAMES.index(moved), 4, 1] == pytest.approx(-0.02)


def broken(**changes):
    return lambda arrays: arrays | {k: v(arrays[k]) for k, v in changes.items()}


BROKEN = {
    "without faces": lambda a: {k: v for k, v in a.items() if k != "faces"},
    "with a NaN": broken(neutral=lambda v: v * np.nan),
    "with an infinite shape": broken(shape_delta=lambda v: v / 0),
    "with a face beyond the vertices": broken(faces=lambda v: v + 3),
    "with a negative vertex": broken(lip_landmarks=lambda v: v - 1),
    "with too few landmarks": broken(lip_landmarks=lambda v: v[:39]),
    "with real-valued faces": broken(faces=lambda v: v.astype(float)),
    "with flat vertices": broken(neutral=lambda v: v[0]),
    "with colours for other vertices": broken(colors=lambda v: v[:, :5]),
    "with a part that has no name": broken(part=lambda v: v + 1),
    "with 51 shapes": broken(shape_names=lambda v: v[:51]),
    "with a foreign shape": broken(shape_names=lambda v: np.array(["smirk", *v[1:]])),
    "with a pointer that falls": broken(shape_ptr=lambda v: v[::-1]),
    "with a pointer that overruns": broken(region_ptr=lambda v: v + np.eye(7, dtype=int)[6]),
    "without the lips": broken(region_names=lambda v: np.array(["beard", *v[1:]])),
    "in kilometres": broken(neutral=lambda v: v * 1e4),
    "of one point": broken(neutral=lambda v: v * 0),
    "without identities": broken(identities=lambda v: v[:0], neutral=lambda v: v[:0],
                                 colors=lambda v: v[:0]),
    "with pickled objects": broken(part_names=lambda v: np.array([object()])),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_refused_in_one_sentence(tmp_path, name):
    with pytest.raises(FaceError) as caught:
        FaceTemplate.load(saved(tmp_path, BROKEN[name](tiny_arrays())))
    message = caught.value.args[0]
    assert message.endswith(".")
    assert str(tmp_path) not in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "face.npz"
    path.write_bytes(content)
    with pytest.raises(FaceError, match=r"face\.npz"):
        FaceTemplate.load(path)


def test_a_template_cut_short_or_damaged_is_refused(tmp_path):
    whole = saved(tmp_path, tiny_arrays()).read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FaceError):
        FaceTemplate.load(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 64 + whole[middle + 64:])
    with pytest.raises(FaceError):
        FaceTemplate.load(path)


def test_a_missing_template_is_named_without_its_folder(tmp_path):
    with pytest.raises(FaceError, match=r"'nowhere\.npz' does not exist") as caught:
        FaceTemplate.load(tmp_path / "nowhere.npz")
    assert str(tmp_path) not in caught.value.args[0]
