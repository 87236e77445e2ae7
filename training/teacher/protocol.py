"""What a teacher is: something that shows the mouth to a piece of speech."""

from typing import Protocol, runtime_checkable

import numpy as np

from l2t.motion import frame_count

FPS = 25.0  # frames a second of every teacher; frame i belongs to (i + 0.5) / 25 s
SIDE = 96  # pixels of a mouth, framed like grid_s1: eyes level, side 1.6 inter-ocular distances
SAMPLE_RATE = 16000


class TeacherError(ValueError):
    """A teacher cannot be used; the message is one sentence for the user."""


@runtime_checkable
class Teacher(Protocol):
    """Shows mouths. `title` is how tables call it."""

    title: str

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """The mouth to a recording, (frames, 96, 96) uint8 grey at 25 fps.

        samples: (n,) float32 at 16 kHz. name: of the clip, which recorded teachers look up.
        Raises TeacherError.
        """
        ...


def frames_of(samples: np.ndarray) -> int:
    """Pictures that cover a recording, at least one."""
    return frame_count(len(samples) / SAMPLE_RATE, FPS)


def to_bytes(pictures: np.ndarray) -> np.ndarray:
    """Pictures in 0..1 -> uint8."""
    return np.round(np.clip(pictures, 0, 1) * 255).astype(np.uint8)
