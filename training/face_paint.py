"""Colour by vertex: skin, lips, brows, hair, eyes, mouth. sRGB in 0..1, mixed layer on layer."""

import numpy as np

from training.face_looks import Look

MOUTH = np.array([96, 34, 34]) / 255
TONGUE = np.array([166, 80, 80]) / 255
TOOTH = np.array([228, 220, 204]) / 255
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


def gauss(points: np.ndarray, centre, widths) -> np.ndarray:
    """(n,) bump of height 1 at `centre`, mirrored in x; widths and lengths in dm."""
    folded = np.abs(points[:, 0])[:, None]
    away = (np.c_[folded, points[:, 1:]] - centre) / widths
    return np.exp(-0.5 * (away**2).sum(axis=1))


def brow(points: np.ndarray) -> np.ndarray:
    """(n,) 0..1: two brows as arcs over the eyes; `points` in dm from the middle of the eyes."""
    across = np.abs(points[:, 0])
    along = (across - 0.125) / (0.50 - 0.125)
    arc = np.interp(along, (-0.1, 0.0, 0.3, 0.65, 1.0, 1.2),
                    (0.145, 0.165, 0.205, 0.225, 0.165, 0.11))
    thick = np.interp(along, (0.0, 0.25, 0.6, 1.0), (0.034, 0.036, 0.028, 0.010))
    body = np.exp(-0.5 * ((points[:, 1] - arc) / thick) ** 4)
    ends = smooth(along, -0.06, 0.10) * (1 - smooth(along, 0.85, 1.08))
    return body * ends * (points[:, 2] > -0.5)


def skin_colours(look: Look, points, fields: dict, hair, streak, collar) -> np.ndarray:
    """(n, 3) of the skin.

    points (n, 3) dm from the middle of the eyes (first identity); fields: masks of the source plus
    `lash`, `wet` (0..1) on the same vertices; hair (n,) 0..1, streak (n,) -1..1, collar (n,) dm
    under the neckline.
    """
    skin, lips, tint = (np.array(c) / 255 for c in (look.skin, look.lips, look.hair))
    depth = 1 - skin.mean()
    red = skin * (1.0, 0.80, 0.78)
    colours = np.tile(skin, (len(points), 1))
    cheeks = gauss(points, (0.42, -0.36, -0.25), (0.16, 0.14, 0.3))
    nose = gauss(points, (0.0, -0.42, 0.30), (0.12, 0.12, 0.2))
    under_eyes = gauss(points, (0.27, -0.13, 0.05), (0.12, 0.05, 0.2))
    stubble = tint * 0.5 + skin * 0.5 * (0.9, 0.95, 1.0)
    colours = mix(colours, red, 0.42 * look.blush * cheeks)
    colours = mix(colours, red, 0.30 * nose)
    colours = mix(colours, red, 0.35 * np.clip(fields["ears"], 0, 1))
    colours = mix(colours, skin * (0.84, 0.76, 0.78), 0.45 * np.clip(fields["eyelids"], 0, 1))
    colours = mix(colours, skin * (0.90, 0.84, 0.86), 0.6 * under_eyes)
    colours = mix(colours, stubble, 0.32 * look.beard * beard(points, fields))
    colours = mix(colours, tint * 0.8, 0.85 * look.brow * brow(points))
    lip = smooth(fields["lips"], 0.15, 0.75)
    colours = mix(colours, lips, (0.92 - 0.2 * depth) * lip)
    colours = mix(colours, lips * 0.55, 0.7 * np.clip(fields["wet"], 0, 1))
    colours = mix(colours, MOUTH, smooth(fields["inside_mouth"], 0.25, 0.8) * (1 - 0.35 * lip))
    dark = smooth(-points[:, 2], -0.12, 0.18) * smooth(fields["inside_mouth"], 0.5, 0.9)
    colours = mix(colours, MOUTH * 0.28, dark)
    colours = mix(colours, tint * 0.45, look.lash * np.clip(fields["lash"], 0, 1))
    shade = np.clip(1 + 0.16 * streak, 0.5, 1.4)[:, None]
    colours = mix(colours, tint * shade, smooth(hair, 0.10, 0.85))
    cloth = np.array(look.shirt) / 255
    return mix(colours, cloth, (collar > -0.035) * 1.0)


def beard(points: np.ndarray, fields: dict) -> np.ndarray:
    """(n,) 0..1: the shaved part of a man's face."""
    down = smooth(-points[:, 1], 0.52, 0.72) * smooth(points[:, 2], -0.75, -0.45)
    side = 1 - smooth(np.abs(points[:, 0]), 0.52, 0.72) * smooth(points[:, 1], -0.75, -0.55)
    return down * side * smooth(points[:, 1], -1.25, -1.0) * (1 - smooth(fields["lips"], 0.1, 0.5))


def eye_colours(look: Look, polar: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(n, 3) of one eyeball by polar angle and direction around it (n,), both in radians.

    Pupil, streaked iris with a dark rim, a white that reddens at the sides, the upper lid's shadow.
    """
    angle = np.degrees(polar)
    iris = np.array(look.iris) / 255
    colours = np.tile(SCLERA, (len(angle), 1))
    colours = mix(colours, (0.86, 0.72, 0.68), 0.5 * smooth(angle, 34, 70))
    colours = mix(colours, iris * 0.55, (angle < 26) * 1.0)
    streak = 1.1 + 0.14 * np.sin(7 * turn) * np.sin(4 * turn + 1)
    colours = mix(colours, np.minimum(iris * streak[:, None], 1), (angle < 22) * 1.0)
    colours = mix(colours, (0.03, 0.025, 0.025), (angle < 10) * 1.0)
    above = np.sin(turn) * np.sin(polar)
    return colours * (1 - 0.32 * smooth(above, 0.08, 0.42))[:, None]


def mouth_colours(label: str, positions: np.ndarray) -> np.ndarray:
    """(n, 3) of teeth, gums or tongue: darker the deeper they lie in the mouth (dm, z forward)."""
    base = TOOTH if label.startswith("teeth") else TONGUE if label == "tongue" else GUM
    depth = positions[:, 2].max() - positions[:, 2]
    shade = 1 - (0.72 if label == "tongue" else 0.62) * smooth(depth, 0.03, 0.42)
    colours = base * shade[:, None]
    if label.startswith("teeth"):  # a crown is warmer and darker towards the gum
        height = positions[:, 1] - positions[:, 1].mean()
        root = smooth(height if label == "teeth_upper" else -height, -0.01, 0.06)
        colours = mix(colours, colours * (0.93, 0.86, 0.76), 0.8 * root)
    return colours


def tress_colours(look: Look, points: np.ndarray) -> np.ndarray:
    """(n, 3) of hanging or wound hair (n, 3): strands around the vertical axis."""
    ball = points - points.mean(axis=0)
    strand = np.sin(23 * np.arctan2(ball[:, 0], ball[:, 2]) + 6 * ball[:, 1])
    return np.array(look.hair) / 255 * np.clip(1 + 0.14 * strand, 0.5, 1.4)[:, None]
