"""Where strands grow and how they fall: hair over the scalp and the bob, brows, lashes."""

import numpy as np
from scipy.ndimage import median_filter
from scipy.spatial import cKDTree

from l2t.face import FaceTemplate
from training.avatar.strands import Strands, frames_of, joined, rooted
from training.face_hair import over_line
from training.face_looks import LOOKS
from training.face_paint import brow

POINTS = 12  # of every strand
HAIRS, BROW_HAIRS, LASHES = 7500, 420, 75
SHORT = BROW_HAIRS + 4 * LASHES  # the last of all strands: brows and lashes
STEP = 0.0055  # metres between two points of a hair


def grow(template: FaceTemplate, identity: str, eyes: np.ndarray) -> Strands:
    """All strands of a head; eyes: (3,) the middle between them."""
    random = np.random.default_rng(3)
    return joined(_hair(template, identity, eyes, random), _brows(template, identity, eyes, random),
                  _lashes(template, identity, random))


def _hair(template, identity, eyes, random) -> Strands:
    """Follows the surface of the hair from near the crown down, with stray hairs over it."""
    rest, tint = template.neutral(identity), np.array(LOOKS[identity].hair) / 255
    like = np.abs(template.colors_of(identity) / 255 - tint).max(axis=1) < 0.16
    part = np.array(template.part_names)[template.parts]
    grown = over_line(10 * (rest - eyes)) > -0.04
    hairy = (part == "hair") | ((part == "skin") & like & grown)
    triangles = np.flatnonzero(hairy[template.faces].all(axis=1))
    origin, basis, size = frames_of(rest, template.faces[triangles])
    middle = eyes + np.array([0, 0.03, -0.078])
    outward = ((origin - middle) * basis[:, :, 1]).sum(axis=1) > 0.0
    outward &= basis[:, 1, 1] > -0.3  # not the cut ends of the bob
    triangles, origin, basis, size = (a[outward] for a in (triangles, origin, basis, size))
    tree = cKDTree(origin)
    seeds = random.choice(len(origin), HAIRS, p=size**2 / (size**2).sum())
    corner = random.dirichlet((1, 1, 1), HAIRS)
    points = (rest[template.faces[triangles[seeds]]] * corner[..., None]).sum(axis=1)
    lift = 0.0012 + 0.0020 * random.random(HAIRS) + 0.004 * (random.random(HAIRS) > 0.996)
    crown = middle + np.array([0.0, 0.10, -0.015])
    sway = random.normal(0, 0.10, (HAIRS, 3))
    lines = np.empty((HAIRS, POINTS, 3))
    place = points
    for i in range(POINTS):
        distance, near = tree.query(place)
        normal = basis[near][:, :, 1]
        offset = ((place - origin[near]) * normal).sum(axis=1)
        hold = (distance < 0.010)[:, None]  # beyond the edge of the hair a strand falls free
        place = place + hold * (lift - offset)[:, None] * normal
        lines[:, i] = place
        flow = 0.9 * _unit(place - crown) * (1, 0.3, 1) + np.array([0, -1.0, 0])
        flow += sway + 0.08 * np.sin(9 * i / POINTS + 40 * place)
        flow -= hold * (flow * normal).sum(axis=1, keepdims=True) * normal
        place = place + STEP * _unit(flow)
    lines[:, 1:] = np.where(_inside(lines, tree), lines[:, 1:], np.nan)
    lines = _held(lines)
    along = _unit(np.gradient(lines, axis=1))
    shine = np.clip(1 - (along @ _unit(np.array([-0.25, 0.75, 0.62]))) ** 2, 0, 1) ** 12
    tone = random.normal(1.0, 0.15, (HAIRS, 1)) + 0.06 * random.normal(size=(HAIRS, POINTS))
    warm = random.random((HAIRS, 1, 1))
    colours = tint * (tone + 1.1 * shine)[..., None] * (1 + warm * np.array((0.18, 0.07, -0.04)))
    radius = random.uniform(0.00022, 0.00050, (HAIRS, 1)) * np.linspace(1.0, 0.35, POINTS)
    flat = np.abs(lines[:, -1, 1] - lines[:, 0, 1]) < 0.5 * np.linalg.norm(
        lines[:, -1] - lines[:, 0], axis=1)
    kept = ~(flat & (lines[:, 0, 1] < eyes[1] + 0.05))  # at the bob's front edge some run across
    return rooted(lines[kept], radius[kept], np.clip(colours[kept], 0.02, 1), rest,
                  template.faces, triangles)


def _inside(lines, tree) -> np.ndarray:
    """Whether points after the first still belong to the hair: a few mm over its edge."""
    distance = tree.query(lines[:, 1:].reshape(-1, 3))[0].reshape(lines.shape[0], -1)
    return np.logical_and.accumulate(distance < 0.013, axis=1)[..., None]


def _held(lines) -> np.ndarray:
    """Where a line has ended (NaN), its last point with a hair's breadth of advance."""
    for i in range(1, lines.shape[1]):
        over = np.isnan(lines[:, i, 0])
        step = lines[over, i - 1] - lines[over, i - 2] if i > 1 else np.array([[0, -1e-3, 0]])
        lines[over, i] = lines[over, i - 1] + 0.15 * step
    return lines


def _brows(template, identity, eyes, random) -> Strands:
    """Short hairs over the painted brows, upwards at the nose, outwards at the temples."""
    rest = template.neutral(identity)
    skin = np.flatnonzero((template.parts == template.part_names.index("skin"))[template.faces]
                          .all(axis=1))
    origin, basis, size = frames_of(rest, template.faces[skin])
    weight = brow(10 * (origin - eyes)) * size**2
    chosen = random.choice(len(skin), BROW_HAIRS, p=weight / weight.sum())
    corner = random.dirichlet((1, 1, 1), BROW_HAIRS)
    start = (rest[template.faces[skin[chosen]]] * corner[..., None]).sum(axis=1)
    side = np.sign(start[:, 0] - eyes[0])
    out = np.clip((np.abs(start[:, 0] - eyes[0]) - 0.012) / 0.035, 0, 1)
    way = np.stack([side * (0.35 + 0.75 * out), 0.9 - 1.1 * out, 0 * out], axis=1)
    way = _unit(way + random.normal(0, 0.16, way.shape))
    normal = basis[chosen][:, :, 1]
    way -= 0.8 * (way * normal).sum(axis=1, keepdims=True) * normal
    t = np.linspace(0, 1, POINTS)[None, :, None]
    length = random.uniform(0.005, 0.0085, (BROW_HAIRS, 1, 1))
    rise = normal[:, None] * (0.0004 + 0.0014 * t * (1 - t))
    lines = start[:, None] + length * t * way[:, None] + rise
    tone = random.normal(0.62, 0.12, (BROW_HAIRS, 1, 1))
    colours = np.clip(np.array(LOOKS[identity].hair) / 255 * tone, 0.02, 1)
    radius = 0.00021 * np.linspace(1, 0.3, POINTS) * np.ones((BROW_HAIRS, 1))
    return rooted(lines, radius, colours * np.ones((1, POINTS, 1)), rest, template.faces, skin)


def _lashes(template, identity, random) -> Strands:
    """Rows of lashes along both lids: where the lids' skin comes nearest to the eyeball."""
    rest, sets = template.neutral(identity), []
    lids = np.zeros(len(rest), bool)
    lids[template.region("lids")] = True
    skin = np.flatnonzero(lids[template.faces].all(axis=1))
    for part in ("eye_l", "eye_r"):
        ball = rest[template.part(part)]
        centre = ball.mean(axis=0) * (1, 1, 0) + (0, 0, ball[:, 2].max() - 0.0138)
        for upper in (True, False):
            line = _lid_edge(rest[lids], centre, upper)
            sets.append(_row(line, centre, upper, random, rest, template, skin))
    return joined(*sets)


def _lid_edge(lids, centre, upper) -> np.ndarray:
    """(n, 3) the edge of a lid from left to right: its lowest, or highest, points in the front."""
    local = lids - centre
    near = local[(np.abs(local[:, 0]) < 0.0155) & (local[:, 2] > 0.002)
                 & (np.linalg.norm(local, axis=1) < 0.0185)]
    near = near[(near[:, 1] > -0.001) if upper else (near[:, 1] < 0.001)]
    bins = np.linspace(-0.0128, 0.0128, 13)
    edge = []
    for low, high in zip(bins[:-1], bins[1:], strict=True):
        there = near[(near[:, 0] >= low) & (near[:, 0] < high)]
        if len(there):
            edge.append(there[np.argmin(np.abs(there[:, 1]))])
    return median_filter(np.array(edge), size=(3, 1), mode="nearest") + centre


def _row(edge, centre, upper, random, rest, template, skin) -> Strands:
    at = np.sort(random.uniform(0.02, 0.98, LASHES)) * (len(edge) - 1)
    knots = np.arange(len(edge))
    start = np.stack([np.interp(at, knots, edge[:, i]) for i in range(3)], axis=1)
    side = np.sign(centre[0])
    fan = (start[:, 0] - centre[0]) / 0.014
    length = (0.0082 if upper else 0.0042) * (0.75 + 0.3 * fan * side) * random.uniform(
        0.8, 1.1, LASHES)
    rise = 1.0 if upper else -0.75
    way = _unit(np.stack([0.55 * fan, np.full(LASHES, 0.25 * rise), np.full(LASHES, 0.9)], axis=1)
                + random.normal(0, 0.07, (LASHES, 3)))
    t = np.linspace(0, 1, POINTS)[None, :, None]
    bend = np.array([0, rise, -0.15]) * t**2
    lines = start[:, None] + length[:, None, None] * (0.75 * t * way[:, None] + 0.75 * bend)
    radius = (0.00022 if upper else 0.00014) * np.linspace(1, 0.2, POINTS) * np.ones((LASHES, 1))
    colours = np.full((LASHES, POINTS, 3), 0.045)
    return rooted(lines, radius, colours, rest, template.faces, skin)


def _unit(vectors) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-12)
