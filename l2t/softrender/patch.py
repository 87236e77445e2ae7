"""The patch: what of a face can be seen in the crop, as triangles in layers.

Everything else is left out once, at construction: what lies outside the crop, looks away from
the camera in every pose, or is hidden behind something else in every pose.
"""

from dataclasses import dataclass

import numpy as np

from l2t.motion import ARKIT_NAMES
from l2t.render.raster import rasterise
from l2t.softrender.framing import Framing
from l2t.softrender.layers import layers_of
from l2t.softrender.pieces import cut

MARGIN = 0.05  # of the side: how far outside of the crop a triangle may lie
GRID = 256  # samples a side of the depth pictures that tell what is hidden
BEHIND = 0.002  # metres behind the depth picture that still count as seen
# Longest side, in pixels, of the piece that a point stands for, near the lips and elsewhere.
FINE, COARSE = 2.0, 3.0
NEAR_LIPS = 0.013  # metres from the lips' landmarks in the picture
# What cannot be seen in any of these cannot be seen at all, as far as the patch is concerned.
POSES = (
    {},
    {"jawOpen": 0.4},
    {"jawOpen": 0.9},
    {"jawOpen": 0.4, "mouthFunnel": 1.0},
    {"jawOpen": 0.5, "mouthUpperUpLeft": 0.7, "mouthUpperUpRight": 0.7,
     "mouthLowerDownLeft": 0.7, "mouthLowerDownRight": 0.7},
    {"jawOpen": 0.4, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
    {"mouthPucker": 1.0},
    {"jawOpen": 0.2, "mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": 0.3, "mouthUpperUpLeft": 0.6,
     "mouthUpperUpRight": 0.6, "mouthLowerDownLeft": 0.6, "mouthLowerDownRight": 0.6},
    {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
    {"mouthFrownLeft": 1.0, "mouthFrownRight": 1.0, "mouthShrugLower": 1.0},
)  # fmt: skip


@dataclass(frozen=True)
class Patch:
    """vertices (V,) int64: numbers in the template; faces (F, 3) int64: into `vertices`.

    Points: face (N,) int64 into `faces`; corners (3, N) float32, how much of each corner of the
    face; share (N,) float32, of its area; layer (N,) int64, see `layers_of`.
    """

    vertices: np.ndarray
    faces: np.ndarray
    face: np.ndarray
    corners: np.ndarray
    share: np.ndarray
    layer: np.ndarray


def pose(named: dict[str, float]) -> np.ndarray:
    """(1, 52) float32 of named weights."""
    row = np.zeros((1, len(ARKIT_NAMES)), np.float32)
    for name, weight in named.items():
        row[0, ARKIT_NAMES.index(name)] = weight
    return row


def cut_patch(template, framing: Framing, identity: str | None, pixel: float) -> Patch:
    """The patch of an identity; pixel: metres, the side of a pixel."""
    posed = np.stack([template.vertices(pose(p), identity)[0] for p in POSES])
    posed = posed - np.array([framing.x, framing.y, framing.z], np.float32)
    seen = [_seen(points, template.faces, framing.side) for points in posed]
    kept = np.flatnonzero(np.any(seen, axis=0))
    faces = template.faces[kept]
    layer = layers_of(template, identity)[faces].min(axis=1)
    lips, middle = posed[0, template.lip_landmarks, :2], posed[0, faces, :2].mean(axis=1)
    away = np.linalg.norm(middle[:, None] - lips, axis=2).min(axis=1)
    longest = np.where(away < NEAR_LIPS, FINE, COARSE) * pixel
    face, corners, share = cut(posed[:2, :, :2][:, faces], longest)
    vertices, local = np.unique(faces, return_inverse=True)
    return Patch(
        vertices.astype(np.int64), local.reshape(-1, 3).astype(np.int64), face.astype(np.int64),
        np.ascontiguousarray(corners.T, np.float32), share.astype(np.float32),
        layer[face].astype(np.int64),
    )  # fmt: skip


def _seen(points: np.ndarray, faces: np.ndarray, side: float) -> np.ndarray:
    """(F,) bool: triangles in the crop that look to the camera and are not hidden.

    points: (V, 3) metres from the middle of the crop.
    """
    wide = side * (1 + 2 * MARGIN)
    screen = np.stack([GRID * (0.5 + points[:, 0] / wide), GRID * (0.5 - points[:, 1] / wide),
                       1 + points[:, 2]], axis=1).astype(np.float32)
    samples, depth = np.empty((GRID, GRID, 4), np.uint8), np.empty((GRID, GRID), np.float32)
    rasterise(screen, np.zeros((len(points), 4), np.uint8), faces, samples, depth)
    corners = screen[faces]
    # Corners and middle: a triangle is hidden if all four lie behind the depth picture.
    probes = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    cells = np.floor(probes[..., :2]).astype(int)
    inside = ((cells >= 0) & (cells < GRID)).all(axis=2)
    column, row = np.clip(cells, 0, GRID - 1).transpose(2, 0, 1)
    front = inside & (probes[..., 2] > depth[row, column] - BEHIND)
    (ax, ay), (bx, by) = ((corners[:, k] - corners[:, 0])[:, :2].T for k in (1, 2))
    return front.any(axis=1) & (ax * by - ay * bx < 0)  # rows grow downwards
