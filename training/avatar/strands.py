"""Hair, brows and lashes as thin tubes that hang on triangles of the template.

A strand is a line of points in the frame of the triangle it is rooted in, so that lashes go down
with the lid and brows up with the forehead. Lengths in metres unless said otherwise.
"""

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial import cKDTree

from l2t.avatar.binding import triangle_frames

SIDES = 3  # corners of a strand's section


@dataclass(frozen=True, eq=False)
class Strands:
    """lines: (S, P, 3) points in the frames of triangle (S,), in its
    size; radius: (S, P) metres;
    colours: (S, P, 3) sRGB in 0..1."""

    triangle: np.ndarray
    lines: np.ndarray
    radius: np.ndarray
    colours: np.ndarray

    def __getitem__(self, rows) -> "Strands":
        return Strands(*(getattr(self, f.name)[rows] for f in fields(self)))

    @property
    def faces(self) -> np.ndarray:
        """(f, 3) int32 of the tubes, outside out."""
        count, points = self.radius.shape
        section = np.arange(SIDES)
        following = (section + 1) % SIDES
        low = (np.arange(points - 1) * SIDES)[:, None]
        tube = np.stack([np.stack([low + section, low + following, low + SIDES + following]),
                         np.stack([low + section, low + SIDES + following, low + SIDES + section])])
        tube = tube.transpose(0, 2, 3, 1).reshape(-1, 3)
        every = tube + (np.arange(count) * points * SIDES)[:, None, None]
        return every.reshape(-1, 3).astype(np.int32)

    def lines_at(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(S, P, 3) metres, for template vertices (V, 3)."""
        origin, basis, size = frames_of(vertices, faces[self.triangle])
        lines = np.einsum("sij,spj->spi", basis * size[:, None, None], self.lines)
        return lines + origin[:, None]

    def posed(self, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(S * P * SIDES, 3) points of the tubes and their normals, for template vertices."""
        lines = self.lines_at(vertices, faces)
        basis = frames_of(vertices, faces[self.triangle])[1]
        along = np.gradient(lines, axis=1)
        along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-12
        out = basis[:, None, :, 1] - (along * basis[:, None, :, 1]).sum(-1, keepdims=True) * along
        out /= np.linalg.norm(out, axis=2, keepdims=True) + 1e-12
        aside = np.cross(along, out)
        turn = np.arange(SIDES) * 2 * np.pi / SIDES
        normals = (np.cos(turn)[:, None] * out[:, :, None] + np.sin(turn)[:, None]
                   * aside[:, :, None])
        points = lines[:, :, None] + self.radius[..., None, None] * normals
        # Light falls on a strand as on the surface it lies on, a little rounder.
        lit = 0.45 * normals + out[:, :, None]
        lit /= np.linalg.norm(lit, axis=-1, keepdims=True) + 1e-12
        return points.reshape(-1, 3).astype(np.float32), lit.reshape(-1, 3).astype(np.float32)

    @property
    def painted(self) -> np.ndarray:
        """(S * P * SIDES, 3) sRGB in 0..1."""
        return np.repeat(self.colours.reshape(-1, 3), SIDES, axis=0)


def frames_of(vertices: np.ndarray, faces: np.ndarray):
    """(origin, basis, size) of triangles, see `triangle_frames`."""
    count = len(faces)
    out = (np.empty((count, 3), np.float32), np.empty((count, 3, 3), np.float32),
           np.empty(count, np.float32))
    triangle_frames(np.ascontiguousarray(vertices, np.float32),
                    np.ascontiguousarray(faces, np.int32), *out)
    return out


def rooted(lines, radius, colours, vertices, faces, allowed) -> Strands:
    """Strands (S, P, 3) in metres at rest, hung on the nearest of the `allowed` triangles."""
    origin, basis, size = frames_of(vertices, faces[allowed])
    good = size > 1e-5
    nearest = np.flatnonzero(good)[cKDTree(origin[good]).query(lines[:, 0])[1]]
    local = np.einsum("sij,spi->spj", basis[nearest], lines - origin[nearest][:, None])
    return Strands(np.asarray(allowed)[nearest], local / size[nearest][:, None, None],
                   radius, colours)


def joined(*sets: Strands) -> Strands:
    """Sets whose strands have equally many points, in one."""
    return Strands(*(np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(Strands)))
