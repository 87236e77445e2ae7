"""The head's turning: rigid above the neck, dying away towards the shoulders."""

import numpy as np


def rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """(3, 3) matrix for column vectors; radians; axes x right of the picture, y up, z front.

    Positive pitch nods down, positive yaw turns the nose towards +x, positive roll tips the crown
    towards -x. Roll is applied first, then pitch, then yaw.
    """
    cp, sp, cy, sy, cr, sr = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tip = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return turn @ nod @ tip


class Neck:
    """Turns the head of one identity about the top of the neck."""

    def __init__(self, neutral: np.ndarray, chin_height: float | None = None):
        """neutral: (V, 3) metres; chin_height: y of the chin, else guessed from the bounds."""
        low, high = neutral.min(axis=0), neutral.max(axis=0)
        chin = low[1] + 0.25 * (high[1] - low[1]) if chin_height is None else chin_height
        # Everything from a little below the chin upwards moves as one piece.
        top = chin - 0.15 * (chin - low[1])
        bottom = low[1] + 0.50 * (top - low[1])  # above the shoulders, which stay where they are
        t = np.clip((neutral[:, 1] - bottom) / max(top - bottom, 1e-6), 0, 1)
        upper = neutral[neutral[:, 1] > chin]
        back, front = upper[:, 2].min(), upper[:, 2].max()
        x = 0.5 * (upper[:, 0].min() + upper[:, 0].max())
        self.pivot = np.array([x, chin, back + 0.42 * (front - back)], np.float32)
        # The shoulders lie as high as the neck, only farther out than the head is wide.
        away = np.hypot(neutral[:, 0] - x, neutral[:, 2] - self.pivot[2])
        out = np.clip(away / (0.5 * np.ptp(upper[:, 0])) - 0.7, 0, 1)
        weight = t * t * (3 - 2 * t) * (1 - out) ** (2 * (1 - t))
        self.weight = weight[:, None].astype(np.float32)

    def turned(self, points: np.ndarray, angles: np.ndarray) -> np.ndarray:
        """(V, 3) points after turning by (pitch, yaw, roll) radians; a copy only if they move."""
        if not np.any(angles):
            return points
        matrix = rotation(*(float(a) for a in angles)).astype(np.float32)
        arm = points - self.pivot
        return points + self.weight * (arm @ matrix.T - arm)
