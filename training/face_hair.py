"""Short hair out of the scalp itself: where it grows and how far it stands off.

The hairline is drawn in the frame of the first identity: decimetres from the middle of the eyes.
"""

from dataclasses import dataclass

import numpy as np

from training.face_paint import smooth

HEAD_CENTRE = np.array([0.0, 0.30, -0.78])  # dm from the middle of the eyes
# The hairline: azimuth from the front in degrees, height over the eyes in dm.
AZIMUTH = (0, 18, 30, 42, 52, 60, 66, 73, 80, 88, 96, 104, 115, 125, 140, 180)
HEIGHT = (0.72, 0.73, 0.70, 0.62, 0.52, 0.37, 0.20, 0.04, -0.08, -0.11, -0.06, -0.02, -0.20, -0.42,
          -0.56, -0.60)
RECEDED = (0.73, 0.76, 0.78, 0.68, 0.55, 0.42, 0.24, 0.04, -0.14, -0.22, -0.10, -0.02, -0.18,
           -0.38, -0.50, -0.54)


@dataclass(frozen=True)
class Style:
    """Hair of one identity: how far it stands off in dm on top and at the sides."""

    top: float
    side: float
    receded: bool = False
    bun: tuple[float, float, float] | None = None  # centre in dm from the middle of the eyes
    bob: float = 0.0  # dm under the eyes to which long hair falls; 0: none
    rough: float = 0.0  # share of the stand-off that is unruly


STYLES = {
    "caucasian-female-young": Style(0.13, 0.08, bob=1.12),
    "caucasian-male-young": Style(0.15, 0.05, receded=True, rough=0.25),
    "asian-female-young": Style(0.10, 0.06, bun=(0.0, 1.02, -1.30)),
    "asian-male-young": Style(0.18, 0.05, rough=0.3),
    "african-female-young": Style(0.26, 0.20, rough=0.08),
    "african-male-young": Style(0.06, 0.03, receded=True),
    "old-female": Style(0.20, 0.13, rough=0.2),
    "old-male": Style(0.05, 0.03, receded=True),
}
DEFAULT_STYLE = Style(0.10, 0.05)


def over_line(local: np.ndarray, receded: bool = False) -> np.ndarray:
    """(n,) dm over the hairline (negative: bare skin), for points from the middle of the eyes."""
    from_centre = local - HEAD_CENTRE
    azimuth = np.degrees(np.arctan2(np.abs(from_centre[:, 0]), from_centre[:, 2]))
    line = RECEDED if receded else HEIGHT
    wave = 0.008 * np.sin(local[:, 0] * 47) + 0.006 * np.sin(local[:, 0] * 91 + 1)
    over = local[:, 1] - np.interp(azimuth, AZIMUTH, line) - wave
    # Height turned into distance where the line is steep (it lies about 1 dm from the axis).
    steep = np.gradient(np.interp(np.arange(181), AZIMUTH, line), np.radians(1))
    return over / np.sqrt(1 + np.interp(azimuth, np.arange(181), steep) ** 2)


def growth(local: np.ndarray, ears: np.ndarray, receded: bool = False) -> np.ndarray:
    """(n,) 0 bald .. 1 hair; never on the ears."""
    return smooth(over_line(local, receded), -0.07, 0.09) * (1 - smooth(ears, 0.35, 0.85))


def stand_off(local: np.ndarray, grown: np.ndarray, style: Style) -> np.ndarray:
    """(n,) dm that the hair's surface lies over the scalp, rising gently from the hairline."""
    from_centre = local - HEAD_CENTRE
    height = from_centre[:, 1] / np.linalg.norm(from_centre, axis=1)
    full = style.side + (style.top - style.side) * smooth(height, 0.0, 0.75)
    full = full * (1 + style.rough * unruly(local))
    slope = 0.12 + 0.9 * max(style.top, style.side)
    return full * grown * np.sqrt(smooth(over_line(local, style.receded), -0.02, slope))


def unruly(local: np.ndarray) -> np.ndarray:
    """(n,) smooth waves in -1..1 without a direction, the same on every run."""
    random = np.random.default_rng(7)
    waves = random.normal(size=(24, 3)) * 9
    phases = random.uniform(0, 2 * np.pi, 24)
    return np.sin(local @ waves.T + phases).sum(axis=1) / 8


def streaks(local: np.ndarray) -> np.ndarray:
    """(n,) -1..1: strands combed from the front to the back, for light and dark hair."""
    from_centre = local - HEAD_CENTRE
    around = np.arctan2(from_centre[:, 0], from_centre[:, 1] + 0.35)
    return (np.sin(around * 31) + np.sin(around * 53 + 1.7) + unruly(local * 1.7)) / 3
