"""Short hair out of the scalp itself: where it grows, how far it stands off, and a bun.

The hairline is drawn in the frame of the first identity: decimetres from the middle of the eyes.
"""

from dataclasses import dataclass

import numpy as np

from training.face_paint import smooth

HEAD_CENTRE = np.array([0.0, 0.30, -0.78])  # dm from the middle of the eyes
# The hairline: azimuth from the front in degrees, height over the eyes in dm.
AZIMUTH = (0, 18, 30, 40, 50, 60, 70, 77, 84, 90, 96, 104, 115, 125, 140, 180)
HEIGHT = (0.69, 0.68, 0.65, 0.60, 0.54, 0.46, 0.34, 0.16, -0.02, -0.10, -0.06, -0.02, -0.20, -0.42,
          -0.56, -0.60)
RECEDED = (0.70, 0.74, 0.79, 0.72, 0.60, 0.50, 0.36, 0.12, -0.12, -0.22, -0.10, -0.02, -0.18,
           -0.38, -0.50, -0.54)


@dataclass(frozen=True)
class Style:
    """Hair of one identity: how far it stands off in dm on top and at the sides."""

    top: float
    side: float
    receded: bool = False
    bun: tuple[float, float, float] | None = None  # centre in dm from the middle of the eyes
    bun_size: float = 0.0  # dm
    rough: float = 0.0  # share of the stand-off that is unruly


STYLES = {
    "caucasian-female-young": Style(0.10, 0.06, bun=(0.0, 0.42, -1.78), bun_size=0.30),
    "caucasian-male-young": Style(0.15, 0.05, receded=True, rough=0.25),
    "asian-female-young": Style(0.10, 0.06, bun=(0.0, 1.02, -1.30), bun_size=0.32),
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
    wave = 0.012 * np.sin(local[:, 0] * 47) + 0.010 * np.sin(local[:, 0] * 91 + 1)
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


def bun(style: Style | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) dm from the middle of the eyes, (f, 3): a ball of hair, or one inside the skull."""
    rows, columns = 9, 14
    polar = np.linspace(0, np.pi, rows + 1)[1:-1]
    turn = np.arange(columns) * 2 * np.pi / columns
    ring = np.stack([np.outer(np.sin(polar), np.cos(turn)),
                     np.repeat(np.cos(polar)[:, None], columns, axis=1),
                     np.outer(np.sin(polar), np.sin(turn))], axis=-1).reshape(-1, 3)
    ball = np.concatenate([[[0, 1, 0]], ring, [[0, -1, 0]]])
    k, following = np.arange(columns), (np.arange(columns) + 1) % columns
    faces = [np.stack([np.zeros_like(k), 1 + following, 1 + k], axis=1)]
    for r in range(len(polar) - 1):
        a, b = 1 + r * columns, 1 + (r + 1) * columns
        faces += [np.stack([a + k, a + following, b + following], axis=1),
                  np.stack([a + k, b + following, b + k], axis=1)]
    last = 1 + (len(polar) - 1) * columns
    faces.append(np.stack([last + k, last + following, np.full(columns, len(ball) - 1)], axis=1))
    if style is None or style.bun is None:
        return HEAD_CENTRE + 0.1 * ball, np.concatenate(faces)
    size = style.bun_size * np.array([1.0, 0.92, 0.85])
    twist = np.sin(4 * np.arctan2(ball[:, 0], ball[:, 2]) + 5 * ball[:, 1])
    wound = ball * (1 + 0.05 * twist)[:, None]
    return np.array(style.bun) + size * wound, np.concatenate(faces)

