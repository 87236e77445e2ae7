"""Name what the control mesh's rings and masks found: regions and landmarks of the template."""

import logging

import numpy as np

from training import face_regions
from training.face_mesh import vertex_normals
from training.face_skin import Skin
from training.face_source import HeadSource

log = logging.getLogger(__name__)
CHIN_ACROSS = (-0.36, -0.18, 0.0, 0.18, 0.36)  # dm, places of the chin landmarks
MOUTH_REACH = 0.42  # dm around the lips that belong to the mouth region


def regions(source: HeadSource, near, rings, skin: Skin) -> dict[str, np.ndarray]:
    """Arrays region_names, region_ptr and region_index; the skin's numbers are the template's."""
    points, fields = skin.resting, skin.fields
    inner = rings[1]
    lips = np.flatnonzero(fields["lips"] > 0.5)
    middle = points[lips].mean(axis=0)
    inside = fields["inside_mouth"] > 0.4
    opening = np.linalg.norm(skin.part.shapes["jawOpen"], axis=1)
    away = np.linalg.norm((points - middle) * (0.8, 1.0, 1.0), axis=1)
    control = np.zeros(len(points), bool)  # the mouth keeps to control vertices: a third as many
    kept = skin.number[: skin.division.vertices]
    control[kept[kept >= 0]] = True
    eyes = [v for side in (-1, 1) for v in face_regions.eye_ring(source, near, side, 12)]
    front = points[:, 2] > middle[2] - 0.35
    found = {
        "lips": lips,
        "inner_lip": skin.number[inner + ring_edges(skin.division, inner)],
        "jaw": np.flatnonzero((opening > 0.3 * opening.max()) & ~inside),
        "lids": np.flatnonzero(fields["eyelids"] > 0.5),
        "upper_face": np.flatnonzero((points[:, 1] > source.positions[0][eyes, 1].min())
                                     & (fields["face"] > 0.3)),
        "mouth": np.flatnonzero((away < MOUTH_REACH) & control & ~inside & front),
    }
    for name, index in found.items():
        log.info("region %-10s %5d vertices", name, len(index))
        if not len(index) or index.min() < 0:
            raise ValueError(f"region {name} was not found")
    return {
        "region_names": np.array(list(found)),
        "region_ptr": np.cumsum([0] + [len(i) for i in found.values()]).astype(np.int32),
        "region_index": np.concatenate(list(found.values())).astype(np.int32),
    }


def ring_edges(division, ring: list[int]) -> list[int]:
    """Edge points between consecutive vertices of a closed ring."""
    between = {}
    for quad, edges in zip(division.quads.tolist(), division.quad_edges.tolist(), strict=True):
        for k in range(4):
            between[frozenset((quad[k], quad[(k + 1) % 4]))] = division.vertices + edges[k]
    return [between[frozenset(pair)] for pair in zip(ring, ring[1:] + ring[:1], strict=True)]


def landmarks(source: HeadSource, near, rings, skin: Skin) -> dict[str, np.ndarray]:
    """Arrays lip_landmarks (40,), chin_landmarks (5,), eye_corners (4,) in MediaPipe's order."""
    points = source.positions[0]
    order = []
    for ring, fractions in ((face_regions.vermilion(source, rings), face_regions.OUTER_FRACTIONS),
                            (rings[1], face_regions.INNER_FRACTIONS)):
        upper, lower = face_regions.split_ring(source, ring)
        over = face_regions.along(points, upper, fractions)
        under = face_regions.along(points, lower, fractions)
        order += over + under[-2:0:-1]
    corners = []
    for side in (-1, 1):
        ring = face_regions.eye_ring(source, near, side, 12)
        corners += [min(ring, key=lambda v: points[v, 0]), max(ring, key=lambda v: points[v, 0])]
    return {"lip_landmarks": skin.number[order].astype(np.int32),
            "chin_landmarks": chin(skin),
            "eye_corners": skin.number[corners].astype(np.int32)}


def chin(skin: Skin) -> np.ndarray:
    """MediaPipe 150, 176, 152, 400, 379 (5,): the rim of the jaw at five places across.

    There the skin turns from forward to down; x in dm as far out as the tracker has them on a
    talker, in proportion to the distance of the eyes.
    """
    points = skin.resting
    lips = points[skin.fields["lips"] > 0.5].mean(axis=0)
    normals = vertex_normals(points, skin.part.faces)
    front = (points[:, 1] < lips[1] - 0.15) & (points[:, 1] > lips[1] - 0.62)
    front &= (points[:, 2] > lips[2] - 0.42) & (skin.fields["inside_mouth"] < 0.4)
    found = []
    for x in CHIN_ACROSS:
        near = np.flatnonzero(front & (np.abs(points[:, 0] - x) < 0.06))
        outward = np.array([1.6 * x, -0.75, 0.55])
        facing = normals[near] @ (outward / np.linalg.norm(outward))
        found.append(near[np.argmax(facing - 4 * np.abs(points[near, 0] - x))])
    return np.array(found, np.int32)
