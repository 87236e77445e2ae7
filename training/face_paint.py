"""Colour by vertex: skin, lips, brows, hair, eyes, mouth. sRGB in 0..1, mixed layer on layer."""

from dataclasses import dataclass

import numpy as np

from training.face_parts import eye_polar


@dataclass(frozen=True)
class Look:
    """sRGB colours of one identity, 0..255."""

    skin: tuple[int, int, int]
    lips: tuple[int, int, int]
    hair: tuple[int, int, int]
    iris: tuple[int, int, int]
    brow: float = 1.0  # strength of the brows


LOOKS = {
    "caucasian-female-young": Look((236, 196, 176), (190, 98, 96), (96, 62, 40), (96, 130, 150)),
    "caucasian-male-young": Look((226, 184, 160), (184, 112, 102), (70, 50, 36), (92, 112, 88)),
    "asian-female-young": Look((238, 202, 172), (192, 96, 92), (30, 26, 26), (66, 44, 30)),
    "asian-male-young": Look((222, 182, 148), (176, 108, 96), (26, 24, 24), (58, 40, 28)),
    "african-female-young": Look((128, 82, 58), (122, 62, 58), (24, 20, 20), (50, 32, 22)),
    "african-male-young": Look((104, 68, 48), (104, 60, 54), (22, 19, 18), (44, 30, 22)),
    "old-female": Look((230, 194, 178), (180, 112, 108), (196, 192, 188), (108, 128, 140), 0.6),
    "old-male": Look((220, 180, 160), (172, 116, 106), (172, 168, 164), (96, 110, 120), 0.8),
}
DEFAULT_LOOK = LOOKS["caucasian-female-young"]
MOUTH = np.array([96, 34, 34]) / 255
TONGUE = np.array([186, 92, 92]) / 255
TOOTH = np.array([240, 233, 218]) / 255
GUM = np.array([196, 112, 112]) / 255
SCLERA = np.array([238, 234, 230]) / 255


def mix(below: np.ndarray, above, strength) -> np.ndarray:
    """`above` laid over `below` (n, 3) with opacity `strength` (n,) or a number."""
    opacity = np.asarray(strength)[..., None] if np.ndim(strength) else strength
    return below * (1 - opacity) + np.asarray(above) * opacity


def smooth(value, low, high):
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((np.asarray(value) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def eye_colours(look: Look) -> np.ndarray:
    """(n, 3) of one eyeball: pupil, iris with a dark rim, white that reddens at the sides."""
    angle = np.degrees(eye_polar())
    iris = np.array(look.iris) / 255
    colours = np.tile(SCLERA, (len(angle), 1))
    colours = mix(colours, (0.86, 0.72, 0.68), 0.5 * smooth(angle, 34, 70))
    colours = mix(colours, iris * 0.55, angle < 26)
    colours = mix(colours, np.minimum(iris * 1.15, 1), (angle < 22) * 1.0)
    return mix(colours, (0.03, 0.025, 0.025), (angle < 10) * 1.0)
