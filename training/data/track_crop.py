"""The mouth's picture: 96 x 96 grey, eyes level, 1.6 eye distances wide, the lips in the middle.

Eye distance: between the middles of the two corners of each eye. That is what fits the crops of
grid_s1 to their landmarks (found by tracking these crops again inside of a drawn face).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates

from training.data.clips import LIPS
from training.data.mouths import SIDE
from training.data.track_faces import INDEX
from training.data.track_video import FPS

EYES = 1.6  # eye distances that the side of the crop is long
SMOOTH = 2.0  # frames: deviation of the Gaussian that steadies the crop
EYE_CORNERS = ((33, 133), (362, 263))  # person's right eye (left in the picture), left eye


@dataclass(frozen=True)
class Squares:
    """Where to cut: centres (frames, 2) pixels, sides (frames,) pixels, angles (frames,) radians,
    positive when the eyes' line falls to the right of the picture."""

    centres: np.ndarray
    sides: np.ndarray
    angles: np.ndarray


def squares(points: np.ndarray, smooth: float = SMOOTH) -> Squares:
    """The squares around the mouth of landmarks (frames, 80, 3), smoothed over time."""
    at = {int(n): i for i, n in enumerate(INDEX)}
    right, left = (points[:, [at[n] for n in pair], :2].mean(1) for pair in EYE_CORNERS)
    line = gaussian_filter1d(left - right, smooth, axis=0, mode="nearest")
    lips = gaussian_filter1d(points[:, LIPS, :2].mean(1), smooth, axis=0, mode="nearest")
    return Squares(lips, EYES * np.linalg.norm(line, axis=1), np.arctan2(line[:, 1], line[:, 0]))


def crop(picture: np.ndarray, centre: np.ndarray, side: float, angle: float) -> np.ndarray:
    """One square out of an RGB picture (height, width, 3) uint8 -> (96, 96) uint8.

    Beyond the picture its border is repeated. Where the square has more pixels than the crop, the
    picture is blurred first.
    """
    reach = int(np.ceil(side)) + 4
    low = np.maximum(np.round(centre[::-1]).astype(int) - reach, 0)  # row, column
    low = np.minimum(low, np.array(picture.shape[:2]) - 1)
    part = picture[low[0] : low[0] + 2 * reach + 1, low[1] : low[1] + 2 * reach + 1]
    grey = part.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)  # BT.601 luma
    step = side / SIDE
    if step > 1:
        grey = gaussian_filter(grey, 0.5 * np.sqrt(step**2 - 1), mode="nearest")
    along = (np.arange(SIDE) + 0.5 - SIDE / 2) * step
    x, y = np.meshgrid(along, along)
    c, s = np.cos(angle), np.sin(angle)
    columns = centre[0] + c * x - s * y - 0.5 - low[1]  # landmarks count from a pixel's corner
    rows = centre[1] + s * x + c * y - 0.5 - low[0]
    out = map_coordinates(grey, [rows, columns], order=1, mode="nearest")
    return np.clip(np.round(out), 0, 255).astype(np.uint8)


def write_mouths(path: Path, mouths: Iterable[np.ndarray]) -> None:
    """H.264 at 25 frames a second of grey pictures (96, 96) uint8."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=int(FPS), options={"crf": "18"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for mouth in mouths:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(mouth, format="gray")))
        film.mux(stream.encode(None))
