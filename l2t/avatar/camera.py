"""A pinhole camera: where it stands and how metres become pixels.

Axes of the camera are OpenCV's (x right, y down, z forward), as in gsplat; the middle of the pixel
in column c and row r lies at (c + 0.5, r + 0.5).
"""

from dataclasses import dataclass, replace

import numpy as np

from l2t.errors import RenderError
from l2t.render.scene import ABOVE, BELOW, VIEW_ANGLE
from l2t.values import is_within, shown

STEEPEST = 80.0  # degrees of elevation; at 90 "up" would lose its meaning
WIDEST = 3600.0  # degrees of azimuth, ten times round
NEAREST, FARTHEST = 8.0, 0.5  # zoom


@dataclass(frozen=True, eq=False)
class Camera:
    """width, height: pixels.  focal, centre: (2,) pixels, along x and y.

    turn: (3, 3) rows are the camera's axes in the world.  eye: (3,) metres, where it stands.
    """

    width: int
    height: int
    focal: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    eye: np.ndarray

    @property
    def view(self) -> np.ndarray:
        """(4, 4) float64, world to camera."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.turn
        matrix[:3, 3] = -self.turn @ self.eye
        return matrix

    @property
    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64, camera to homogeneous pixels."""
        matrix = np.diag([self.focal[0], self.focal[1], 1.0])
        matrix[:2, 2] = self.centre
        return matrix

    def project(self, points: np.ndarray) -> np.ndarray:
        """(V, 3) metres -> (V, 3) float64: column, row in pixels, and depth in metres."""
        local = (points - self.eye) @ self.turn.T
        return np.c_[local[:, :2] / local[:, 2:] * self.focal + self.centre, local[:, 2]]

    def scaled(self, factor: float) -> "Camera":
        """The same view on a picture `factor` times as large; sides round to whole pixels."""
        width, height = round(self.width * factor), round(self.height * factor)
        stretch = np.array([width / self.width, height / self.height])
        return replace(self, width=width, height=height, focal=self.focal * stretch,
                       centre=self.centre * stretch)

    @staticmethod
    def looking(eye: np.ndarray, target: np.ndarray, angle: float, size: int) -> "Camera":
        """A square picture from `eye` towards `target`, y up; angle: degrees, bottom to top."""
        forward = np.asarray(target, float) - eye
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        turn = np.stack([right, np.cross(forward, right), forward])
        focal = 0.5 * size / np.tan(np.radians(angle) / 2)
        return Camera(size, size, np.full(2, focal), np.full(2, 0.5 * size), turn,
                      np.asarray(eye, float))

    @staticmethod
    def from_opengl(matrix: np.ndarray, focal, centre, width: int, height: int) -> "Camera":
        """From a camera-to-world (4, 4) matrix in OpenGL's axes (y up, looking along -z)."""
        matrix = np.asarray(matrix, float)
        turn = (matrix[:3, :3] * (1, -1, -1)).T
        return Camera(width, height, np.asarray(focal, float), np.asarray(centre, float), turn,
                      matrix[:3, 3])


@dataclass(frozen=True)
class Orbit:
    """Where the viewer stands, round the head.

    azimuth: degrees towards the head's own left (+x); elevation: degrees upwards;
    zoom: 1 shows head and shoulders, 2 half as much.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    zoom: float = 1.0

    def check(self) -> None:
        """Raises RenderError for an angle or zoom out of range; to be asked before the work."""
        for name, value, low, high, unit in (
            ("azimuth", self.azimuth, -WIDEST, WIDEST, " degrees"),
            ("elevation", self.elevation, -STEEPEST, STEEPEST, " degrees"),
            ("zoom", self.zoom, FARTHEST, NEAREST, ""),
        ):
            if not is_within(value, low, high):
                raise RenderError(
                    f"The {name} must be from {low:g} to {high:g}{unit}, found {shown(value)}."
                )

    def camera(self, neutral: np.ndarray, size: int) -> Camera:
        """The camera for a head with these vertices (V, 3) at rest.

        At zoom 1 and no elevation it is the film's own (`l2t.render.scene.frame_shot`).
        Raises RenderError for an angle or zoom out of range.
        """
        self.check()
        low, high = neutral.min(axis=0), neutral.max(axis=0)
        height = high[1] - low[1]
        bottom, top = low[1] + BELOW * height, high[1] + ABOVE * height
        upper = neutral[neutral[:, 1] > low[1] + 0.5 * height]
        middle = 0.5 * (upper.min(axis=0) + upper.max(axis=0))
        target = np.array([middle[0], 0.5 * (bottom + top), middle[2]])
        turn, tilt = np.radians(self.azimuth), np.radians(self.elevation)
        back = np.array([np.sin(turn) * np.cos(tilt), np.sin(tilt), np.cos(turn) * np.cos(tilt)])
        distance = 0.5 * (top - bottom) / np.tan(np.radians(VIEW_ANGLE) / 2)
        angle = 2 * np.degrees(np.arctan(np.tan(np.radians(VIEW_ANGLE) / 2) / self.zoom))
        return Camera.looking(target + back * distance, target, float(angle), size)
