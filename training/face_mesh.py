"""One Catmull-Clark step as a sparse linear operator, applied only where it is seen.

Because the operator S is linear, the same rows serve every identity and every shape:
fine = S @ coarse. Faces that need no refinement stay coarse, yet all their corners take the
smoothed positions, and they are cut to meet their refined neighbours' edge points: no cracks.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Subdivision:
    """Catmull-Clark on a quad mesh. Fine vertices: the V old ones, then E edges, then Q faces.

    operator (V + E + Q, V) sparse; quads (Q, 4); quad_edges (Q, 4): edge k joins corner k, k + 1.
    """

    operator: sp.csr_matrix
    quads: np.ndarray
    quad_edges: np.ndarray
    vertices: int
    edges: int

    def triangles(self, refined: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """(F, 3) triangles of the quads `kept` (Q,) bool, those in `refined` subdivided."""
        split_edge = np.zeros(self.edges, bool)
        split_edge[self.quad_edges[refined].ravel()] = True
        pieces = []
        for q, (corner, edge) in enumerate(zip(self.quads, self.quad_edges, strict=True)):
            if not kept[q]:
                continue
            middle = self.vertices + self.edges + q
            point = self.vertices + edge
            if refined[q]:
                for k in range(4):
                    a, b, d = corner[k], point[k], point[k - 1]
                    pieces += [(a, b, middle), (a, middle, d)]
                continue
            if not split_edge[edge].any():
                pieces += [tuple(corner[[0, 1, 2]]), tuple(corner[[0, 2, 3]])]
                continue
            rim = [v for k in range(4) for v in
                   ((corner[k], point[k]) if split_edge[edge[k]] else (corner[k],))]
            pieces += [(middle, a, b) for a, b in zip(rim, rim[1:] + rim[:1], strict=True)]
        return np.array(pieces, dtype=np.int64)


def catmull_clark(quads: np.ndarray, vertices: int) -> Subdivision:
    """The operator of one step with the usual boundary rule (Catmull & Clark 1978).

    Face point: mean of the corners. Edge point: mean of its ends and its two face points.
    Vertex of valence n: (mean of faces + 2 * mean of edge middles + (n - 3) * itself) / n.
    On a boundary: edge middles, and 1/8, 6/8, 1/8 along the border.
    """
    count = len(quads)
    sides = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    ends, quad_edges = np.unique(sides, axis=0, return_inverse=True)
    quad_edges = quad_edges.reshape(count, 4)
    edges = len(ends)
    rows = np.repeat(np.arange(count), 4)
    face = _matrix(rows, quads.ravel(), 0.25, (count, vertices))
    middle = _matrix(np.repeat(np.arange(edges), 2), ends.ravel(), 0.5, (edges, vertices))
    edge_face = _matrix(quad_edges.ravel(), rows, 1.0, (edges, count))
    border = np.asarray(edge_face.sum(axis=1)).ravel() < 2
    inner = sp.diags((~border).astype(float))
    edge = sp.diags(border.astype(float)) @ middle + inner @ (middle + edge_face @ face * 0.5) * 0.5

    of_face = _matrix(quads.ravel(), rows, 1.0, (vertices, count))
    of_edge = _matrix(ends.ravel(), np.repeat(np.arange(edges), 2), 1.0, (vertices, edges))
    valence = np.maximum(np.asarray(of_edge.sum(axis=1)).ravel(), 1)
    inverse = sp.diags(1 / valence)
    smooth = inverse @ (inverse @ (of_face @ face) + 2 * inverse @ (of_edge @ middle)
                        + sp.diags(valence - 3.0))
    rim_edges = of_edge @ sp.diags(border.astype(float))
    on_border = np.asarray(rim_edges.sum(axis=1)).ravel() == 2
    lone = np.asarray(of_face.sum(axis=1)).ravel() == 0
    rim = rim_edges @ middle * 0.25 + 0.5 * sp.eye(vertices)
    keep = sp.diags((~on_border & ~lone).astype(float))
    point = keep @ smooth + sp.diags(on_border.astype(float)) @ rim + sp.diags(lone.astype(float))
    operator = sp.vstack([point, edge, face]).tocsr()
    return Subdivision(operator, quads, quad_edges, vertices, edges)


def _matrix(rows, columns, value, shape) -> sp.csr_matrix:
    return sp.csr_matrix((np.full(len(rows), value), (rows, columns)), shape=shape)


def vertex_normals(positions: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals, (V, 3)."""
    a, b, c = (positions[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.zeros_like(positions)
    for k in range(3):
        np.add.at(total, faces[:, k], across)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def bend(subdivision: Subdivision, positions: np.ndarray) -> np.ndarray:
    """How far the smooth surface leaves each quad's flat corners, (Q,), in the unit given."""
    fine = subdivision.operator @ positions
    corners = fine[subdivision.quads]
    points = fine[subdivision.vertices + subdivision.quad_edges]
    centre = fine[subdivision.vertices + subdivision.edges:]
    chord = (corners + np.roll(corners, -1, axis=1)) / 2
    off_edges = np.linalg.norm(points - chord, axis=2).max(axis=1)
    return np.maximum(off_edges, np.linalg.norm(centre - corners.mean(axis=1), axis=1))
