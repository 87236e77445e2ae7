"""Two dental arches with gums: a row of rounded crowns along a half ellipse, nothing modelled.

Built in the frame of the first identity (decimetres) from the extent of its coarse helper teeth;
`build_face` carries it to the other identities with the helper's least-squares affine map.
"""

from dataclasses import dataclass

import numpy as np

from training.face_parts import Part, affine
from training.face_source import HeadSource

# From the middle incisor backwards, in dm: crown widths and heights of a common adult arch.
UPPER_WIDTHS = (0.085, 0.066, 0.076, 0.070, 0.066, 0.100, 0.095)
LOWER_WIDTHS = (0.053, 0.059, 0.068, 0.070, 0.071, 0.108, 0.104)
UPPER_HEIGHTS = (0.104, 0.094, 0.102, 0.086, 0.080, 0.074, 0.068)
LOWER_HEIGHTS = (0.086, 0.088, 0.096, 0.084, 0.080, 0.074, 0.070)
THICKNESS = (0.050, 0.048, 0.060, 0.072, 0.076, 0.090, 0.090)
# Relative width and thickness of a crown at its levels, from the gum to the tip.
LEVELS = (0.0, 0.35, 0.75, 0.94, 1.0)
WIDTH_AT = (0.80, 0.96, 1.0, 0.95, 0.80)
INCISOR_AT = (1.0, 0.92, 0.58, 0.40, 0.22)
MOLAR_AT = (1.0, 1.04, 1.0, 0.92, 0.66)
SIDES = 8
GUM_STEPS = 36
OVERBITE = 0.020  # dm: the upper incisors reach this far over the lower ones
OVERJET = 0.032  # dm: and stand this far in front of them
CLEARANCE = 0.050  # dm between the teeth and the inside of the lips at rest


@dataclass(frozen=True)
class Arch:
    """Half ellipse x = width * sin a, z = back + depth * cos a at height `edge` of the tips (dm).

    `down` is -1 for the upper arch (tips point down) and +1 for the lower one.
    """

    width: float
    depth: float
    back: float
    edge: float
    down: int

    def at(self, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, z) points (n, 2) and outward unit normals at signed arc lengths from the middle."""
        angle = np.linspace(-np.pi / 2, np.pi / 2, 721)
        x, z = self.width * np.sin(angle), self.back + self.depth * np.cos(angle)
        length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
        a = np.interp(place, length - length[-1] / 2, angle)
        point = np.stack([self.width * np.sin(a), self.back + self.depth * np.cos(a)], axis=-1)
        normal = np.stack([self.depth * np.sin(a), self.width * np.cos(a)], axis=-1)
        return point, normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def crowns(arch: Arch, widths, heights) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) vertices and (f, 3) outward triangles of fourteen crowns."""
    points, faces = [], []
    for side in (-1, 1):
        place = 0.0
        for k, (width, height) in enumerate(zip(widths, heights, strict=True)):
            centre = side * (place + width / 2)
            place += width
            offset = sum(len(p) for p in points)
            taper = INCISOR_AT if k < 3 else MOLAR_AT
            points.append(_crown(arch, centre, width, height, THICKNESS[k], taper))
            faces.append(_crown_faces(arch.down) + offset)
    return np.concatenate(points), np.concatenate(faces)


def _crown(arch: Arch, centre, width, height, thickness, taper) -> np.ndarray:
    middle, normal = arch.at(np.array(centre))
    along = np.array([normal[1], -normal[0]])
    turn = np.arange(SIDES) * 2 * np.pi / SIDES
    rim_u = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.55
    rim_v = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.75
    rings = []
    for level, wide, thick in zip(LEVELS, WIDTH_AT, taper, strict=True):
        # A thin tip keeps to the front: the labial face of an incisor is nearly flat.
        forward = 0.3 * thickness * (1 - thick) * (taper is INCISOR_AT)
        flat = (middle + np.outer(rim_u * width / 2 * wide, along)
                + np.outer(rim_v * thickness / 2 * thick + forward, normal))
        y = arch.edge - arch.down * height * (1 - level)
        rings.append(np.c_[flat[:, 0], np.full(SIDES, y), flat[:, 1]])
    tip = rings[-1].mean(axis=0) + [0, arch.down * 0.002, 0]
    return np.concatenate([*rings, tip[None]])


def _crown_faces(down: int) -> np.ndarray:
    k = np.arange(SIDES)
    following = (k + 1) % SIDES
    faces = []
    for ring in range(len(LEVELS) - 1):
        a, b = ring * SIDES, (ring + 1) * SIDES
        faces += [np.stack([a + k, b + k, b + following], axis=1),
                  np.stack([a + k, b + following, a + following], axis=1)]
    last = (len(LEVELS) - 1) * SIDES
    faces.append(np.stack([last + k, np.full(SIDES, last + SIDES), last + following], axis=1))
    faces = np.concatenate(faces)
    return faces[:, ::-1] if down < 0 else faces


def gums(arch: Arch, widths, heights) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3), (f, 3): a rounded ridge that covers the roots, scalloped between the teeth."""
    reach = sum(widths)
    place = np.linspace(-reach, reach, GUM_STEPS + 1)
    middle, normal = arch.at(place)
    borders = np.concatenate([[0], np.cumsum(widths)])
    near = np.abs(np.abs(place)[:, None] - borders).min(axis=1) / 0.035
    height = np.interp(np.abs(place), np.cumsum(widths) - np.array(widths) / 2, heights)
    line = height * 0.80 - 0.012 * np.clip(1 - near, 0, 1)
    # (outwards, away from the tips): front margin, front bulge, high front, top, high back, back
    profile = ((0.026, 0.0), (0.036, 0.018), (0.030, 0.10), (-0.02, 0.12),
               (-0.055, 0.06), (-0.045, 0.0))
    rows = []
    for out, up in profile:
        y = arch.edge - arch.down * (line + up)
        flat = middle + normal * out
        rows.append(np.stack([flat[:, 0], y, flat[:, 1]], axis=1))
    count = len(place)
    k = np.arange(count - 1)
    faces = []
    for r in range(len(profile) - 1):
        a, b = r * count, (r + 1) * count
        faces += [np.stack([a + k, a + k + 1, b + k + 1], axis=1),
                  np.stack([a + k, b + k + 1, b + k], axis=1)]
    faces = np.concatenate(faces)
    return np.concatenate(rows), faces[:, ::-1] if arch.down > 0 else faces


def arch_of(helper: np.ndarray, down: int, widths) -> Arch:
    """The arch that fills the extent of the helper teeth (n, 3), a little inside their front."""
    low, high = helper.min(axis=0), helper.max(axis=0)
    front = high[2] - 0.5 * THICKNESS[0] - 0.012
    width = high[0] - 0.5 * THICKNESS[-1]
    depth = front - low[2]
    # Stretch the depth so that half the ellipse is exactly as long as one side's teeth.
    for _ in range(20):
        angle = np.linspace(0, np.pi / 2, 400)
        length = np.hypot(np.diff(width * np.sin(angle)), np.diff(depth * np.cos(angle))).sum()
        depth *= (sum(widths) / length) ** 1.2
    edge = low[1] if down < 0 else high[1]
    return Arch(width, depth, front - depth, float(edge), down)


def mouth_wall(source: HeadSource, near, rings) -> np.ndarray:
    """(I, 2): height of the line where the lips meet, and depth z of the lips' inner wall (dm)."""
    middle = [v for v in rings[1] if abs(source.positions[0][v, 0]) < 0.03]
    inside = source.masks["inside_mouth"] > 0.5
    known = set(rings[0])
    wall = {v for _ in range(2) for s in tuple(known) for v in near.edge[s]
            if inside[v] and not known.add(v)}
    wall = [v for v in wall if abs(source.positions[0][v, 0]) < 0.06]
    return np.stack([source.positions[:, middle, 1].mean(axis=1),
                     source.positions[:, wall, 2].min(axis=1)], axis=1)


def teeth_parts(source: HeadSource, wall: np.ndarray) -> list[Part]:
    """Upper arch (still) and lower arch (driven by the helper's affine motion), each with gums.

    wall: from `mouth_wall`; every identity's arches hang from its own lip line.
    """
    parts = []
    for label, down, widths, heights in (("upper", -1, UPPER_WIDTHS, UPPER_HEIGHTS),
                                         ("lower", 1, LOWER_WIDTHS, LOWER_HEIGHTS)):
        own = source.vertices_of(f"helper-{label}-teeth")
        helper = source.positions[0][own]
        arch = arch_of(helper, down, widths)
        front = arch.back + arch.depth + THICKNESS[0] / 2
        tip = np.array([0.0, arch.edge, front, 1.0])
        for kind, make in (("teeth", crowns), ("gums", gums)):
            points, faces = make(arch, widths, heights)
            padded = np.c_[points, np.ones(len(points))]
            positions = []
            for own_positions, (line, depth) in zip(source.positions, wall, strict=True):
                carry = affine(helper, own_positions[own] - helper)
                height = line if down < 0 else line + OVERBITE - 0.006
                jet = CLEARANCE if down < 0 else CLEARANCE + OVERJET
                shift = np.array([0.0, height, depth - jet]) - (tip[:3] + tip @ carry)
                positions.append(points + padded @ carry + shift * (0, 1, 1))
            shapes = {} if down < 0 else {
                n: padded @ affine(helper, s[own]) for n, s in source.shapes.items()
                if np.abs(s[own]).max() > 0.005}
            parts.append(Part(f"{kind}_{label}", np.stack(positions), faces, shapes))
    return parts
