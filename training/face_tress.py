"""Hair that leaves the scalp: a bob or a bun, on one grid so that all identities share triangles.

The grid is a tube of `AROUND` vertices swept through `ALONG` steps with a cap at either end. For a
bob the tube is the flat cross-section of hair hanging from the crown, swept from one cheek around
the back to the other; for a bun it is a ball; for everyone else a ball inside the skull.
Lengths in decimetres from the middle of the eyes.
"""

import numpy as np

from training.face_hair import HEAD_CENTRE, Style
from training.face_paint import smooth

ALONG, AROUND = 29, 18
BUN = np.array([0.32, 0.30, 0.28])  # half axes
FRONT = 66.0  # azimuth in degrees at which a bob's front edges hang


def tress(style: Style) -> np.ndarray:
    """(ALONG * AROUND + 2, 3) vertices; the last two close the ends."""
    if style.bob:
        return _bob(style.bob)
    if style.bun:
        return np.array(style.bun) + BUN * _ball(0.05)
    return HEAD_CENTRE + 0.1 * _ball(0.0)


def tress_faces() -> np.ndarray:
    """(f, 3) triangles of the grid, outside out."""
    k = np.arange(AROUND)
    following = (k + 1) % AROUND
    faces = []
    for step in range(ALONG - 1):
        a, b = step * AROUND, (step + 1) * AROUND
        faces += [np.stack([a + k, b + k, b + following], axis=1),
                  np.stack([a + k, b + following, a + following], axis=1)]
    last, start, end = (ALONG - 1) * AROUND, ALONG * AROUND, ALONG * AROUND + 1
    faces += [np.stack([np.full(AROUND, start), k, following], axis=1),
              np.stack([np.full(AROUND, end), last + following, last + k], axis=1)]
    return np.concatenate(faces)


def _ball(wave: float) -> np.ndarray:
    polar = (np.arange(ALONG) + 0.5)[:, None] * np.pi / ALONG
    turn = np.arange(AROUND)[None] * 2 * np.pi / AROUND
    ball = np.stack([np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn,
                     np.sin(polar) * np.cos(turn)], axis=-1)
    ball *= (1 + wave * np.sin(4 * turn + 5 * np.cos(polar)))[..., None]
    return np.concatenate([ball.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])


def _bob(fall: float) -> np.ndarray:
    azimuth = np.radians(np.linspace(FRONT, 360 - FRONT, ALONG))
    back = smooth(np.abs(np.degrees(azimuth) - 180), 180 - FRONT, 60)  # 0 at the cheeks, 1 behind
    half = AROUND // 2
    t = np.linspace(0, 1, half)
    # The outer profile from under the crown's hair to the tips, then the inner one back up.
    outer_r = np.interp(t, (0, 0.2, 0.4, 0.6, 0.85, 1), (0.60, 0.93, 1.05, 1.08, 1.04, 0.97))
    inner_r = np.interp(t, (0, 0.2, 0.4, 0.6, 0.85, 1), (0.50, 0.66, 0.80, 0.86, 0.88, 0.90))
    radius = np.concatenate([outer_r, inner_r[::-1]])
    down = np.concatenate([t, t[::-1]])
    points = []
    for angle, behind in zip(azimuth, back, strict=True):
        top, tip = 0.80 + 0.06 * behind, -fall - 0.10 * behind
        # Towards the tips the front edges frame the cheeks.
        turned = angle + np.radians(10) * (1 - behind) * (0.6 - down) * np.sign(np.pi - angle)
        wave = 0.02 * np.sin(9 * angle) * smooth(down, 0.3, 1.0)
        thin = 1 - 0.07 * (1 - behind) * np.sign(radius - 0.9)
        x = np.sin(turned) * (0.86 * radius * thin + wave)
        z = HEAD_CENTRE[2] + np.cos(turned) * (0.86 * radius * thin + wave)
        points.append(np.stack([x, top + (tip - top) * down, z], axis=1))
    points = np.array(points)[:, ::-1]  # the same side out as the ball
    ends = points[[0, -1]].mean(axis=1)
    return np.concatenate([points.reshape(-1, 3), ends])
