"""Small meshes and Gaussians for the tests of the avatar, and the oracle that draws them."""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.avatar.gaussians import Gaussians

LOW_PASS, LEAST, MOST, DONE = 0.1, 1 / 255, 0.999, 1e-3


def ball(rings=6, around=8, radius=0.1):
    """A closed mesh round the origin: (V, 3) float32 metres and (F, 3) int32, outside out."""
    polar = np.pi * (np.arange(rings) + 1) / (rings + 1)
    turn = 2 * np.pi * np.arange(around) / around
    ring = np.stack([np.outer(np.sin(polar), np.sin(turn)),
                     np.outer(np.cos(polar), np.ones(around)),
                     np.outer(np.sin(polar), np.cos(turn))], axis=-1)
    points = np.concatenate([[[0, 1, 0]], ring.reshape(-1, 3), [[0, -1, 0]]]) * radius
    faces, last = [], len(points) - 1
    for k in range(around):
        n = (k + 1) % around
        faces.append((0, 1 + k, 1 + n))
        faces.append((last, last - around + n, last - around + k))
        for r in range(rings - 1):
            a, b = 1 + r * around, 1 + (r + 1) * around
            faces += [(a + k, b + k, b + n), (a + k, b + n, a + n)]
    return points.astype(np.float32), np.array(faces, np.int32)


def random_gaussians(triangles, count, seed=0):
    """`count` Gaussians anywhere on so many triangles, of all shapes and colours."""
    random = np.random.default_rng(seed)
    values = {"mu": random.normal(0, 0.3, (count, 3)), "turn": random.normal(size=(count, 4)),
              "scale_log": np.log(random.uniform(0.05, 0.6, (count, 3))),
              "opacity_logit": random.normal(1, 2, count),
              "colour": random.normal(0, 0.6, (count, 4, 3))}
    values = {k: v.astype(np.float32) for k, v in values.items()}
    return Gaussians(random.integers(0, triangles, count).astype(np.int32), **values)


def looking(size=40, eye=(0.05, 0.04, 0.6), angle=25.0):
    """A camera before the ball."""
    return Camera.looking(np.array(eye), np.zeros(3), angle, size)


def flattened(means, covariances, camera):
    """Spots (G, 2), 2 x 2 covariances and depths, one Gaussian at a time as the papers say."""
    spots, flat, depths = [], [], []
    for mean, covariance in zip(means, covariances, strict=True):
        x, y, z = camera.turn @ (mean - camera.eye)
        fx, fy = camera.focal
        jacobian = np.array([[fx / z, 0, -fx * x / z**2], [0, fy / z, -fy * y / z**2]])
        shadow = jacobian @ camera.turn @ covariance @ camera.turn.T @ jacobian.T
        spots.append([fx * x / z + camera.centre[0], fy * y / z + camera.centre[1]])
        flat.append(shadow + LOW_PASS * np.eye(2))
        depths.append(z)
    return np.array(spots), np.array(flat), np.array(depths)


def blended(spots, flat, depths, opacity, colours, width, height):
    """(H, W, 3) and (H, W) cover: every pixel asks every Gaussian, nearest first."""
    picture, behind = np.zeros((height, width, 3)), np.ones((height, width))
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for g in np.argsort(depths, kind="stable"):
        away = np.stack([column, row], axis=-1) - spots[g]
        power = 0.5 * np.einsum("hwi,ij,hwj->hw", away, np.linalg.inv(flat[g]), away)
        alpha = np.minimum(opacity[g] * np.exp(-power), MOST)
        alpha[(opacity[g] * np.exp(-power) < LEAST) | (behind <= DONE)] = 0
        picture += (alpha * behind)[..., None] * colours[g]
        behind *= 1 - alpha
    return picture, 1 - behind
