"""Gaussians that hang on triangles: the frame of a triangle, and what follows from it.

A triangle gives T = its middle, R = [direction of its first edge, normal, their cross product]
and k = (length of that edge + height over it) / 2. A Gaussian bound to it stands at
x = k R mu + T with the covariance k^2 R S R^T, where S is its own in the triangle's frame
(Qian et al., "GaussianAvatars", CVPR 2024). Only vertices are needed to drive it.
"""

import numpy as np

from l2t.render.jit import jit

SH_0 = 0.28209479177387814  # spherical harmonics, degree 0 and 1
SH_1 = 0.4886025119029199


@jit
def triangle_frames(vertices, faces, origin, basis, size):
    """Frames of all triangles, into the last three arrays.

    vertices: (V, 3); faces: (F, 3) int32; origin: (F, 3); basis: (F, 3, 3), columns are the axes;
    size: (F,). A triangle without area gets size 0 and any basis.
    """
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        for i in range(3):
            origin[f, i] = (vertices[a, i] + vertices[b, i] + vertices[c, i]) / 3
        ex, ey, ez = (vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1],
                      vertices[b, 2] - vertices[a, 2])
        gx, gy, gz = (vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1],
                      vertices[c, 2] - vertices[a, 2])
        nx, ny, nz = ey * gz - ez * gy, ez * gx - ex * gz, ex * gy - ey * gx
        edge = np.sqrt(ex * ex + ey * ey + ez * ez)
        area = np.sqrt(nx * nx + ny * ny + nz * nz)
        if not (edge > 1e-9 and area > 1e-15):
            basis[f] = 0
            size[f] = 0
            continue
        ex, ey, ez = ex / edge, ey / edge, ez / edge
        nx, ny, nz = nx / area, ny / area, nz / area
        basis[f, 0, 0], basis[f, 1, 0], basis[f, 2, 0] = ex, ey, ez
        basis[f, 0, 1], basis[f, 1, 1], basis[f, 2, 1] = nx, ny, nz
        basis[f, 0, 2] = ey * nz - ez * ny
        basis[f, 1, 2] = ez * nx - ex * nz
        basis[f, 2, 2] = ex * ny - ey * nx
        size[f] = 0.5 * (edge + area / edge)


@jit
def place(triangle, mu, shape, colour, origin, basis, size, eye, means, covariances, seen):
    """Gaussians from their triangles into the world, into the last three arrays.

    triangle: (G,) int32; mu: (G, 3); shape: (G, 6) covariance in the frame, upper triangle row
    by row; colour: (G, 4, 3) harmonics of degree 0 and 1 in the frame; eye: (3,) of the viewer;
    means: (G, 3); covariances: (G, 6); seen: (G, 3) colour from there, at least 0.
    """
    half = np.empty((3, 3), mu.dtype)
    way = np.empty(3, mu.dtype)
    for g in range(len(triangle)):
        f = triangle[g]
        r, k = basis[f], size[f]
        length = 0.0
        for i in range(3):
            means[g, i] = origin[f, i] + k * (r[i, 0] * mu[g, 0] + r[i, 1] * mu[g, 1]
                                              + r[i, 2] * mu[g, 2])
            length += (means[g, i] - eye[i]) ** 2
        s = shape[g]
        for i in range(3):
            half[i, 0] = r[i, 0] * s[0] + r[i, 1] * s[1] + r[i, 2] * s[2]
            half[i, 1] = r[i, 0] * s[1] + r[i, 1] * s[3] + r[i, 2] * s[4]
            half[i, 2] = r[i, 0] * s[2] + r[i, 1] * s[4] + r[i, 2] * s[5]
        at = 0
        for i in range(3):
            for j in range(i, 3):
                covariances[g, at] = k * k * (half[i, 0] * r[j, 0] + half[i, 1] * r[j, 1]
                                              + half[i, 2] * r[j, 2])
                at += 1
        length = np.sqrt(length)
        for i in range(3):  # the direction of view as the triangle sees it
            way[i] = (r[0, i] * (means[g, 0] - eye[0]) + r[1, i] * (means[g, 1] - eye[1])
                      + r[2, i] * (means[g, 2] - eye[2])) / length
        for i in range(3):
            value = (0.5 + SH_0 * colour[g, 0, i] - SH_1 * way[1] * colour[g, 1, i]
                     + SH_1 * way[2] * colour[g, 2, i] - SH_1 * way[0] * colour[g, 3, i])
            seen[g, i] = max(value, 0.0)


def local_shapes(turn: np.ndarray, scale_log: np.ndarray) -> np.ndarray:
    """(G, 6) covariances in the triangle's frame, of quaternions (G, 4) w x y z and log scales."""
    axes = rotations(turn) * np.exp(scale_log)[:, None, :]
    full = axes @ axes.transpose(0, 2, 1)
    return np.ascontiguousarray(full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]])


def rotations(quaternions: np.ndarray) -> np.ndarray:
    """(n, 3, 3) of quaternions (n, 4) w x y z of any length but 0."""
    unit = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    w, x, y, z = unit.T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]  # fmt: skip
    return np.stack(rows, axis=1).reshape(-1, 3, 3)
