"""What the renderer and its drawing process say to each other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CANCEL = "cancel"


@dataclass(frozen=True, eq=False)
class FilmJob:
    """arkit: (frames, 52); head: (frames, 3) radians; samples: mono float32 at 16 kHz;
    part: where to write the film, in a folder that is the job's own.
    """

    arkit: np.ndarray
    head: np.ndarray
    fps: float
    samples: np.ndarray
    identity: str
    view: str
    size: int
    part: Path


@dataclass(frozen=True, eq=False)
class PictureJob:
    """One frame: arkit (52,), head (3,) radians."""

    arkit: np.ndarray
    head: np.ndarray
    identity: str
    view: str
    size: int


@dataclass(frozen=True)
class Ready:
    """The process can take jobs; info says what draws."""

    info: str


@dataclass(frozen=True)
class Progress:
    """share: how much of the film is drawn, 0..1."""

    share: float


@dataclass(frozen=True, eq=False)
class Done:
    """The job is finished; result: the picture, or None for a film (it lies at `FilmJob.part`)."""

    result: np.ndarray | None


@dataclass(frozen=True)
class Refused:
    """The job failed in a foreseen way: name of a class in `l2t.errors`, and its message."""

    error: str
    message: str
