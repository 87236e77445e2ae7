"""What the way from Gaussians to ellipses and the way back share."""

from l2t.render.jit import jit

SAVED = 33  # numbers kept of each Gaussian for the way back
# Where they begin: axes, 3 x 3; the rows of J W; the direction of view in the triangle's frame and
# its length; place in the camera; the two halves of the shadow.
AXES, U, V, WAY, FAR, LOCAL, HALF_U, HALF_V, SHOWN = 0, 9, 12, 15, 18, 19, 22, 25, 28


@jit
def matrix(q, m):
    """Rotation of a unit quaternion w x y z into m (3, 3)."""
    w, x, y, z = q
    m[0, 0], m[0, 1], m[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    m[1, 0], m[1, 1], m[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    m[2, 0], m[2, 1], m[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@jit
def bounds(lens):
    """Slopes beyond which the perspective's linear part is held."""
    width, height, fx, fy, cx, cy = lens[:6]
    return (-0.15 * width / fx - cx / fx, (width - cx) / fx + 0.15 * width / fx,
            -0.15 * height / fy - cy / fy, (height - cy) / fy + 0.15 * height / fy)
