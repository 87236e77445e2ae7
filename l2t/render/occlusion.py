"""How much of the sky each vertex sees: folds, nostrils and the mouth's depth come out dark."""

import numpy as np

from l2t.render.normals import vertex_normals
from l2t.render.raster import rasterise

DIRECTIONS = 48  # spread evenly over the sphere
GRID = 256  # samples a side of each depth picture
BIAS = 0.012  # depth, as a share of the head's size, that still counts as the surface itself


def sphere_directions(count: int) -> np.ndarray:
    """`count` unit vectors spread evenly by the golden angle, (count, 3)."""
    k = np.arange(count) + 0.5
    y, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - y * y)
    return np.stack([ring * np.cos(turn), y, ring * np.sin(turn)], axis=1)


def sky_share(points: np.ndarray, faces: np.ndarray, directions: int = DIRECTIONS) -> np.ndarray:
    """Cosine-weighted share of the directions that each vertex sees, (V,) float32 in 0..1.

    points: (V, 3) metres; faces: (F, 3) int32. Each direction takes a parallel depth picture;
    a vertex sees out that way if no surface lies between it and the picture.
    """
    normals = vertex_normals(points, faces, np.empty(points.shape, np.float32))
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = float(np.linalg.norm(points - middle, axis=1).max()) * 1.01
    colors = np.zeros((len(points), 4), np.uint8)
    samples = np.empty((GRID, GRID, 4), np.uint8)
    depth = np.empty((GRID, GRID), np.float32)
    seen, total = np.zeros(len(points)), np.full(len(points), 1e-9)
    for way in sphere_directions(directions):
        side = np.cross((0.0, 1.0, 0.0), way)
        side /= np.linalg.norm(side)
        local = (points - middle) @ np.stack([side, np.cross(way, side), way], axis=1) / radius
        screen = np.stack(
            [0.5 * GRID * (1 + local[:, 0]), 0.5 * GRID * (1 - local[:, 1]), 2 + local[:, 2]],
            axis=1,
        ).astype(np.float32)
        rasterise(screen, colors, faces, samples, depth)
        column, row = screen[:, 0].astype(int), screen[:, 1].astype(int)
        weight = np.maximum(normals @ way, 0)
        seen += weight * (screen[:, 2] >= depth[row, column] - BIAS)
        total += weight
    return (seen / total).astype(np.float32)


def smooth(values: np.ndarray, faces: np.ndarray, rounds: int = 2) -> np.ndarray:
    """(V,) values, each mixed half and half with the mean of its neighbours, `rounds` times."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    count = np.maximum(np.bincount(ends[:, 0], minlength=len(values)), 1)
    for _ in range(rounds):
        around = np.bincount(ends[:, 0], values[ends[:, 1]], minlength=len(values)) / count
        values = 0.5 * values + 0.5 * around
    return values.astype(np.float32)
