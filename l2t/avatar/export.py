"""Gaussians of one moment as files: .ply as 3D Gaussian Splatting writes it, and .splat.

Viewers of splats have y pointing down and stand about five units away: the head is turned half
round the x axis and measured in decimetres.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.avatar.binding import SH_0, rotations, triangle_frames
from l2t.avatar.gaussians import Gaussians
from l2t.errors import OutputError

UNITS = 10.0  # a metre, in the unit of the files
TURNED = np.diag((1.0, -1.0, -1.0))
PLY_NAMES = ("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2",
             *(f"f_rest_{i}" for i in range(9)), "opacity", "scale_0", "scale_1", "scale_2",
             "rot_0", "rot_1", "rot_2", "rot_3")  # fmt: skip
SPLAT = np.dtype([("place", "<f4", 3), ("scale", "<f4", 3), ("colour", "u1", 4),
                  ("turn", "u1", 4)])


@dataclass(frozen=True, eq=False)
class Frozen:
    """Free Gaussians in the axes and the unit of the files.

    means, scales: (G, 3); turns: (G, 4) unit quaternions w x y z; opacity: (G,) 0..1;
    colours: (G, 4, 3) harmonics of degree 0 and 1.
    """

    means: np.ndarray
    scales: np.ndarray
    turns: np.ndarray
    opacity: np.ndarray
    colours: np.ndarray


def frozen(gaussians: Gaussians, vertices: np.ndarray, faces: np.ndarray) -> Frozen:
    """Where the Gaussians are for these vertices (V, 3); those on triangles without area go."""
    vertices = np.ascontiguousarray(vertices, np.float64)
    origin, size = np.empty((len(faces), 3)), np.empty(len(faces))
    basis = np.empty((len(faces), 3, 3))
    triangle_frames(vertices, np.ascontiguousarray(faces, np.int32), origin, basis, size)
    kept = size[gaussians.triangle] > 0
    triangle = gaussians.triangle[kept]
    axes, size = TURNED @ basis[triangle], UNITS * size[triangle]
    means = UNITS * origin[triangle] @ TURNED.T
    means += size[:, None] * np.einsum("gij,gj->gi", axes, gaussians.mu[kept])
    colours = gaussians.colour[kept].astype(np.float64)
    # Degree 1 is linear in the direction: its three coefficients turn like a vector.
    ways = np.stack([-colours[:, 3], -colours[:, 1], colours[:, 2]], axis=1)
    x, y, z = np.einsum("gij,gjc->igc", axes, ways)
    return Frozen(
        means, size[:, None] * np.exp(gaussians.scale_log[kept].astype(np.float64)),
        quaternions(axes @ rotations(gaussians.turn[kept].astype(np.float64))),
        gaussians.opacity[kept], np.stack([colours[:, 0], -y, z, -x], axis=1),
    )  # fmt: skip


def quaternions(matrices: np.ndarray) -> np.ndarray:
    """(n, 4) unit w x y z, w >= 0, of rotations (n, 3, 3)."""
    # The largest eigenvector of a symmetric 4 x 4 matrix (Bar-Itzhack, JGCD 2000): no cases.
    m = matrices
    k = np.empty((len(m), 4, 4))
    k[:, 0, 0] = m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2]
    k[:, 0, 1:] = np.stack([m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0],
                            m[:, 1, 0] - m[:, 0, 1]], axis=1)
    k[:, 1:, 0] = k[:, 0, 1:]
    k[:, 1:, 1:] = m + m.transpose(0, 2, 1) - k[:, 0, 0][:, None, None] * np.eye(3)
    best = np.linalg.eigh(k)[1][:, :, -1]
    return best * np.where(best[:, :1] < 0, -1.0, 1.0)


def write_ply(path: Path, gaussians: Frozen) -> Path:
    """Binary little-endian .ply, float32, harmonics of degree 1. Raises OutputError."""
    count = len(gaussians.means)
    opacity = np.clip(gaussians.opacity, 1e-6, 1 - 1e-6)
    rest = gaussians.colours[:, 1:].transpose(0, 2, 1).reshape(count, 9)  # colour after colour
    table = np.concatenate(
        [gaussians.means, np.zeros((count, 3)), gaussians.colours[:, 0], rest,
         np.log(opacity / (1 - opacity))[:, None], np.log(gaussians.scales), gaussians.turns],
        axis=1,
    )  # fmt: skip
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {count}",
            *(f"property float {name}" for name in PLY_NAMES), "end_header", ""]  # fmt: skip
    return _written(path, ".ply", "\n".join(head).encode() + table.astype("<f4").tobytes())


def write_splat(path: Path, gaussians: Frozen) -> Path:
    """.splat: 32 bytes each, the most visible first; colours of degree 0. Raises OutputError."""
    rows = np.empty(len(gaussians.means), SPLAT)
    rows["place"], rows["scale"] = gaussians.means, gaussians.scales
    colour = 0.5 + SH_0 * gaussians.colours[:, 0]
    rows["colour"] = np.round(255 * np.clip(np.c_[colour, gaussians.opacity], 0, 1))
    rows["turn"] = np.clip(np.round(gaussians.turns * 128 + 128), 0, 255)
    seen = gaussians.opacity * np.prod(gaussians.scales, axis=1)
    return _written(path, ".splat", rows[np.argsort(-seen, kind="stable")].tobytes())


def _written(path: Path, ending: str, content: bytes) -> Path:
    if path.suffix.lower() != ending:
        raise OutputError(f"The file must end in {ending}, found the name {path.name!r}.")
    try:
        path.write_bytes(content)
    except OSError as error:
        why = (error.strerror or "unknown reason").lower()
        raise OutputError(f"The file {path.name!r} cannot be written there: {why}.") from error
    return path
