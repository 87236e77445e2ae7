"""What the service and the process that does its work say to each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.speech import Limits
from l2t.worker.about import About

if TYPE_CHECKING:
    from l2t.jobs import Order, Result
    from l2t.lipjobs import LipOrder, LipResult

CANCEL = "cancel"


@dataclass(frozen=True)
class Start:
    """How to get a talking face: "module:function" and what to call it with."""

    make: str
    arguments: dict


@dataclass(frozen=True)
class Ready:
    """The models are loaded."""

    about: About


@dataclass(frozen=True)
class Warm:
    """Jobs can be taken; renderer: what draws."""

    renderer: str


@dataclass(frozen=True)
class Begin:
    """One job: its number, what is wanted, where its files go, and the seconds it has."""

    id: str
    order: "Order | LipOrder"
    folder: Path
    limits: Limits
    seconds: float


@dataclass(frozen=True)
class Progress:
    """How far a job is: one of its stages, and the share of it that is done, 0..1."""

    stage: str
    fraction: float


@dataclass(frozen=True)
class Done:
    """The job is finished; renderer: what draws by now."""

    result: "Result | LipResult"
    renderer: str


@dataclass(frozen=True)
class Refused:
    """It failed in a foreseen way: name of a class in `l2t.errors`, and its message."""

    error: str
    message: str
