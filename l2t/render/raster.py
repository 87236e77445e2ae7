"""The software rasteriser: vertex-coloured triangles into a grid of samples, by z-buffer.

Needs no system library, may be used from any thread, and gives the same bytes every time.
"""

import numpy as np

from l2t.render.jit import jit
from l2t.render.scene import Shot


@jit
def rasterise(screen, colors, faces, samples, depth):
    """Draws the triangles that face the camera; the nearest one wins each sample.

    screen:  (V, 3) float32 column, row, nearness (greater is nearer), see `Shot.project`.
    colors:  (V, 4) uint8.
    faces:   (F, 3) int32, counter-clockwise seen from outside.
    samples: (N, N, 4) uint8, row 0 on top, overwritten; alpha stays 0 where nothing is drawn.
    depth:   (N, N) float32, overwritten with the nearness drawn.
    """
    rows, columns = depth.shape
    samples[:] = 0
    depth[:] = 0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = np.float64(screen[a, 0]), np.float64(screen[a, 1]), screen[a, 2]
        bx, by, bz = np.float64(screen[b, 0]), np.float64(screen[b, 1]), screen[b, 2]
        cx, cy, cz = np.float64(screen[c, 0]), np.float64(screen[c, 1]), screen[c, 2]
        # Twice the area; rows grow downwards, so counter-clockwise comes out negative.
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not area < 0:  # also where a point is not a number
            continue
        left = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        right = min(columns - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        top = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        bottom = min(rows - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        # Each corner's share is a plane over the picture, zero on the opposite edge. Two
        # triangles see their common edge as planes that differ in sign and in nothing else, so
        # no sample between them is lost.
        a0, a1, a2 = bx * cy - by * cx, by - cy, cx - bx
        b0, b1, b2 = cx * ay - cy * ax, cy - ay, ax - cx
        c0, c1, c2 = ax * by - ay * bx, ay - by, bx - ax
        a_root, b_root, c_root = -1.0 / a1, -1.0 / b1, -1.0 / c1
        # Nearness and colour are planes too: one step a column instead of three shares.
        scale = 1.0 / area
        sa, sb, sc = a1 * scale, b1 * scale, c1 * scale
        near_step = sa * az + sb * bz + sc * cz
        ra, ga, ua = np.float64(colors[a, 0]), np.float64(colors[a, 1]), np.float64(colors[a, 2])
        rb, gb, ub = np.float64(colors[b, 0]), np.float64(colors[b, 1]), np.float64(colors[b, 2])
        rc, gc, uc = np.float64(colors[c, 0]), np.float64(colors[c, 1]), np.float64(colors[c, 2])
        red_step = sa * ra + sb * rb + sc * rc
        green_step = sa * ga + sb * gb + sc * gc
        blue_step = sa * ua + sb * ub + sc * uc
        for y in range(top, bottom + 1):
            py = y + 0.5
            row_a, row_b, row_c = a0 + a2 * py, b0 + b2 * py, c0 + c2 * py
            low, high = float(left), float(right)  # the row's columns, give or take one
            edges = (row_a, a1, a_root), (row_b, b1, b_root), (row_c, c1, c_root)
            for value, slope, root in edges:
                if slope > 0:
                    high = max(left - 2.0, min(high, value * root))
                elif slope < 0:
                    low = min(right + 1.0, max(low, value * root - 1))
            wa, wb, wc = row_a * scale, row_b * scale, row_c * scale
            near_row = wa * az + wb * bz + wc * cz
            red_row = wa * ra + wb * rb + wc * rc + 0.5
            green_row = wa * ga + wb * gb + wc * gc + 0.5
            blue_row = wa * ua + wb * ub + wc * uc + 0.5
            for x in range(int(low), min(right, int(high + 1)) + 1):
                px = x + 0.5
                if row_a + a1 * px > 0 or row_b + b1 * px > 0 or row_c + c1 * px > 0:
                    continue
                near = np.float32(near_row + near_step * px)
                if near > depth[y, x]:
                    depth[y, x] = near
                    samples[y, x, 0] = np.uint8(int(red_row + red_step * px))
                    samples[y, x, 1] = np.uint8(int(green_row + green_step * px))
                    samples[y, x, 2] = np.uint8(int(blue_row + blue_step * px))
                    samples[y, x, 3] = 255


class SoftwarePainter:
    """Paints one mesh after another with `rasterise`; the same interface as `PyvistaPainter`."""

    info = "software"

    def __init__(self, faces: np.ndarray):
        """faces: (F, 3) int32 triangles shared by every frame."""
        self._faces = np.ascontiguousarray(faces, np.int32)
        self._shot: Shot | None = None

    def aim(self, shot: Shot, pixels: int) -> None:
        """Takes the camera for the next frames and the side of the sample grid."""
        self._shot, self._pixels = shot, pixels
        self._depth = np.empty((pixels, pixels), np.float32)

    def paint(self, points: np.ndarray, colors: np.ndarray) -> np.ndarray:
        """(V, 3) metres and (V, 4) uint8 -> (pixels, pixels, 4) uint8, alpha 0 = background."""
        samples = np.empty((self._pixels, self._pixels, 4), np.uint8)
        screen = self._shot.project(points, self._pixels)
        rasterise(screen, colors, self._faces, samples, self._depth)
        return samples

    def close(self) -> None:
        """Nothing to hand back."""
