"""From Gaussians in the world to ellipses in the picture (EWA splatting, Zwicker et al. 2002).

The perspective is replaced by its linear part at each Gaussian's middle, so that its shadow in
the picture is a Gaussian again: J W S W^T J^T, plus 0.1 pixels squared in both directions so that
nothing falls between two pixels. The other constants are gsplat's; its blur
of 0.3 is wider than the strands of hair to be learnt.
"""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.render.jit import jit

BLUR = 0.1  # pixels squared, added to every ellipse: a pixel's own square has 1/12
NEAR = 0.01  # metres; what is nearer to the camera is not drawn
LEAST = 1 / 255  # opacity below which nothing is drawn
# Columns of a packed ellipse, and how many there are.
COLUMN, ROW, A, B, C, OPACITY, LEVEL = 0, 1, 2, 3, 4, 5, 6
RED, REACH_X, REACH_Y, PACKED = 7, 10, 11, 12


@jit
def project(means, covariances, opacity, seen, camera, packed, depth):
    """Ellipses of what may be visible; returns how many, in the first rows of `packed`.

    means: (G, 3); covariances: (G, 6); opacity: (G,); seen: (G, 3) colours; camera: (18,) of
    `numbers`; packed: (G, PACKED); depth: (G,) metres.
    """
    width, height = camera[0], camera[1]
    fx, fy, cx, cy = camera[2], camera[3], camera[4], camera[5]
    w = camera[6:15].reshape(3, 3)
    ex, ey, ez = camera[15], camera[16], camera[17]
    # Far outside of the picture the linear part runs away: its slope is bounded.
    left, right = -0.15 * width / fx - cx / fx, (width - cx) / fx + 0.15 * width / fx
    above, below = -0.15 * height / fy - cy / fy, (height - cy) / fy + 0.15 * height / fy
    count = 0
    for g in range(len(means)):
        if opacity[g] < LEAST:
            continue
        dx, dy, dz = means[g, 0] - ex, means[g, 1] - ey, means[g, 2] - ez
        z = w[2, 0] * dx + w[2, 1] * dy + w[2, 2] * dz
        if z < NEAR:
            continue
        x = (w[0, 0] * dx + w[0, 1] * dy + w[0, 2] * dz) / z
        y = (w[1, 0] * dx + w[1, 1] * dy + w[1, 2] * dz) / z
        sx, sy = min(max(x, left), right), min(max(y, above), below)
        # Rows of J W.
        ux, uy, uz = (fx / z * (w[0, 0] - sx * w[2, 0]), fx / z * (w[0, 1] - sx * w[2, 1]),
                      fx / z * (w[0, 2] - sx * w[2, 2]))
        vx, vy, vz = (fy / z * (w[1, 0] - sy * w[2, 0]), fy / z * (w[1, 1] - sy * w[2, 1]),
                      fy / z * (w[1, 2] - sy * w[2, 2]))
        s = covariances[g]
        tx, ty, tz = (s[0] * ux + s[1] * uy + s[2] * uz, s[1] * ux + s[3] * uy + s[4] * uz,
                      s[2] * ux + s[4] * uy + s[5] * uz)
        xx = ux * tx + uy * ty + uz * tz + BLUR
        xy = vx * tx + vy * ty + vz * tz
        yy = (vx * (s[0] * vx + s[1] * vy + s[2] * vz) + vy * (s[1] * vx + s[3] * vy + s[4] * vz)
              + vz * (s[2] * vx + s[4] * vy + s[5] * vz)) + BLUR
        area = xx * yy - xy * xy
        if not area > 0:
            continue
        level = 2 * np.log(opacity[g] / LEAST)  # squared radius at which the opacity is LEAST
        column, row = fx * x + cx, fy * y + cy
        reach_x, reach_y = np.sqrt(level * xx), np.sqrt(level * yy)
        if (column + reach_x < 0 or column - reach_x > width or row + reach_y < 0
                or row - reach_y > height):
            continue
        p = packed[count]
        p[COLUMN], p[ROW], p[A], p[B], p[C] = column, row, yy / area, -xy / area, xx / area
        p[OPACITY], p[LEVEL], p[REACH_X], p[REACH_Y] = opacity[g], level, reach_x, reach_y
        p[RED], p[RED + 1], p[RED + 2] = seen[g, 0], seen[g, 1], seen[g, 2]
        depth[count] = z
        count += 1
    return count


def numbers(camera: Camera, dtype=np.float32) -> np.ndarray:
    """(18,) width, height, focal, centre, turn, eye: the camera as `project` takes it."""
    return np.concatenate([[camera.width, camera.height], camera.focal, camera.centre,
                           camera.turn.ravel(), camera.eye]).astype(dtype)
