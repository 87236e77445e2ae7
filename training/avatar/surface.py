"""The template's mesh cut four times finer along each edge, so that a vertex is about a pixel."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.ndimage import map_coordinates

from l2t.face import FaceTemplate

ROUNDS = 2  # each halves every edge


@dataclass(frozen=True, eq=False)
class Surface:
    """operator: (n, V) sparse, fine values from those of the template's vertices.

    faces: (f, 3) int32; rest: (n, 3) metres; parts: (n,) uint8 into the template's part_names;
    eyes: (3,) metres, the middle between the eyes.
    """

    operator: sparse.csr_matrix
    faces: np.ndarray
    rest: np.ndarray
    parts: np.ndarray
    eyes: np.ndarray

    @property
    def local(self) -> np.ndarray:
        """(n, 3) dm from the middle of the eyes: the frame in which faces are painted."""
        return 10 * (self.rest - self.eyes)


def subdivide(faces: np.ndarray, vertices: int, rounds: int = ROUNDS):
    """Each triangle into four at the middles of its edges, `rounds` times.

    Returns (operator (n, V) sparse, faces (f, 3) int32); the first V fine vertices are the old.
    """
    operator = sparse.identity(vertices, format="csr", dtype=np.float32)
    for _ in range(rounds):
        corners = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
        ends, number = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True)
        middle = (operator[ends[:, 0]] + operator[ends[:, 1]]) * np.float32(0.5)
        ab, bc, ca = (number.reshape(-1, 3) + operator.shape[0]).T
        a, b, c = faces.T
        operator = sparse.vstack([operator, middle], format="csr")
        faces = np.concatenate([np.stack(t, axis=1) for t in
                                ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    return operator, np.ascontiguousarray(faces, np.int32)


def fine_surface(template: FaceTemplate, identity: str | None = None) -> Surface:
    """The whole template, finer."""
    rest = template.neutral(identity)
    operator, faces = subdivide(template.faces, len(rest))
    nearest = np.asarray(operator.argmax(axis=1)).ravel()
    eyes = np.concatenate([template.part("eye_l"), template.part("eye_r")])
    return Surface(operator, faces, operator @ rest, template.parts[nearest],
                   0.5 * (rest[eyes].min(axis=0) + rest[eyes].max(axis=0)))


def noise(points: np.ndarray, period: float, seed: int) -> np.ndarray:
    """(n,) smooth values of about -1..1 that change over `period` (the unit of `points`)."""
    table = np.random.default_rng(seed).standard_normal((24, 24, 24)).astype(np.float32)
    return map_coordinates(table, (points / period).T % 24, order=1, mode="grid-wrap")
