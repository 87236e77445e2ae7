"""How the head is made: subdivision, rings, spheres and contours against slow, plain versions."""

import numpy as np
import pytest

from training.face_extract import read_obj, read_target
from training.face_hair import STYLES, growth, over_line
from training.face_looks import LOOKS
from training.face_mesh import bend, catmull_clark, vertex_normals
from training.face_parts import GAZE, affine, eye, fit_sphere, rotation
from training.face_regions import adjacency, along, walk
from training.face_seal import lip_sides, sealed, slit_width
from training.face_shirt import contour
from training.face_source import symmetric
from training.face_teeth import (
    LOWER_HEIGHTS,
    LOWER_WIDTHS,
    UPPER_HEIGHTS,
    UPPER_WIDTHS,
    Arch,
    crowns,
)
from training.face_tress import tress, tress_faces

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4],
                       [1, 5, 7, 3]])


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and quads of a flat sheet, normals along +z."""
    points = np.array([[c, r, 0] for r in range(rows + 1) for c in range(columns + 1)], float)
    quads = [[r * (columns + 1) + c, r * (columns + 1) + c + 1,
              (r + 1) * (columns + 1) + c + 1, (r + 1) * (columns + 1) + c]
             for r in range(rows) for c in range(columns)]
    return points, np.array(quads)


def open_sides(faces) -> set[tuple[int, int]]:
    """Directed sides of triangles that no neighbour uses in the other direction."""
    sides = {(int(f[k]), int(f[(k + 1) % 3])) for f in faces for k in range(3)}
    assert len(sides) == 3 * len(faces)
    return {(a, b) for a, b in sides if (b, a) not in sides}


# Catmull-Clark


def test_one_step_on_a_cube_gives_the_known_numbers():
    """Face points at 1, edge points at 3/4 and corners at 5/9 of the cube's half side."""
    division = catmull_clark(CUBE_QUADS, 8)
    fine = division.operator @ CUBE
    assert np.allclose(np.abs(fine[:8]), 5 / 9)
    edges = np.sort(np.abs(fine[8:20]), axis=1)
    assert np.allclose(edges, (0, 0.75, 0.75))
    assert np.allclose(np.sort(np.abs(fine[20:]), axis=1), (0, 0, 1))


def test_the_operator_keeps_what_is_affine():
    points, quads = grid(4, 5)
    division = catmull_clark(quads, len(points))
    assert np.allclose(division.operator.sum(axis=1), 1)
    fine = division.operator @ points
    assert np.allclose(fine[:, 2], 0)
    inner = 7  # a regular inner vertex of a flat sheet stays where it is
    assert np.allclose(fine[inner], points[inner])
    assert np.allclose(bend(division, points)[5:7], 0)


def test_a_border_follows_its_own_rule():
    points, quads = grid(1, 3)
    points[1, 1] = -0.8
    fine = catmull_clark(quads, len(points)).operator @ points
    assert np.allclose(fine[1], 0.125 * points[0] + 0.75 * points[1] + 0.125 * points[2])


@pytest.mark.parametrize("seed", range(6))
def test_refining_only_some_quads_leaves_no_cracks(seed):
    points, quads = grid(5, 6)
    division = catmull_clark(quads, len(points))
    random = np.random.default_rng(seed)
    refined = random.random(len(quads)) < 0.4
    faces = division.triangles(refined, np.ones(len(quads), bool))
    fine = division.operator @ points
    rim = open_sides(faces)
    on_rim = fine[[a for a, _ in rim]]
    border = ((np.abs(on_rim[:, 0] - 3) > 2.6) | (np.abs(on_rim[:, 1] - 2.5) > 2.1))
    assert border.all()
    across = vertex_normals(fine, faces)[np.unique(faces)]
    assert (across[:, 2] > 0.99).all()


def test_quads_left_out_leave_a_hole():
    points, quads = grid(3, 3)
    division = catmull_clark(quads, len(points))
    kept = np.arange(9) != 4
    everything = division.triangles(np.zeros(9, bool), np.ones(9, bool))
    assert len(everything) == 18
    assert len(division.triangles(np.zeros(9, bool), kept)) == 16


# Rings and places along them


def test_a_ring_is_walked_in_order_and_a_broken_one_refused():
    _, quads = grid(2, 2)
    near = adjacency(quads)
    ring = walk({0, 1, 2, 5, 8, 7, 6, 3}, near.edge)
    assert ring in ([0, 1, 2, 5, 8, 7, 6, 3], [0, 3, 6, 7, 8, 5, 2, 1])
    with pytest.raises(ValueError, match="not a closed ring"):
        walk({0, 1, 2, 5}, near.edge)


def test_places_along_a_line_are_nearest_by_length():
    points = np.array([[0, 0, 0], [1, 0, 0], [4, 0, 0], [9, 0, 0], [10, 0, 0]], float)
    assert along(points, [0, 1, 2, 3, 4], (0.0, 0.12, 0.5)) == [0, 1, 2, 3, 4]


def test_a_mask_becomes_symmetric():
    points = np.array([[-1, 0, 0], [1, 0, 0], [0, 2, 0]], float)
    assert np.allclose(symmetric(np.array([1.0, 0.0, 0.5]), points), (0.5, 0.5, 0.5))


# Eyes


def test_the_sphere_through_points_of_a_sphere():
    random = np.random.default_rng(1)
    away = random.normal(size=(50, 3))
    points = np.array([1, 2, 3]) + 0.7 * away / np.linalg.norm(away, axis=1, keepdims=True)
    centre, radius = fit_sphere(points)
    assert np.allclose(centre, (1, 2, 3))
    assert radius == pytest.approx(0.7)


def test_a_whole_weight_turns_the_eye_by_the_gaze_angle():
    made = eye("Left", np.zeros((1, 3)), np.ones(1))
    front = made.positions[0, 0]
    for way, angle in GAZE.items():
        turned = front + made.shapes[f"eyeLook{way}Left"][0]
        assert np.arccos(turned @ front) == pytest.approx(angle)
    assert (front + made.shapes["eyeLookInLeft"][0])[0] < 0
    assert (front + made.shapes["eyeLookUpLeft"][0])[1] > 0
    assert np.allclose(rotation(0.3, -0.2) @ rotation(0.3, -0.2).T, np.eye(3))


def test_the_affine_map_is_found_again():
    random = np.random.default_rng(2)
    points, matrix = random.normal(size=(30, 3)), random.normal(size=(4, 3))
    assert np.allclose(affine(points, np.c_[points, np.ones(30)] @ matrix), matrix)


# Lips, teeth, hair, shirt


def test_a_slit_between_two_lips_is_closed():
    x = np.linspace(-0.2, 0.2, 41)
    arch = 0.012 * np.cos(x * 7)
    upper, lower = np.c_[x, arch, 0 * x], np.c_[x, -arch, 0 * x]
    points = np.concatenate([upper, lower, [[0, 1.0, 0]]])
    up, low = np.arange(41), np.arange(41, 82)
    opened = points - np.r_[np.zeros(41), np.ones(41), 0][:, None] * (0, 0.3, 0)
    sides = lip_sides(opened, up, low)
    assert (sides[up] == 1).all()
    assert (sides[low] == -1).all()
    assert slit_width(points, up, low) > 0.02
    closed = sealed(points, up, low, sides)
    assert slit_width(closed, up, low) < 0.002
    assert np.array_equal(closed[-1], points[-1])  # far from the lips nothing moves


@pytest.mark.parametrize(("down", "widths", "heights"), [
    (-1, UPPER_WIDTHS, UPPER_HEIGHTS), (1, LOWER_WIDTHS, LOWER_HEIGHTS)])
def test_crowns_are_fourteen_closed_caps_the_right_way_out(down, widths, heights):
    arch = Arch(width=0.3, depth=0.42, back=0.9, edge=6.2, down=down)
    points, faces = crowns(arch, widths, heights)
    assert len(points) % 14 == 0
    roots = open_sides(faces)
    assert len(roots) == 14 * 8  # only the eight sides at the root, inside the gum, are open
    assert (down * (points[:, 1] - arch.edge)).max() < 0.01
    each = len(points) // 14
    for k in range(14):
        own = points[k * each:(k + 1) * each]
        mine = faces[faces[:, 0] // each == k]
        a, b, c = (points[mine[:, i]] - own.mean(axis=0) for i in range(3))
        assert (a * np.cross(b, c)).sum() > 0


def test_the_neckline_is_traced_once_around():
    """On a tube the contour of height 0.4 is one closed line at that height."""
    steps = 24
    turn = np.arange(steps) * 2 * np.pi / steps
    points = np.concatenate([np.c_[np.cos(turn), np.full(steps, y), np.sin(turn)]
                             for y in range(4)])
    faces = []
    for row in range(3):
        for k in range(steps):
            a, b = row * steps + k, row * steps + (k + 1) % steps
            faces += [(a, b, b + steps), (a, b + steps, a + steps)]
    ends, share = contour(np.array(faces), points[:, 1] - 0.4)
    line = points[ends[:, 0]] * (1 - share[:, None]) + points[ends[:, 1]] * share[:, None]
    assert np.allclose(line[:, 1], 0.4)
    assert len(line) == 2 * steps
    gaps = np.linalg.norm(np.diff(line, axis=0, append=line[:1]), axis=1)
    assert gaps.max() < 2 * np.pi / steps


def test_hair_grows_on_the_crown_and_not_in_the_face():
    crown, forehead, cheek, nape = points = np.array(
        [[0, 1.0, -0.7], [0, 0.4, 0.05], [0.5, -0.4, -0.3], [0, -0.2, -1.6]])
    assert np.allclose(growth(points, np.zeros(4)), (1, 0, 0, 1))
    assert np.allclose(growth(points, np.ones(4)), 0)  # never on the ears
    assert over_line(crown[None]) > 0 > over_line(cheek[None])
    assert over_line(forehead[None]) < 0 < over_line(nape[None])


@pytest.mark.parametrize("name", STYLES)
def test_hanging_hair_is_closed_and_the_right_way_out(name):
    points, faces = tress(STYLES[name]), tress_faces()
    assert not open_sides(faces)
    assert set(np.unique(faces)) == set(range(len(points)))
    a, b, c = (points[faces[:, k]] - points.mean(axis=0) for k in range(3))
    assert (a * np.cross(b, c)).sum() > 0
    assert name in LOOKS


# MakeHuman's files


def test_an_obj_keeps_the_heads_groups_only():
    text = ("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 1\ng body\nf 1/1 2/2 3/1 4/2\n"
            "g joint-head\nf 1/1 2/1 3/1 4/1\ng helper-tongue\nf 4/1 3/1 2/1 1/2\n")
    vertices, uv, quads, quads_uv, group = read_obj(text)
    assert len(vertices) == 4
    assert len(uv) == 2
    assert quads.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    assert quads_uv.tolist() == [[0, 1, 0, 1], [0, 0, 0, 1]]
    assert group.tolist() == [0, 8]


def test_a_target_names_vertices_and_leaves_the_rest():
    moved = read_target("# basemesh hm08\n2 0.5 -.25 1\n0 0 0 .125\n", 3)
    assert moved.tolist() == [[0, 0, 0.125], [0, 0, 0], [0.5, -0.25, 1]]
