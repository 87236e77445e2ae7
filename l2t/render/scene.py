"""The scene: where the camera stands, what it frames, and the picture's sizes."""

from dataclasses import dataclass

import numpy as np

from l2t.errors import RenderError
from l2t.values import shown

# Degrees the camera walks round the head, towards the head's own left (+x).
VIEW_DEGREES: dict[str, float] = {"front": 0.0, "three-quarter": 35.0, "side": 88.0}
VIEWS: tuple[str, ...] = tuple(VIEW_DEGREES)
SIZE_MIN, SIZE_DEFAULT, SIZE_MAX = 256, 512, 1024  # pixels, square
VIEW_ANGLE = 18.0  # degrees from the picture's bottom to its top: a portrait lens
# How much of the template's height is shown: its ragged lower edge stays out of the picture.
BELOW, ABOVE = 0.15, 0.08


@dataclass(frozen=True)
class Shot:
    """A pinhole camera and the square picture it takes.

    size: pixels a side.  eye, target: (3,) metres.  right, up, back: (3,) unit vectors of the
    camera, `back` pointing from the target to the eye.  angle: degrees of view, bottom to top.
    """

    size: int
    eye: np.ndarray
    target: np.ndarray
    right: np.ndarray
    up: np.ndarray
    back: np.ndarray
    angle: float = VIEW_ANGLE

    def project(self, points: np.ndarray, pixels: int) -> np.ndarray:
        """(V, 3) metres -> (V, 3) float32: column, row (from the top) and nearness 1/metres.

        pixels: side of the grid to land on, in pixels or samples.
        """
        local = (points - self.eye) @ np.stack([self.right, self.up, -self.back], axis=1)
        near = 1.0 / np.maximum(local[:, 2], 1e-6)
        scale = 0.5 * pixels / np.tan(np.radians(self.angle) / 2)
        column = 0.5 * pixels + scale * local[:, 0] * near
        row = 0.5 * pixels - scale * local[:, 1] * near
        return np.stack([column, row, near], axis=1).astype(np.float32)


def check_view(view: str) -> str:
    """The view's name, or RenderError that lists the views."""
    if not isinstance(view, str) or view not in VIEWS:
        raise RenderError(f"There is no view {shown(view)}; choose one of {', '.join(VIEWS)}.")
    return view


def check_size(size: int) -> int:
    """The side of the picture in pixels, or RenderError that names the range."""
    whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    if not whole or not SIZE_MIN <= size <= SIZE_MAX or size % 2:
        raise RenderError(
            f"The picture size must be an even whole number from {SIZE_MIN} to {SIZE_MAX} pixels, "
            f"found {shown(size)}."
        )
    return int(size)


def frame_shot(neutral: np.ndarray, view: str, size: int) -> Shot:
    """The camera that shows a head of any template, scaled by its own bounds.

    neutral: (V, 3) metres, y up, +z the front of the face.
    """
    degrees = np.radians(VIEW_DEGREES[check_view(view)])
    low, high = neutral.min(axis=0), neutral.max(axis=0)
    height = high[1] - low[1]
    bottom, top = low[1] + BELOW * height, high[1] + ABOVE * height
    # The head's own middle, not the shoulders': only the upper half of the mesh counts.
    upper = neutral[neutral[:, 1] > low[1] + 0.5 * height]
    middle = 0.5 * (upper.min(axis=0) + upper.max(axis=0))
    target = np.array([middle[0], 0.5 * (bottom + top), middle[2]], np.float64)
    back = np.array([np.sin(degrees), 0.0, np.cos(degrees)])
    distance = 0.5 * (top - bottom) / np.tan(np.radians(VIEW_ANGLE) / 2)
    right = np.array([np.cos(degrees), 0.0, -np.sin(degrees)])
    return Shot(
        size=check_size(size),
        eye=target + back * distance,
        target=target,
        right=right,
        up=np.array([0.0, 1.0, 0.0]),
        back=back,
    )
