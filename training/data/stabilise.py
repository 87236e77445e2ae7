"""Takes the head's own movement out of tracked landmarks, so that only the face's remains."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from training.data.clips import OUTER_EYE_CORNERS, RIGID


def rigid_align(points: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (frames, 3, 3) and centres (frames, 3) that bring `points` onto `target`.

    points: (frames, n, 3); target: (n, 3), centred. Kabsch's algorithm; aligned = (p - c) @ R.
    """
    centres = points.mean(axis=1)
    cross = np.einsum("fni,nj->fij", points - centres[:, None], target)
    u, _, vt = np.linalg.svd(cross)
    flip = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= flip[:, None]
    return u @ vt, centres


def stabilise(landmarks: np.ndarray, index: np.ndarray, smooth: float = 1.0) -> np.ndarray:
    """Landmarks in a head-fixed frame, (frames, 80, 3), in units of the outer eye distance.

    landmarks: (frames, 80, 3) pixels. x right, y UP, z toward the camera in the result.
    The pose is smoothed over `smooth` frames so that its jitter does not shake the lips.
    """
    columns = [int(np.flatnonzero(index == number)[0]) for number in RIGID]
    eyes = [int(np.flatnonzero(index == number)[0]) for number in OUTER_EYE_CORNERS]
    upright = landmarks * np.array([1.0, -1.0, -1.0], np.float32)
    scale = np.median(np.linalg.norm(upright[:, eyes[0]] - upright[:, eyes[1]], axis=-1))
    upright = upright / max(float(scale), 1e-6)
    target = np.median(upright[:, columns] - upright[:, columns].mean(1, keepdims=True), axis=0)
    for _ in range(3):  # generalised Procrustes: align, average, align again
        rotation, centres = rigid_align(upright[:, columns], target)
        target = ((upright[:, columns] - centres[:, None]) @ rotation).mean(axis=0)
        target -= target.mean(axis=0)
    if smooth > 0 and len(landmarks) > 3:
        centres = gaussian_filter1d(centres, smooth, axis=0)
        rotation = _orthonormal(gaussian_filter1d(rotation, smooth, axis=0))
    return ((upright - centres[:, None]) @ rotation).astype(np.float32)


def _orthonormal(matrices: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(matrices)
    return u @ vt
