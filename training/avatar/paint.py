"""Paints the fine surface: what a vertex colour of the product's mesh is too coarse for.

Freckles, blotches and pores, the lines of the lips, fibres of the iris with its dark rim, veins
and the light that mirrors in the eye. sRGB in 0..1, lengths in dm from the middle of the eyes.
All of it is made up by formulas: no photo, no texture of anyone else.
"""

import numpy as np
from scipy.spatial import cKDTree

from l2t.face import FaceTemplate
from training.avatar.surface import Surface, noise
from training.face_looks import LOOKS, Look
from training.face_paint import SCLERA, gauss, mix, smooth
from training.face_parts import fit_sphere

FRECKLES, MOLES = 330, 2
# Where light mirrors in the eye: polar angle, turn and radius in degrees, and how strongly.
LAMPS = ((14.0, 118.0, 5.2, 0.97), (13.0, -52.0, 3.0, 0.30))


def paint(surface: Surface, template: FaceTemplate, identity: str) -> np.ndarray:
    """(n, 3) sRGB of every fine vertex."""
    look = LOOKS[identity]
    colours = surface.operator @ (template.colors_of(identity).astype(np.float32) / 255)
    names = np.array(template.part_names)[surface.parts]
    skin = names == "skin"
    lips = np.zeros(len(template.parts), np.float32)
    lips[template.region("lips")] = 1
    lips = surface.operator @ lips
    colours[skin] = _skin(colours[skin], surface.local[skin], lips[skin], look)
    for part in ("eye_l", "eye_r"):
        colours[names == part] = _eye(surface.local[names == part], look)
    for part in ("teeth_upper", "teeth_lower"):
        rows = names == part
        grain = noise(surface.local[rows] * (1, 0.3, 1), 0.02, 31)
        colours[rows] *= 1 + 0.03 * grain[:, None]
    cloth = (names == "shirt") | (surface.local[:, 1] < -1.32)
    weave = noise(surface.local[cloth] * (1, 0.25, 1), 0.02, 41)
    colours[cloth] *= 1 + 0.08 * weave[:, None]
    return np.clip(colours, 0, 1)


def _skin(colours, points, lips, look: Look) -> np.ndarray:
    """Blotches, pores, freckles on bare skin; lines on the lips; hair is left as it is."""
    tint = np.array(look.hair) / 255
    bare = smooth(np.linalg.norm(colours - tint, axis=1), 0.25, 0.5) * (points[:, 1] > -1.3)
    bare_skin = bare * (1 - smooth(lips, 0.2, 0.8))
    blotch = noise(points, 0.09, 1) + 0.7 * noise(points, 0.045, 2)
    pores = noise(points, 0.013, 3)
    colours = colours * (1 + bare_skin[:, None] * (blotch[:, None] * (0.008, 0.022, 0.026)
                                                   + 0.020 * pores[:, None]))
    warm = gauss(points, (0.40, -0.40, -0.2), (0.20, 0.15, 0.3))
    warm = 0.5 * warm + 0.45 * gauss(points, (0.0, -0.42, 0.3), (0.13, 0.12, 0.2))
    colours = mix(colours, colours * (1.0, 0.80, 0.76), bare_skin * np.clip(warm, 0, 1))
    shadow = gauss(points, (0.29, 0.10, 0.02), (0.17, 0.055, 0.25))  # make-up on the upper lids
    colours = mix(colours, (0.46, 0.33, 0.30), 0.5 * bare_skin * shadow)
    colours = mix(colours, colours * (0.72, 0.56, 0.46), bare_skin * _freckles(points, bare_skin))
    across = points[:, 0] + 0.006 * noise(points, 0.04, 11)
    lines = noise(np.c_[across, points[:, 1] * 0.15, points[:, 2] * 0.15], 0.012, 12)
    lines = np.clip(lines, -1.5, 1.5) + 0.4 * noise(points, 0.03, 13)
    rim = 4 * lips * (1 - lips)
    lip = smooth(lips, 0.3, 0.8) * bare
    colours = colours * (1 + (lip * 0.085 * lines)[:, None])
    return mix(colours, colours * (0.80, 0.66, 0.66), 0.55 * rim * bare)


def _freckles(points, bare) -> np.ndarray:
    """(n,) 0..1: discs of half a millimetre to one over cheeks and nose, and a few moles."""
    random = np.random.default_rng(5)
    where = (gauss(points, (0.36, -0.30, -0.1), (0.24, 0.16, 0.4))
             + gauss(points, (0.0, -0.28, 0.2), (0.16, 0.18, 0.3)) + 0.02)
    where = where * (bare > 0.9) * (points[:, 2] > -0.6) * (points[:, 1] > -0.95)
    chosen = random.choice(len(points), FRECKLES, replace=False, p=where / where.sum())
    radius = random.uniform(0.004, 0.010, FRECKLES)
    strength = random.uniform(0.12, 0.55, FRECKLES)
    side = (bare > 0.9) & (points[:, 0] > 0.25) & (points[:, 2] > -0.5)
    some = random.choice(np.flatnonzero(side), MOLES)
    chosen, radius = np.r_[chosen, some], np.r_[radius, np.full(MOLES, 0.011)]
    strength = np.r_[strength, np.full(MOLES, 1.2)]
    distance, nearest = cKDTree(points[chosen]).query(points, k=3)
    spot = strength[nearest] * (1 - smooth(distance / radius[nearest], 0.6, 1.3))
    return spot.max(axis=1)


def _eye(points, look: Look) -> np.ndarray:
    """(n, 3) of one eyeball looking along +z."""
    centre, _ = fit_sphere(points)
    way = points - centre
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    polar = np.degrees(np.arccos(np.clip(way[:, 2], -1, 1)))
    turn = np.arctan2(way[:, 1], way[:, 0])
    ring = np.c_[2.2 * np.cos(turn), 2.2 * np.sin(turn), polar / 26]
    veins = np.abs(noise(way * (1, 2.4, 1), 0.10, 22)) < 0.10
    colours = np.tile(SCLERA * 0.97, (len(points), 1))
    colours = mix(colours, (0.84, 0.64, 0.60), 0.6 * smooth(polar, 32, 64))
    colours = mix(colours, (0.80, 0.42, 0.40), 0.35 * veins * smooth(polar, 28, 44))
    colours = mix(colours, _iris(look, polar, ring), 1 - smooth(polar, 23.5, 26.0))
    colours = mix(colours, (0.02, 0.02, 0.02), 1 - smooth(polar, 8.6, 10.2))
    colours = colours * (1 - 0.50 * smooth(way[:, 1], 0.14, 0.42))[:, None]  # the lid's shadow
    for angle, at, radius, strength in LAMPS:
        a, t = np.radians(angle), np.radians(at)
        lamp = np.array([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)])
        away = np.degrees(np.arccos(np.clip(way @ lamp, -1, 1)))
        colours = mix(colours, (1.0, 1.0, 1.0), strength * (1 - smooth(away, 0.7 * radius, radius)))
    return colours


def _iris(look: Look, polar, ring) -> np.ndarray:
    """Fibres from the pupil outwards, a warm collar around it, a dark rim."""
    iris = np.array(look.iris) / 255
    fibres = noise(ring, 0.16, 24) + 0.6 * noise(ring, 0.07, 25)
    colours = iris * (1.12 + 0.20 * fibres)[:, None]
    collar = np.exp(-0.5 * ((polar - 12.0 - 0.9 * fibres) / 2.2) ** 2)
    colours = mix(colours, np.array((0.66, 0.50, 0.30)), 0.55 * np.clip(collar, 0, 1))
    return mix(colours, iris * 0.22, smooth(polar, 19.5, 24.0))
