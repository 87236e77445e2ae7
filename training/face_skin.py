"""The skin: the subdivided body mesh, cropped at the neck, lips sealed, hair raised."""

from dataclasses import dataclass

import numpy as np

from training import face_hair, face_regions, face_seal, face_shirt
from training.face_mesh import Subdivision, bend, catmull_clark, vertex_normals
from training.face_paint import smooth
from training.face_parts import Part, fit_sphere
from training.face_source import HeadSource

NECK = 2.15  # dm under the eyes where the bust ends
SHOULDER = 1.55  # dm to either side where it ends
FLAT = 0.0042  # dm: quads that bend less stay coarse
Spheres = dict[str, tuple[np.ndarray, np.ndarray]]  # side -> centres (I, 3), radii (I,) in dm


@dataclass(frozen=True)
class Skin:
    """The part and what is known on its vertices.

    part: positions (I, n, 3) dm, final; resting (n, 3): first identity before lips and hair were
    touched (regions are found there); local (n, 3): `resting` from the middle of the eyes;
    fields: name -> (n,) masks; number: fine vertex of `division` -> vertex of the part, -1 if
    unused; hair: identity -> (n,) 0..1.
    """

    part: Part
    resting: np.ndarray
    local: np.ndarray
    fields: dict[str, np.ndarray]
    number: np.ndarray
    division: Subdivision
    hair: dict[str, np.ndarray]


def eye_spheres(source: HeadSource, near) -> Spheres:
    """Eyeballs just behind the lids: centres from the helper eyes, radii from the lids' rings."""
    spheres = {}
    for side, helper, sign in (("Left", "helper-l-eye", 1), ("Right", "helper-r-eye", -1)):
        own = source.vertices_of(helper)
        margin = [v for d in (10, 11, 12) for v in face_regions.eye_ring(source, near, sign, d)]
        centres = np.array([fit_sphere(p[own])[0] for p in source.positions])
        gaps = np.linalg.norm(source.positions[:, margin] - centres[:, None], axis=2)
        spheres[side] = (centres, np.quantile(gaps, 0.25, axis=1))
    return spheres


def build_skin(source: HeadSource, near, rings, spheres: Spheres) -> Skin:
    """Everything about the skin in one go."""
    quads = source.quads[source.groups["body"]]
    division = catmull_clark(quads, source.positions.shape[1])
    eyes = (spheres["Left"][0] + spheres["Right"][0]) / 2
    gone = _behind_eyes(source, quads, spheres) | _under_neck(source, quads, eyes)
    local = source.positions[0] - eyes[0]
    refined = _worth_refining(source, division, rings, local) & ~gone
    faces = division.triangles(refined, ~gone)
    used = np.unique(faces)
    number = np.full(division.operator.shape[0], -1)
    number[used] = np.arange(len(used))
    operator = division.operator[used]
    fields = {name: operator @ mask for name, mask in source.masks.items()}
    fields |= {name: operator @ mask for name, mask in _painted(source, near, rings).items()}
    shapes = {name: operator @ shape for name, shape in source.shapes.items()}
    raw = np.stack([operator @ p for p in source.positions])
    faces = number[faces]
    local = raw[0] - eyes[0]
    positions = _sealed(source, rings, number, raw, shapes["jawOpen"])
    positions, hair = _with_hair(source, positions, faces, local, fields["ears"])
    _end_at_neck(positions, faces, eyes)
    return Skin(Part("skin", positions, faces, shapes), raw[0], local, fields, number, division,
                hair)


def _behind_eyes(source, quads, spheres) -> np.ndarray:
    """Quads of the eye sockets that an eyeball hides, (Q,) bool."""
    middle = source.positions[0][quads].mean(axis=1)
    hidden = np.zeros(len(quads), bool)
    for centres, radii in spheres.values():
        away = middle - centres[0]
        hidden |= (np.linalg.norm(away, axis=1) < 1.3 * radii[0]) & (away[:, 2] < 0.03)
    return hidden


def _under_neck(source, quads, eyes) -> np.ndarray:
    corner = source.positions[0][quads] - eyes[0]
    return (corner[..., 1] < -NECK).all(axis=1) | (np.abs(corner[..., 0]) > SHOULDER).all(axis=1)


def _end_at_neck(positions, faces, eyes) -> None:
    """Bring the border of every identity's bust onto three planes, in place."""
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, count = np.unique(sides, axis=0, return_counts=True)
    border = np.unique(edges[count == 1])
    plane = eyes[:, 1] - NECK
    x = positions[0, border, 0]
    low = border[positions[0, border, 1] < plane[0] + 0.25]
    wide = border[(np.abs(x) > SHOULDER - 0.25)]
    positions[:, low, 1] = plane[:, None]
    positions[:, wide, 0] = SHOULDER * np.sign(positions[0, wide, 0])
    np.maximum(positions[:, :, 1], plane[:, None], out=positions[:, :, 1])
    np.clip(positions[:, :, 0], -SHOULDER, SHOULDER, out=positions[:, :, 0])


def _worth_refining(source, division, rings, local) -> np.ndarray:
    """Quads that are seen, and curved or coloured finer than the control mesh, (Q,) bool."""
    quads = division.quads
    first = source.positions[0]
    mask = {n: m[quads].mean(axis=1) for n, m in source.masks.items()}
    sides = np.linalg.norm(first[quads] - first[np.roll(quads, 1, axis=1)], axis=2).mean(axis=1)
    inside = mask["inside_mouth"] > 0.5
    lines = np.stack([face_hair.over_line(local), face_hair.over_line(local, receded=True),
                      face_shirt.under_neckline(local)])[:, quads]
    border = ((lines.min(axis=2) < 0.07) & (lines.max(axis=2) > -0.07)).any(axis=0)
    refined = (bend(division, first) > FLAT) | (mask["lips"] > 0.02)
    refined |= (mask["face"] > 0.3) & (sides > 0.042)
    refined |= border & (mask["ears"] < 0.3) & (sides > 0.05)
    return (refined & ~inside) | np.isin(quads, rings[0]).any(axis=1)


def _painted(source, near, rings) -> dict[str, np.ndarray]:
    """Fields that only colours need: `lash` on the lid margins, `wet` where the lips meet."""
    count = source.positions.shape[1]
    lash, wet = np.zeros(count), np.zeros(count)
    for side in (-1, 1):
        for depth, upper, lower in ((12, 1.0, 0.55), (13, 1.0, 0.3), (14, 0.5, 0.0)):
            ring = np.array(face_regions.eye_ring(source, near, side, depth))
            x, y = source.positions[0][ring, 0], source.positions[0][ring, 1]
            left, right = np.argmin(x), np.argmax(x)
            line = np.interp(x, x[[left, right]], y[[left, right]])
            lash[ring] = np.maximum(lash[ring], np.where(y >= line - 1e-4, upper, lower))
    for ring, strength in zip(rings[:3], (1.0, 0.9, 0.25), strict=True):
        wet[ring] = strength
    return {"lash": lash, "wet": wet}


def _sealed(source, rings, number, raw, jaw_open) -> np.ndarray:
    halves = [face_regions.split_ring(source, ring) for ring in rings[:3]]
    upper = number[np.concatenate([h[0] for h in halves])]
    lower = number[np.concatenate([h[1] for h in halves])]
    sides = face_seal.lip_sides(raw[0] + jaw_open, upper, lower)
    once = [face_seal.sealed(p, upper, lower, sides) for p in raw]
    return np.stack([face_seal.sealed(p, upper, lower, sides) for p in once])


def _with_hair(source, positions, faces, local, ears):
    """Positions raised along their normals where hair grows, and identity -> growth."""
    hair, out = {}, []
    for name, points in zip(source.identities, positions, strict=True):
        style = face_hair.STYLES.get(name, face_hair.DEFAULT_STYLE)
        hair[name] = face_hair.growth(local, ears, style.receded)
        rise = face_hair.stand_off(local, hair[name], style)
        rise += face_shirt.CLOTH * smooth(face_shirt.under_neckline(local), -0.01, 0.05)
        out.append(points + rise[:, None] * vertex_normals(points, faces))
    return np.stack(out), hair
