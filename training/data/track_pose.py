"""Where the head is: a rigid transform from a face at rest to the camera, frame by frame.

MediaPipe's own transform is not part of the 0.10.21 wheel's face mesh, so the points that speech
does not move are fitted to a mean face (`REST`), and the distance follows from their size in the
picture of a camera with MediaPipe's default angle of view.
"""

import numpy as np

from training.data.clips import RIGID
from training.data.fit_weights import lip_index
from training.data.stabilise import rigid_align
from training.data.track_faces import INDEX

VIEW = 63.0  # degrees, bottom to top of the picture: what MediaPipe assumes of any camera
# The points of `RIGID` in cm, x to the person's left, y up, z to the front, symmetrical: the mean
# of the two GRID speakers (CC BY 4.0) in MediaPipe's canonical frame.
REST = np.array([
    (-4.85, 2.83, -1.00), (-1.78, 2.64, -0.44), (1.78, 2.64, -0.44), (4.85, 2.83, -1.00),
    (0, 3.05, 1.44), (0, 2.16, 1.90), (0, -1.00, 3.90), (0, -1.75, 3.66),
    (-1.85, -2.40, 1.04), (1.85, -2.40, 1.04), (0, -2.57, 1.93),
    (-7.55, 2.16, -6.44), (7.55, 2.16, -6.44), (-7.55, 0.48, -6.96), (7.55, 0.48, -6.96),
])  # fmt: skip


def head_transform(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(frames, 4, 4) float32, face at rest (cm) to camera (cm; x right, y up, looking along -z).

    points: (frames, 80, 3) pixels; width, height: of the picture.
    """
    columns = [lip_index(INDEX, number) for number in RIGID]
    upright = points[:, columns] * np.array([1.0, -1.0, -1.0])
    middle = REST.mean(axis=0)
    turned, centres = rigid_align(upright, REST - middle)  # (p - c) @ R ~ scale * (rest - middle)
    turn = turned  # rest = R.T p, so p = R rest
    facing = (upright - centres[:, None]) @ turned
    scale = np.einsum("fni,ni->f", facing, REST - middle) / np.sum((REST - middle) ** 2)
    scale = np.maximum(scale, 1e-6)  # pixels a cm
    origin = centres - scale[:, None] * (turn @ middle)
    focal = height / 2 / np.tan(np.radians(VIEW) / 2)
    out = np.tile(np.eye(4, dtype=np.float32), (len(points), 1, 1))
    out[:, :3, :3] = turn
    out[:, 0, 3] = (origin[:, 0] - width / 2) / scale
    out[:, 1, 3] = (origin[:, 1] + height / 2) / scale
    out[:, 2, 3] = -focal / scale
    return out
