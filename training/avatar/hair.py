"""Gaussians along strands of hair whose course is known: thin from the start, not found by luck.

A Gaussian that begins flat on a triangle never finds a stray hair before an empty background, nor
the order of thousands that lie side by side. Where a scene knows its strands (the default one
draws them; hair reconstruction finds them in pictures), each piece of a strand gets one; places,
widths, colours and opacities are then learnt like all others.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from l2t.avatar.export import quaternions
from training.avatar.strands import frames_of

STRIDE = 2  # points of a strand that one Gaussian spans
SHORT = 0.015  # metres; brows and lashes hang on the triangle they grow from
LEAST = 1e-3  # metres; shorter pieces, where a strand has ended, get none
ALONG, ACROSS = 0.45, 0.8  # standard deviations, in lengths of the piece and in radii
OPACITY = 0.85


@dataclass(frozen=True, eq=False)
class Courses:
    """lines: (S, P, 3) metres at the scene's first moment; radius: (S, P) metres; triangle: (S,)
    each strand's root."""

    lines: np.ndarray
    radius: np.ndarray
    triangle: np.ndarray


def along(strands: Courses, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, dict]:
    """(triangles (n,), values as `BoundGaussians` takes them), grey; vertices: (V, 3) at the first
    moment. Pieces of long strands hang on the nearest triangle any long strand grows from."""
    lines, radius = strands.lines[:, ::STRIDE], strands.radius[:, ::STRIDE]
    pieces = np.diff(lines, axis=1)
    length = np.linalg.norm(pieces, axis=2)
    long = np.linalg.norm(np.diff(strands.lines, axis=1), axis=2).sum(axis=1) > SHORT
    strand, piece = np.nonzero(length > LEAST)
    middle = 0.5 * (lines[strand, piece] + lines[strand, piece + 1])
    triangle = strands.triangle[strand].copy()
    rows = long[strand]
    if rows.any():
        roots = np.unique(strands.triangle[long])
        near = cKDTree(vertices[faces[roots]].mean(axis=1)).query(middle[rows])[1]
        triangle[rows] = roots[near]
    origin, basis, size = frames_of(vertices, faces[triangle])
    into = basis.transpose(0, 2, 1)
    wide = ACROSS * 0.5 * (radius[strand, piece] + radius[strand, piece + 1])
    extent = np.stack([ALONG * length[strand, piece], wide, wide], axis=1)
    ways = np.einsum("nij,nj->ni", into, pieces[strand, piece] / length[strand, piece][:, None])
    kept = size > 1e-5
    values = {"mu": np.einsum("nij,nj->ni", into, middle - origin) / size[:, None],
              "turn": quaternions(_led_by(ways)),
              "scale_log": np.log(np.maximum(extent / size[:, None], 1e-4))}
    return triangle[kept], {k: _float(v[kept]) for k, v in values.items()}


def _led_by(ways: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations whose first axis is `ways` (n, 3) of length 1."""
    helper = np.where(np.abs(ways[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    second = np.cross(ways, helper)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return np.stack([ways, second, np.cross(ways, second)], axis=2)


def _float(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
