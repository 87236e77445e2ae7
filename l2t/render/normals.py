"""Vertex normals of a triangle mesh."""

import numpy as np

from l2t.render.jit import jit


@jit
def vertex_normals(points, faces, out):
    """Unit normals into `out` (V, 3): the sum of the adjoining triangles' normals by area.

    points: (V, 3) float32; faces: (F, 3) int32, counter-clockwise seen from outside.
    A vertex without any area around it gets (0, 0, 0).
    """
    out[:] = 0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux = points[b, 0] - points[a, 0]
        uy = points[b, 1] - points[a, 1]
        uz = points[b, 2] - points[a, 2]
        vx = points[c, 0] - points[a, 0]
        vy = points[c, 1] - points[a, 1]
        vz = points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (a, b, c):
            out[v, 0] += nx
            out[v, 1] += ny
            out[v, 2] += nz
    for v in range(len(out)):
        length = np.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2)
        if length > 1e-20:
            for k in range(3):
                out[v, k] /= length
    return out
