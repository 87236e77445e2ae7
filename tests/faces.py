"""Small faces for tests: a template of a few triangles, and where teeth stand against lips."""

import numpy as np

from l2t.face import FaceTemplate
from l2t.face_schema import NEEDED_REGIONS
from l2t.motion import ARKIT_NAMES


def tiny_arrays() -> dict[str, np.ndarray]:
    """A valid template of one identity, six vertices and four triangles; jawOpen lowers one."""
    pointer = np.zeros(53, np.int32)
    pointer[ARKIT_NAMES.index("jawOpen") + 1:] = 1
    return {
        "identities": np.array(["only"]),
        "neutral": np.random.default_rng(0).normal(0, 0.05, (1, 6, 3)).astype(np.float32),
        "neutral_unit": np.float32(1),
        "faces": np.array([[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4]], np.int32),
        "colors": np.full((1, 6, 3), 128, np.uint8),
        "part": np.zeros(6, np.uint8), "part_names": np.array(["skin"]),
        "shape_names": np.array(ARKIT_NAMES), "shape_ptr": pointer,
        "shape_index": np.array([4]), "shape_delta": np.array([[0, -0.02, 0]], np.float32),
        "shape_unit": np.float32(1),
        "region_names": np.array(NEEDED_REGIONS), "region_ptr": np.arange(7, dtype=np.int32),
        "region_index": np.arange(6, dtype=np.int32),
        "lip_landmarks": np.arange(40) % 6, "chin_landmarks": np.arange(5),
        "eye_corners": np.arange(4),
    }


def weights(**named: float) -> np.ndarray:
    """(52,) float32; a name without a side sets both sides."""
    row = np.zeros(52, np.float32)
    for name, value in named.items():
        sides = (name, name + "Left", name + "Right")
        chosen = [i for i, n in enumerate(ARKIT_NAMES) if n in sides]
        assert chosen, name
        row[chosen] = value
    return row


def poking(template: FaceTemplate, vertices: np.ndarray, ids: np.ndarray) -> int:
    """How many of the points `ids` stand in front of the lips.

    Such a point sees no skin before it along +z, but the front of lip or skin close behind it; a
    tooth in an open mouth has only the mouth's far inside behind it.
    """
    middle = vertices[template.lip_landmarks].mean(axis=0)
    skin = template.faces[template.parts[template.faces[:, 0]] == 0]
    close = (np.abs(vertices[skin].mean(axis=1) - middle) < (0.05, 0.05, 0.06)).all(axis=1)
    low, high = vertices[ids].min(axis=0), vertices[ids].max(axis=0)
    shared = ((vertices[skin].max(axis=1) > low) & (vertices[skin].min(axis=1) < high))[:, :2]
    a, b, c = np.moveaxis(vertices[skin[close & shared.all(axis=1)]], 1, 0)
    area = _cross(b - a, c - a)
    points = vertices[ids][:, None]
    u, v = _cross(points - a, c - a) / area, _cross(b - a, points - a) / area
    over = (u >= 0) & (v >= 0) & (u + v <= 1)
    ahead = np.where(over, a[:, 2] + u * (b - a)[:, 2] + v * (c - a)[:, 2] - points[..., 2], np.nan)
    covered = (ahead > 0).any(axis=1)
    behind = np.where((ahead <= 0) & (ahead > -0.012), ahead, -np.inf)
    fronts = np.isfinite(behind.max(axis=1)) & (area[behind.argmax(axis=1)] > 0)
    return int((~covered & fronts).sum())


def _cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """z of the cross product of the (x, y) parts; never exactly zero."""
    out = p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]
    return np.where(np.abs(out) < 1e-14, 1e-14, out)
