"""Find the regions and landmarks of the head on its control mesh, from masks and shapes alone.

Control vertices keep their numbers in the fine mesh (they come first), so what is found here
holds there; rings grow by the edge points between their members.
"""

from dataclasses import dataclass

import numpy as np

from training.face_source import HeadSource

# Arc-length fractions from the person's right mouth corner to the middle of the lip, measured on
# MediaPipe's lip points over a tracked talker (they crowd towards the corners); mirrored beyond.
OUTER_FRACTIONS = (0.0, 0.062, 0.136, 0.239, 0.367, 0.5)
INNER_FRACTIONS = (0.0, 0.082, 0.156, 0.258, 0.370, 0.5)


@dataclass(frozen=True)
class Adjacency:
    """Vertex neighbours on the body's quads: along edges, and also across the quads."""

    edge: dict[int, set[int]]
    face: dict[int, set[int]]


def adjacency(quads: np.ndarray) -> Adjacency:
    """Neighbours of every vertex that `quads` (Q, 4) uses."""
    edge: dict[int, set[int]] = {}
    face: dict[int, set[int]] = {}
    for quad in quads.tolist():
        for k, vertex in enumerate(quad):
            edge.setdefault(vertex, set()).update((quad[k - 1], quad[(k + 1) % 4]))
            face.setdefault(vertex, set()).update(quad)
    return Adjacency(edge, face)


def walk(ring: set[int], neighbours: dict[int, set[int]]) -> list[int]:
    """The members of a closed ring of vertices in order."""
    path = [min(ring)]
    seen = {path[0]}
    while True:
        onward = [v for v in sorted(neighbours[path[-1]]) if v in ring and v not in seen]
        if not onward:
            break
        path.append(onward[0])
        seen.add(onward[0])
    if len(path) != len(ring) or path[0] not in neighbours[path[-1]]:
        raise ValueError(f"not a closed ring: {len(path)} of {len(ring)} vertices in a row")
    return path


def lip_rings(source: HeadSource, near: Adjacency) -> list[list[int]]:
    """Rings of the lips from the wet line outwards, each in order (walked, 38 vertices).

    Ring 0 is where the lips mask meets the inside of the mouth; ring k + 1 follows ring k edge by
    edge ("spokes"), so entry i of every ring lies on the same spoke.
    """
    lips, inside = source.masks["lips"] > 0.5, source.masks["inside_mouth"] > 0.5
    first = walk({int(v) for v in np.flatnonzero(lips & inside)}, near.edge)
    rings, seen = [first], set(first) | {int(v) for v in np.flatnonzero(inside)}
    while True:
        following = [[v for v in near.edge[s] if v not in seen] for s in rings[-1]]
        if any(len(v) != 1 for v in following):
            break
        ring = [v[0] for v in following]
        if len(set(ring)) != len(ring) or not (source.masks["lips"][ring] > 0.02).any():
            break
        rings.append(ring)
        seen.update(ring)
    return rings


def vermilion(source: HeadSource, rings: list[list[int]]) -> list[int]:
    """The outermost vertex of each spoke that still belongs to the lips."""
    mask = source.masks["lips"]
    return [[r[i] for r in rings if mask[r[i]] > 0.5][-1] for i in range(len(rings[0]))]


def split_ring(source: HeadSource, ring: list[int]) -> tuple[list[int], list[int]]:
    """(upper, lower) halves of a ring around the mouth, each from right corner to left corner.

    The corners are the vertices farthest to either side; the half that answers mouthUpperUp more
    than mouthLowerDown is the upper one (jawOpen would mislead: it drags the upper lip too).
    """
    x = source.positions[0][ring, 0]
    start, end = int(np.argmin(x)), int(np.argmax(x))
    turned = ring[start:] + ring[:start]
    stop = (end - start) % len(ring)
    halves = [turned[: stop + 1], [turned[0], *turned[stop:][::-1]]]
    shapes = source.shapes
    up = shapes["mouthUpperUpLeft"] + shapes["mouthUpperUpRight"]
    down = shapes["mouthLowerDownLeft"] + shapes["mouthLowerDownRight"]
    answer = [np.abs(up[h]).sum() - np.abs(down[h]).sum() for h in halves]
    upper = int(np.argmax(answer))
    return halves[upper], halves[1 - upper]


def along(points: np.ndarray, half: list[int], fractions) -> list[int]:
    """Vertices of `half` nearest to the arc-length fractions, given for one side and mirrored."""
    steps = np.linalg.norm(np.diff(points[half], axis=0), axis=1)
    place = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    wanted = [*fractions, *(1 - f for f in reversed(fractions[:-1]))]
    return [half[int(np.abs(place - w).argmin())] for w in wanted]


def eye_ring(source: HeadSource, near: Adjacency, side: int, depth: int) -> list[int]:
    """Vertices `depth` rings away from the pole of the eye socket (side +1 = person's left).

    Ring 11 is the inner edge of the lids, 12 their margin, 13 and beyond the lids' skin.
    """
    eye = source.positions[0][source.vertices_of("helper-l-eye" if side > 0 else "helper-r-eye")]
    body = source.vertices_of("body")
    distance = np.linalg.norm(source.positions[0][body] - eye.mean(axis=0), axis=1)
    socket = body[distance < 0.2]
    frontier = {int(socket[source.positions[0][socket, 2].argmin()])}
    seen = set(frontier)
    for _ in range(depth):
        frontier = {b for a in frontier for b in near.face[a]} - seen
        seen |= frontier
    return sorted(frontier)
