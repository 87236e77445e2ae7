"""Fits ARKit weights to tracked lip landmarks: bounded least squares on a linear face.

The tracker's own `mouthClose` hardly moves, so its weights do not close the lips. Here the lips,
the chin and above all the gap between the lips are matched by the template's own shapes.
"""

from dataclasses import dataclass

import numpy as np

from l2t.metrics import INNER_LIP_PAIRS
from l2t.motion import ARKIT_NAMES
from training.data.clips import CHIN

FITTED = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker",
    "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip

PARTED = 0.01  # gap over eye distance from which tracked lips surely do not touch


@dataclass(frozen=True)
class FitOptions:
    """Weights of the terms; lengths are in units of the outer eye distance.

    gap:     of the three gaps between the lips, against single landmark coordinates.
    depth:   of z coordinates, which the tracker guesses.
    ridge:   pull to zero, of every weight squared.
    mirror:  pull of left and right partners to each other.
    smooth:  pull of neighbouring frames to each other.
    steps:   of the accelerated projected gradient.
    """

    gap: float = 6.0
    depth: float = 0.15
    ridge: float = 1.5e-3
    mirror: float = 5e-3
    smooth: float = 1e-3
    steps: int = 400


def lip_index(index: np.ndarray, number: int) -> int:
    return int(np.flatnonzero(index == number)[0])


class WeightFitter:
    """Holds the linear system of one template; `fit` solves it for a clip.

    template: a FaceTemplate; index: MediaPipe's number of each landmark of the clips.
    """

    def __init__(self, template, index: np.ndarray, options: FitOptions | None = None):
        self.options = options or FitOptions()
        lips = np.asarray(template.lip_landmarks)
        ids = np.concatenate([lips, np.asarray(template.chin_landmarks)])
        self.columns = np.concatenate(
            [np.arange(40), [lip_index(index, number) for number in CHIN]]
        )
        rest = template.neutral(template.identities[0])
        corners = rest[np.asarray(template.eye_corners)]
        self.eye_distance = float(np.linalg.norm(corners[0] - corners[3]))
        self.picked = [ARKIT_NAMES.index(name) for name in FITTED]
        basis = template.basis(ids)[self.picked] / self.eye_distance  # (k, n, 3)
        pairs = [(lip_index(index, a), lip_index(index, b)) for a, b in INNER_LIP_PAIRS]
        self.pairs = np.array(pairs)
        self._gap_basis = basis[:, self.pairs[:, 0], 1] - basis[:, self.pairs[:, 1], 1]
        weight = np.ones((len(ids), 3), np.float32)
        weight[:, 2] = self.options.depth
        weight[40:, 0] = 0.2  # chin points slide along the outline sideways
        self._weight = weight
        # At rest the template's lips press into each other: to show a gap they must part by more.
        lip = rest[lips]
        self.overlap = np.maximum(
            [lip[b, 1] - lip[a, 1] for a, b in self.pairs], 0.0
        ) / self.eye_distance
        self._system(basis)

    def _system(self, basis: np.ndarray) -> None:
        o, k = self.options, len(FITTED)
        self._design = (basis * self._weight).reshape(k, -1)
        normal = self._design @ self._design.T + o.gap**2 * self._gap_basis @ self._gap_basis.T
        normal += o.ridge * np.eye(k)
        for name in FITTED:
            if name.endswith("Left") and name.replace("Left", "Right") in FITTED:
                left, right = FITTED.index(name), FITTED.index(name.replace("Left", "Right"))
                if name not in ("jawLeft", "mouthLeft"):  # those are one movement's two directions
                    difference = np.zeros(k)
                    difference[left], difference[right] = 1, -1
                    normal += o.mirror * np.outer(difference, difference)
        self._normal = normal

    def fit(self, moved: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """moved (frames, 80, 3) landmark displacement from rest, gaps (frames, 3) between the lips,
        both in eye distances -> (frames, 52) float32 weights in 0..1."""
        o = self.options
        gaps = gaps + self.overlap * np.clip(gaps / PARTED, 0.0, 1.0)
        wanted = (moved[:, self.columns] * self._weight).reshape(len(moved), -1)
        linear = wanted @ self._design.T + o.gap**2 * gaps @ self._gap_basis.T
        weights = self._solve(linear)
        out = np.zeros((len(moved), len(ARKIT_NAMES)), np.float32)
        out[:, self.picked] = weights
        return out

    def _solve(self, linear: np.ndarray) -> np.ndarray:
        """FISTA (Beck and Teboulle 2009) with a box, all frames at once."""
        smooth = self.options.smooth
        step = 1.0 / (np.linalg.eigvalsh(self._normal)[-1] + 4 * smooth)
        w = np.zeros_like(linear)
        y, t = w, 1.0
        for _ in range(self.options.steps):
            slope = y @ self._normal - linear
            slope[1:] += smooth * (y[1:] - y[:-1])
            slope[:-1] += smooth * (y[:-1] - y[1:])
            nxt = np.clip(y - step * slope, 0.0, 1.0)
            t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
            y = nxt + (t - 1) / t_next * (nxt - w)
            w, t = nxt, t_next
        return w
