"""One job of the service: what was ordered, how far it is, what came out, where its files lie."""

import contextlib
import contextvars
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.avatar.camera import Orbit
from l2t.errors import Cancelled, JobFailed, L2TError, OutputError

if TYPE_CHECKING:
    from l2t.lipjobs import LipOrder, LipResult
    from l2t.talkingface import Take

log = logging.getLogger(__name__)
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
    receipt: Path  # what made the files, and their sha256: `l2t.receipt`
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
        self.folder = runs / self.id  # its results, until they are discarded
        self.inputs = runs / f"{self.id}.in"  # what was ordered with it, until it ends
        self.stage, self.fraction = "waiting", 0.0
        self.begun: float | None = None  # monotonic seconds at which the worker took it up
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
    def succeeded(self) -> bool:
        """Whether it ended with a result."""
        return self._result is not None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def begin(self, deadline: float) -> None:
        """The worker takes the job up; it has `deadline` seconds."""
        self.begun = time.monotonic()
        self._deadline = self.begun + deadline
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise OutputError(f"The server cannot write results just now ({reason}).") from None

    @property
    def seconds_left(self) -> float:
        """Until the deadline of a job that was begun."""
        return max(0.0, self._deadline - time.monotonic())

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
        remove(self.inputs)
        if error:
            remove(self.folder)
        self._finished.set()
        if self._unwanted:
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


def attempt(job: Job, make: "Callable[[], Result | LipResult]") -> None:
    """Run one job to its end, whatever end that is; raises nothing."""
    try:
        result = make()
        log.info(
            "job %s: %.1f s of speech, made in %.1f s", job.id, result.spoken, result.seconds
        )
        job.finish(result)
    except L2TError as error:
        log.info("job %s: %s: %s", job.id, type(error).__name__, error)
        job.finish(error=error)
    except Exception:
        log.exception("job %s failed", job.id)
        sentence = "Something went wrong on our side; your recording is untouched, try again."
        job.finish(error=JobFailed(sentence))


def remove(folder: Path) -> None:
    """Remove a folder and what is in it; one that is gone already is fine."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, age: float, spared: Container[Path] = ()) -> None:
    """Remove what nobody discarded: folders in `parent` that are older than `age` seconds.

    spared: folders that stay, however old. Raises OSError where `parent` cannot be looked at.
    """
    limit = time.time() - age
    for folder in parent.glob("*"):
        with contextlib.suppress(OSError):  # its visitor may remove it meanwhile
            if folder not in spared and folder.stat().st_mtime < limit:
                remove(folder)
