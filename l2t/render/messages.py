"""What the renderer and its drawing process say to each other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.avatar.camera import Orbit
from l2t.motion import Motion

CANCEL = "cancel"


@dataclass(frozen=True, eq=False)
class FilmJob:
    """motions: as long as each other, drawn side by side; titles: written on them, or empty;
    samples: mono float32 at 16 kHz; part: where to write, in a folder that is the job's own.
    """

    motions: tuple[Motion, ...]
    titles: tuple[str, ...]
    samples: np.ndarray
    identity: str
    view: str
    size: int
    part: Path


@dataclass(frozen=True, eq=False)
class AvatarJob:
    """A film of the Gaussian head seen from `orbit`; the rest as in `FilmJob`."""

    motion: Motion
    samples: np.ndarray
    orbit: Orbit
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
