"""Parts beside the skin: round eyes that turn, the tongue, hair that hangs.

Lengths in decimetres like the source; every builder gives positions per identity on one topology.
"""

from dataclasses import dataclass

import numpy as np

from training.face_hair import Style
from training.face_mesh import catmull_clark
from training.face_source import HeadSource
from training.face_tress import tress, tress_faces

# Polar angle of the eye's rings in degrees from the front: dense where pupil, iris and white meet.
EYE_RINGS = (5.0, 9.4, 10.4, 16.0, 21.5, 25.0, 26.5, 34.0, 46.0, 62.0, 82.0)
EYE_SEGMENTS = 30
GAZE = {"In": 0.45, "Out": 0.45, "Up": 0.30, "Down": 0.40}  # radians at weight 1


@dataclass(frozen=True)
class Part:
    """positions (I, n, 3); faces (f, 3); label names the part; shapes: name -> (n, 3)."""

    label: str
    positions: np.ndarray
    faces: np.ndarray
    shapes: dict[str, np.ndarray]


def fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius of the least-squares sphere through (n, 3) points."""
    system = np.c_[2 * points, np.ones(len(points))]
    answer = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre = answer[:3]
    return centre, float(np.sqrt(answer[3] + centre @ centre))


def rotation(pitch: float, yaw: float) -> np.ndarray:
    """Rotation matrix: positive yaw turns +z towards +x, positive pitch turns it towards +y."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    return turn @ nod


def eye_angles() -> tuple[np.ndarray, np.ndarray]:
    """Polar angle and turn around the axis of each eye vertex in radians, both (n,).

    The pole comes first, then ring by ring.
    """
    polar = np.radians(np.concatenate([[0.0], np.repeat(EYE_RINGS, EYE_SEGMENTS)]))
    steps = np.concatenate([[0.0], np.tile(np.arange(EYE_SEGMENTS), len(EYE_RINGS))])
    return polar, steps * 2 * np.pi / EYE_SEGMENTS


def eye(side: str, centres: np.ndarray, radii: np.ndarray) -> Part:
    """The front of an eyeball at `centres` (I, 3) with `radii` (I,); side "Left" or "Right"."""
    polar, turn = eye_angles()
    sphere = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn),
                       np.cos(polar)], axis=1)
    positions = centres[:, None] + radii[:, None, None] * sphere
    nose = -1 if side == "Left" else 1  # the person's left eye looks towards -x for "In"
    angles = {"In": (0, nose), "Out": (0, -nose), "Up": (1, 0), "Down": (-1, 0)}
    shapes = {}
    for way, (pitch, yaw) in angles.items():
        matrix = rotation(pitch * GAZE[way], yaw * GAZE[way])
        shapes[f"eyeLook{way}{side}"] = radii.mean() * (sphere @ matrix.T - sphere)
    return Part(f"eye_{side[0].lower()}", positions, _cap_faces(), shapes)


def _cap_faces() -> np.ndarray:
    k = np.arange(EYE_SEGMENTS)
    following = (k + 1) % EYE_SEGMENTS
    faces = [np.stack([np.zeros_like(k), 1 + k, 1 + following], axis=1)]
    for ring in range(len(EYE_RINGS) - 1):
        a, b = 1 + ring * EYE_SEGMENTS, 1 + (ring + 1) * EYE_SEGMENTS
        faces += [np.stack([a + k, b + k, b + following], axis=1),
                  np.stack([a + k, b + following, a + following], axis=1)]
    return np.concatenate(faces)


def affine(before: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """(4, 3) matrix A with displacement ~ [before 1] @ A in the least-squares sense."""
    return np.linalg.lstsq(np.c_[before, np.ones(len(before))], displacement, rcond=None)[0]


def plain_part(source: HeadSource, group: str, label: str, shift=(0.0, 0.0, 0.0)) -> Part:
    """A group of the control mesh, smoothed by one Catmull-Clark step, not refined, moved (dm)."""
    quads = source.quads[source.groups[group]]
    division = catmull_clark(quads, source.positions.shape[1])
    every = np.ones(len(quads), bool)
    faces = division.triangles(~every, every)
    used = np.unique(faces)
    operator = division.operator[used]
    return Part(label, np.stack([operator @ p + shift for p in source.positions]),
                np.searchsorted(used, faces), {n: operator @ s for n, s in source.shapes.items()})


def hair(styles: list[Style], eyes: np.ndarray) -> Part:
    """Bob or bun of every identity around the middle of its eyes (I, 3)."""
    positions = np.stack([tress(style) + eye for style, eye in zip(styles, eyes, strict=True)])
    return Part("hair", positions, tress_faces(), {})
