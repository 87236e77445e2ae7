"""Light on the face: three soft lights on every vertex, the same for both painters.

Colours come shaded to the painters (which only fill triangles), so a film looks the same with
and without GL, and the lighting is not bound to what VTK's own model can do: here red light
creeps round into the shadow as it does in skin, and wet parts shine.

Light adds up linearly; sRGB is approximated by its square, and its inverse by the square root.
"""

import numpy as np

from l2t.render.jit import jit
from l2t.render.scene import Shot

# Material: how far red, green and blue wrap round the terminator, strength and exponent of shine,
# and the least share of the sky it is given (eyes and teeth would drown in their sockets).
MATERIALS = {
    "skin": (0.42, 0.28, 0.22, 0.050, 14.0, 0.0),
    "lips": (0.40, 0.28, 0.24, 0.140, 30.0, 0.0),
    "eye": (0.20, 0.20, 0.20, 2.200, 500.0, 0.6),
    "teeth": (0.45, 0.40, 0.36, 0.200, 40.0, 0.5),
    "mouth": (0.45, 0.30, 0.25, 0.120, 30.0, 0.0),
    "hair": (0.25, 0.25, 0.25, 0.030, 8.0, 0.0),
    "cloth": (0.30, 0.30, 0.30, 0.015, 6.0, 0.0),
}
# Towards each light in camera axes (right, up, to the camera), and its colour: key, fill, rim.
LIGHT_WAYS = np.array([(-0.50, 0.52, 0.78), (0.85, 0.08, 0.55), (0.55, 0.60, -0.65)])
LIGHT_COLORS = np.array([(0.78, 0.74, 0.69), (0.17, 0.20, 0.25), (0.26, 0.28, 0.32)])
SHINE_WAY = np.array([-0.40, 0.22, 0.90])  # the lamp that mirrors in eyes and lips, below the lids
SKY, GROUND = (0.27, 0.28, 0.30), (0.15, 0.125, 0.115)  # light from all round, above and below


@jit
def _shade(points, normals, linear, material, sees, eye, ways, lights, lamp, sky, ground, out):
    for v in range(len(points)):
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        vx, vy, vz = eye[0] - points[v, 0], eye[1] - points[v, 1], eye[2] - points[v, 2]
        length = np.sqrt(vx * vx + vy * vy + vz * vz)
        vx, vy, vz = vx / length, vy / length, vz / length
        facing = nx * vx + ny * vy + nz * vz
        hx, hy, hz = lamp[0] + vx, lamp[1] + vy, lamp[2] + vz
        half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz)
        shine = material[v, 3] * max(half, 0.0) ** material[v, 4]
        grazing = 1.0 - max(0.0, facing)
        shine = (shine + 0.05 * grazing * grazing * grazing) * (0.3 + 0.7 * sees[v])
        up = 0.5 + 0.5 * ny
        for k in range(3):
            wrap = material[v, k]
            light = (ground[k] + (sky[k] - ground[k]) * up) * sees[v]
            for i in range(len(ways)):
                lit = (nx * ways[i, 0] + ny * ways[i, 1] + nz * ways[i, 2] + wrap) / (1.0 + wrap)
                if lit > 0:
                    light += lights[i, k] * lit * lit * (0.35 + 0.65 * sees[v])
            value = min(1.0, linear[v, k] * light * 1.05 + shine * lights[0, k])
            out[v, k] = np.uint8(255.0 * np.sqrt(value) + 0.5)
        out[v, 3] = 255


class Shader:
    """Shades one head: knows its colours, materials and how deep each vertex lies in a fold."""

    def __init__(self, colors: np.ndarray, material: np.ndarray, occlusion: np.ndarray):
        """colors: (V, 3) uint8 sRGB; material: (V,) names of `MATERIALS`;
        occlusion: (V,) 0..1, the share of the sky a vertex sees.
        """
        self._linear = np.square(colors.astype(np.float32) / 255)
        names, index = np.unique(material, return_inverse=True)
        self._material = np.array([MATERIALS[n] for n in names], np.float32)[index]
        self._sees = np.maximum(occlusion, self._material[:, 5]).astype(np.float32)

    def __call__(self, points: np.ndarray, normals: np.ndarray, shot: Shot) -> np.ndarray:
        """(V, 3) metres and unit normals -> (V, 4) uint8 RGBA as seen by the shot's camera."""
        out = np.empty((len(points), 4), np.uint8)
        axes = np.stack([shot.right, shot.up, shot.back])
        ways = np.concatenate([LIGHT_WAYS, SHINE_WAY[None]]) @ axes
        ways = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).astype(np.float32)
        _shade(
            points, normals, self._linear, self._material, self._sees, shot.eye.astype(np.float32),
            ways[:-1], LIGHT_COLORS.astype(np.float32), ways[-1], np.array(SKY, np.float32),
            np.array(GROUND, np.float32), out,
        )  # fmt: skip
        return out
