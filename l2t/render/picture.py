"""From samples to a picture: antialiasing, the background, the check that a head is there."""

import numpy as np

from l2t.errors import RenderError
from l2t.render.jit import jit

SAMPLES = 2  # samples a pixel along each axis: four a pixel
FADE = (0.01, 0.09)  # from invisible to solid: height above the lower edge, share of the picture
LEAST_COVER = 0.02  # share of the picture that a head must fill
CENTRE, RIM = (150, 163, 178), (84, 96, 112)  # sRGB of the background, behind the head and outside


def background(size: int) -> np.ndarray:
    """A soft light behind the head, (size, size, 3) float32 sRGB values 0..255."""
    place = (np.arange(size) + 0.5) / size - 0.5
    away = np.hypot(place[None, :], place[:, None] + 0.06) / 0.72
    mix = np.clip(away, 0, 1)[..., None] ** 1.6
    return ((1 - mix) * np.array(CENTRE) + mix * np.array(RIM)).astype(np.float32)


def fade(size: int) -> np.ndarray:
    """How solid the head is in each row, (size,) float32: 1, and down to 0 at the lower edge."""
    height = 1 - (np.arange(size) + 0.5) / size
    t = np.clip((height - FADE[0]) / (FADE[1] - FADE[0]), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


@jit
def _resolve(samples, back, solid, out):
    covered = 0
    size = len(out)
    for y in range(size):
        for x in range(size):
            count = red = green = blue = 0
            for j in range(2):
                for i in range(2):
                    if samples[2 * y + j, 2 * x + i, 3]:
                        count += 1
                        red += samples[2 * y + j, 2 * x + i, 0]
                        green += samples[2 * y + j, 2 * x + i, 1]
                        blue += samples[2 * y + j, 2 * x + i, 2]
            covered += count
            rest = 1.0 - 0.25 * count * solid[y]
            head = 0.25 * solid[y]
            out[y, x, 0] = np.uint8(head * red + rest * back[y, x, 0] + 0.5)
            out[y, x, 1] = np.uint8(head * green + rest * back[y, x, 1] + 0.5)
            out[y, x, 2] = np.uint8(head * blue + rest * back[y, x, 2] + 0.5)
    return covered


class Canvas:
    """Turns sample grids into pictures of one size over one background."""

    def __init__(self, size: int):
        """size: pixels a side of the finished picture."""
        self.size, self.grid = size, SAMPLES * size
        self._back, self._solid = background(size), fade(size)

    def develop(self, samples: np.ndarray) -> np.ndarray:
        """(grid, grid, 4) uint8 samples -> (size, size, 3) uint8 picture.

        Raises RenderError when hardly anything was drawn: an error, never an empty frame.
        """
        out = np.empty((self.size, self.size, 3), np.uint8)
        covered = _resolve(samples, self._back, self._solid, out)
        if covered < LEAST_COVER * self.grid**2:
            raise RenderError("The picture came out empty: no head was drawn; please try again.")
        return out
