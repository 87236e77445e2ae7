"""Layers of the mouth, from back to front: its inside, the teeth, the face with the lips.

The neck belongs to the innermost layer too, so that the chin covers it with a smooth edge.
"""

import numpy as np

INSIDE, TEETH, FACE = range(3)  # each covers those before it
LAYERS = 3
TEETH_PARTS = ("teeth_upper", "teeth_lower")
INSIDE_PARTS = ("tongue", "gums_upper", "gums_lower")
LIP_DEPTH = 0.006  # metres behind the wet line that still belong to the lips, not to the inside
NECK = (0.02, 0.03)  # metres: whatever is lower than that above the chin, and that far behind it


def layers_of(template, identity: str | None = None) -> np.ndarray:
    """(V,) int64 layer of each vertex of a `FaceTemplate`."""
    neutral = template.neutral(identity)
    layer = np.full(len(neutral), FACE)
    for name in template.part_names:
        if name in TEETH_PARTS:
            layer[template.part(name)] = TEETH
        elif name in INSIDE_PARTS:
            layer[template.part(name)] = INSIDE
    layer[_pocket(template, neutral)] = INSIDE
    chin = neutral[np.asarray(template.chin_landmarks)].mean(axis=0)
    below = (neutral[:, 1] < chin[1] + NECK[0]) & (neutral[:, 2] < chin[2] - NECK[1])
    layer[below & (layer == FACE)] = INSIDE
    return layer


def _pocket(template, neutral: np.ndarray) -> np.ndarray:
    """Vertices of the skin in the mouth: beyond the wet line, and well away from it."""
    ring = np.asarray(template.region("inner_lip"))
    free = np.ones(len(neutral), bool)
    free[ring] = False
    face = _reached(template.faces, free, np.setdiff1d(template.chin_landmarks, ring))
    skin = template.parts == template.parts[ring[0]]
    pocket = np.flatnonzero(free & ~face & skin)
    gap = np.linalg.norm(neutral[pocket][:, None] - neutral[ring][None], axis=2).min(axis=1)
    return pocket[gap > LIP_DEPTH]


def _reached(faces: np.ndarray, free: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(V,) bool: vertices that hang together with `start` through `free` (V,) ones alone."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[free[edges].all(axis=1)]
    reached = np.zeros(len(free), bool)
    reached[start] = True
    count = 0
    while count != reached.sum():
        count = reached.sum()
        reached[edges[reached[edges].any(axis=1)]] = True
    return reached
