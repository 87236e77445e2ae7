"""One job of the service: what was ordered, how far it is, what came out, where its files lie."""

import contextlib
import contextvars
import shutil
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.avatar.camera import Orbit
from l2t.errors import Cancelled, L2TError

if TYPE_CHECKING:
    from l2t.lipjobs import LipOrder, LipResult
    from l2t.talkingface import Take

STAGES = ("listening", "moving", "checking", "drawing")  # in the order of the work


@dataclass(frozen=True)
class Order:
    """What a visitor wants: a recording said by a head. None = the default of the models.

    variants: one take by each of them; two are compared, side by side in one film.
    orbit: from where the Gaussian head is seen that says it; None: the other heads, from `view`.
    head, seed: how strongly the head moves and in which way, see `l2t.movement.Movement`.
    """

    recording: Path
    identity: str | None = None
    style: str | None = None
    view: str = "front"
    size: int = 512  # height of the film and side of each picture of a head, in pixels
    variants: tuple[str | None, ...] = (None,)
    head: float = 0.0
    seed: int | None = None
    orbit: Orbit | None = None


@dataclass(frozen=True)
class Said:
    """One take of a job, its scores, and its motion as files."""

    take: "Take"
    sync: dict  # the report as JSON values, confidence null where undefined
    csv: Path
    npz: Path
    glb: Path


@dataclass(frozen=True)
class Result:
    """What a job made. Files lie in the job's own folder until it is discarded."""

    order: Order
    said: tuple[Said, ...]  # by each of the order's variants
    film: Path
    seconds: float  # work it took
    splats: tuple[Path, ...] = ()  # of an order with an orbit: the Gaussians at rest, .ply, .splat

    @property
    def spoken(self) -> float:
        """Seconds of speech."""
        return self.said[0].take.speech.seconds


class Job:
    """One order on its way: written by the worker, read by the visitor's thread."""

    def __init__(
        self, order: "Order | LipOrder", owner: str, runs: Path, context: contextvars.Context
    ):
        self.id = uuid.uuid4().hex
        self.order, self.owner, self.context = order, owner, context
        self.folder = runs / self.id
        self.stage, self.fraction = "waiting", 0.0
        self._deadline = float("inf")
        self._cancelled, self._finished = threading.Event(), threading.Event()
        self._unwanted = False
        self._result: Result | LipResult | None = None
        self._error: L2TError | None = None

    @property
    def finished(self) -> bool:
        """Whether the worker is through with it (a cancelled job ends a moment after `cancel`)."""
        return self._finished.is_set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def begin(self, deadline: float) -> None:
        """The worker takes the job up; it has `deadline` seconds."""
        self._deadline = time.monotonic() + deadline
        self.folder.mkdir(mode=0o700)

    def report(self, stage: str, fraction: float) -> None:
        """Progress within one of the order's stages, fraction in 0..1."""
        self.stage, self.fraction = stage, min(max(float(fraction), 0.0), 1.0)

    def cancel(self) -> None:
        self._cancelled.set()

    def should_stop(self) -> bool:
        """Asked between the steps of the work: cancelled, or past the deadline."""
        return self.cancelled or time.monotonic() > self._deadline

    def check(self) -> None:
        """Raise `Cancelled` when the job should stop."""
        if self.should_stop():
            raise Cancelled("The job was cancelled.")

    def finish(
        self, result: "Result | LipResult | None" = None, error: L2TError | None = None
    ) -> None:
        """The end, once: later calls (of a worker that was given up) change nothing."""
        if self.finished:
            return
        if isinstance(error, Cancelled) and not self.cancelled:
            error = Cancelled("The job took too long and was stopped; a shorter recording helps.")
        self._result, self._error = result, error
        self._finished.set()
        if self._unwanted or error:
            remove(self.folder)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came."""
        return self._finished.wait(timeout)

    def outcome(self) -> "Result | LipResult":
        """The result of a finished job, or the error it met, raised."""
        if self._error:
            raise self._error
        if self._result is None:
            raise Cancelled("The job was cancelled.")
        return self._result

    def discard(self) -> None:
        """The visitor has what he needs: remove the files now, or as soon as the worker is out."""
        self._unwanted = True
        if self.finished:
            remove(self.folder)


def remove(folder: Path) -> None:
    """Remove a folder and what is in it; one that is gone already is fine."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, age: float, pattern: str = "*") -> None:
    """Remove what nobody discarded: folders in `parent` that are older than `age` seconds."""
    limit = time.time() - age
    for folder in parent.glob(pattern):
        with contextlib.suppress(OSError):  # its visitor may remove it meanwhile
            if folder.stat().st_mtime < limit:
                remove(folder)
