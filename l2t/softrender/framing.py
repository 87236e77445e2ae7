"""Where the crop lies: the square around the lips that the talkers' mouth pictures show."""

from dataclasses import dataclass

import numpy as np

# Side of the crop over the distance of the eyes' middles (mean of both corners of each eye): the
# real crops of GRID show the mouth 0.47 of the side wide, and so does this.
SIDE = 1.6


@dataclass(frozen=True)
class Framing:
    """A square looked at straight from the front, without perspective.

    x, y, z: metres, the point in its middle (z: where depth counts from).  side: metres.
    """

    x: float
    y: float
    z: float
    side: float


def frame_mouth(template, identity: str | None = None) -> Framing:
    """The square of an identity of a `FaceTemplate` at rest. Raises FaceError if it is unknown."""
    neutral = template.neutral(identity)
    lips = neutral[np.asarray(template.lip_landmarks)].mean(axis=0)
    outer, inner, inner2, outer2 = neutral[np.asarray(template.eye_corners)]
    between = np.linalg.norm((outer + inner) / 2 - (inner2 + outer2) / 2)
    return Framing(float(lips[0]), float(lips[1]), float(lips[2]), SIDE * float(between))
