"""A shirt: where it begins on the body, the band of its neckline, and the cut under the bust."""

import numpy as np

from training.face_mesh import vertex_normals
from training.face_parts import Part

CLOTH = 0.03  # dm that the shirt stands off the skin
BAND_STEPS, BAND_SIDES = 48, 6
BAND_HALF = (0.032, 0.055)  # dm: half thickness, half width of the band


def under_neckline(local: np.ndarray) -> np.ndarray:
    """(n,) dm under the neckline (negative: bare skin), points from the middle of the eyes."""
    return -1.52 - 0.30 * (local[:, 2] + 0.45) - local[:, 1]


def shirt_part(positions: np.ndarray, faces: np.ndarray, local: np.ndarray) -> Part:
    """Band and cut for the skin's `positions` (I, n, 3); `local` (n, 3) carries the neckline."""
    band, band_faces = _band(positions, faces, under_neckline(local))
    cut, cut_faces = _cut(positions, faces, under_neckline(local))
    return Part("shirt", np.concatenate([band, cut], axis=1),
                np.concatenate([band_faces, cut_faces + band.shape[1]]), {})


def contour(faces: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The longest closed line where `value` (n,) crosses zero: edge ends (m, 2), shares (m,).

    Point k lies at (1 - share) * end 0 + share * end 1, in order along the line.
    """
    links: dict[tuple[int, int], set] = {}
    for triangle in faces[np.ptp(np.sign(value[faces]), axis=1) > 0].tolist():
        crossed = [tuple(sorted((triangle[k], triangle[k - 1]))) for k in range(3)
                   if (value[triangle[k]] > 0) != (value[triangle[k - 1]] > 0)]
        for a, b in (crossed, crossed[::-1]):
            links.setdefault(a, set()).add(b)
    best: list = []
    todo = set(links)
    while todo:
        path = [min(todo)]
        todo.discard(path[0])
        while onward := sorted(links[path[-1]] & todo):
            path.append(onward[0])
            todo.discard(onward[0])
        best = max(best, path, key=len)
    ends = np.array(best)
    low, high = value[ends[:, 0]], value[ends[:, 1]]
    return ends, low / (low - high)


def _band(positions, faces, value) -> tuple[np.ndarray, np.ndarray]:
    ends, share = contour(faces, value)
    share = share[:, None]
    line = positions[0][ends[:, 0]] * (1 - share) + positions[0][ends[:, 1]] * share
    steps = np.linalg.norm(np.diff(line, axis=0, append=line[:1]), axis=1)
    place = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, place[-1], BAND_STEPS, endpoint=False)
    turn = np.arange(BAND_SIDES) * 2 * np.pi / BAND_SIDES
    bands = []
    for points in positions:
        normals = vertex_normals(points, faces)
        at = [_around(place, wanted, a[ends[:, 0]] * (1 - share) + a[ends[:, 1]] * share)
              for a in (points, normals)]
        centre, out = _smoothed(at[0]), _unit(_smoothed(at[1]))
        along = _unit(np.roll(centre, -1, axis=0) - np.roll(centre, 1, axis=0))
        across = np.cross(out, along)
        ring = (np.cos(turn)[:, None, None] * BAND_HALF[0] * out
                + np.sin(turn)[:, None, None] * BAND_HALF[1] * across)
        bands.append((centre + 0.4 * BAND_HALF[0] * out + ring).reshape(-1, 3))
    k = np.arange(BAND_STEPS)
    following = (k + 1) % BAND_STEPS
    tube = []
    for side in range(BAND_SIDES):
        a, b = side * BAND_STEPS, (side + 1) % BAND_SIDES * BAND_STEPS
        tube += [np.stack([a + k, a + following, b + following], axis=1),
                 np.stack([a + k, b + following, b + k], axis=1)]
    tube = np.concatenate(tube)
    bands = np.stack(bands)
    return bands, tube if _outward(bands[0], tube) else tube[:, ::-1]


def _outward(tube: np.ndarray, faces: np.ndarray) -> bool:
    """Whether the triangles of a closed tube face away from its inside (signed volume)."""
    a, b, c = (tube[faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum()) > 0


def _around(place, wanted, values) -> np.ndarray:
    closed = np.concatenate([values, values[:1]])
    return np.stack([np.interp(wanted, place, column) for column in closed.T], axis=1)


def _smoothed(ring: np.ndarray) -> np.ndarray:
    for _ in range(3):
        ring = (np.roll(ring, 1, axis=0) + 2 * ring + np.roll(ring, -1, axis=0)) / 4
    return ring


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _cut(positions, faces, value) -> tuple[np.ndarray, np.ndarray]:
    """Triangles from the open lower border to one point, so that the bust is closed."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    key = np.sort(sides, axis=1)
    _, first, count = np.unique(key, axis=0, return_index=True, return_counts=True)
    border = sides[first[count == 1]]
    border = border[(value[border] > 0).all(axis=1)]
    own, flat = np.unique(border, return_inverse=True)
    rim = flat.reshape(-1, 2)
    points = positions[:, own]
    low = points[:, :, 1].min(axis=1)
    centre = np.stack([np.zeros(len(low)), low, points[:, :, 2].mean(axis=1)], axis=1)
    middle = np.full(len(rim), len(own))
    return (np.concatenate([points, centre[:, None]], axis=1),
            np.stack([rim[:, 1], rim[:, 0], middle], axis=1))
