"""What page and API talk to: a bounded and fair line of jobs, cancel, deadline, clean-up.

A visitor's thread hands in an `Order` and gets a `Job` to watch; one thread hands the jobs to the
worker (`l2t.worker`), which owns the models and may die without taking anything along. Each job
writes into a folder of its own, so that results never mix. Nothing here knows of a user interface.
"""

import contextvars
import logging
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.disk import Quota
from l2t.errors import Busy, Cancelled
from l2t.inputs import held
from l2t.jobs import Job, Order, Result, attempt, remove
from l2t.line import Line
from l2t.lipjobs import LipOrder, LipResult
from l2t.logs import job_context
from l2t.pace import Pace
from l2t.readiness import Readiness
from l2t.status import status_of
from l2t.tidy import Tidy

if TYPE_CHECKING:
    from l2t.worker.about import About
    from l2t.worker.in_process import InProcess
    from l2t.worker.supervised import Supervised

log = logging.getLogger(__name__)
IDLE = 0.5  # s between two looks at the worker and at old files while nobody wants anything
HANDOVER = 2.0  # s for a visitor to fetch what was finished while the service closed
GONE = "The service is shutting down and takes no more jobs."


@dataclass(frozen=True)
class Settings:
    """Bounds of the service, in seconds where not said otherwise."""

    waiting: int = 32  # jobs that may stand in line behind the running one
    waiting_each: int = 6  # of one visitor
    deadline: float = 300.0  # work that one job may take
    keep: float = 3000.0  # age at which the files of a finished job go
    quota: int = 2_000_000_000  # bytes that visitors' files may take
    spare: int = 200_000_000  # bytes of the disk that stay free


class Service:
    """Owns the line of jobs and the worker.

    worker: does the work, see `l2t.worker`; closed with the service.
    home: a folder for visitors' files alone, counted against the quota; by default a private
    temporary one. The job folders in it are removed by `close`.
    """

    def __init__(
        self, worker: "Supervised | InProcess", settings: Settings | None = None,
        home: Path | None = None,
    ):  # fmt: skip
        self.settings, self.worker = settings or Settings(), worker
        self.runs = Path(tempfile.mkdtemp(prefix="learn2talk-", dir=home))
        self._home = home
        self._files = Tidy(self.runs, self.settings.keep, self.settings.deadline)
        self.quota = Quota(home or self.runs, self.settings.quota, self.settings.spare)
        self._closing, self._changed = threading.Event(), threading.Condition()
        self._readiness = Readiness(worker, self._closing)
        self._line = Line(self.settings.waiting, self.settings.waiting_each)
        self._running: Job | None = None
        self._pace = Pace()
        self._thread: threading.Thread | None = None
        self._began = time.monotonic()

    # -- what a visitor's thread calls

    def start(self) -> None:
        """Load the models in the background and begin to work."""
        self._thread = threading.Thread(target=self._serve, name="service", daemon=True)
        self._thread.start()

    def submit(self, order: Order | LipOrder, owner: str = "") -> Job:
        """Put an order in line and return at once; raises `Busy` when there is no place."""
        with self._changed:
            if self._closing.is_set():
                raise Busy(GONE)
            job = Job(order, owner, self.runs, contextvars.copy_context())
            self._line.add(job)
            job.order = held(order, job.inputs, self._home)
            self._files.refresh(job)
            self._changed.notify_all()
            return job

    def cancel(self, owner: str) -> int:
        """Stop every job of an owner, waiting or running; returns how many.

        Without a name nobody owns anything: all who order so would stop each other's jobs.
        """
        if not owner:
            return 0
        theirs = [job for job in self._living() if job.owner == owner]
        for job in theirs:
            self.stop(job)
        return len(theirs)

    def stop(self, job: Job) -> None:
        """Stop one job; without effect on a finished one. A running one ends within a second."""
        job.cancel()
        with self._changed:
            if job in self._line:
                self._line.remove(job)
                job.finish(error=Cancelled("The job was cancelled."))

    def place(self, job: Job) -> tuple[int, float]:
        """Jobs that come before this one, and seconds until its turn by what jobs took of late;
        (0, 0.0) once it runs.
        """
        with self._changed:
            line = self._line.order()
            if job not in line:
                return 0, 0.0
            before = line.index(job)
            seconds = self._pace.wait(before, self._running)
            return before + (self._running is not None), seconds

    @property
    def busy(self) -> bool:
        """Whether the worker has a job in hand."""
        return self._running is not None

    def about(self, timeout: float = 0.0) -> "About | None":
        """What the models offer, None while they load; raises the error that loading met."""
        self._readiness.loaded.wait(timeout)
        if self._readiness.error:
            raise self._readiness.error
        return self.worker.about if self._readiness.loaded.is_set() else None

    def status(self) -> dict:
        """How the service is, as JSON values; cheap, and without a word about visitors."""
        serving = self._thread is None or self._thread.is_alive()
        uptime = time.monotonic() - self._began
        return status_of(self._readiness, serving, self.busy, self._line, self._pace, uptime)

    def close(self, finish: float = 0.0) -> None:
        """End: refuse what waits, give the running job `finish` seconds, stop it, remove all files.

        Without effect when called again.
        """
        with self._changed:
            self._closing.set()
            for job in self._line.all():
                self._line.remove(job)
                job.finish(error=Busy("The service is shutting down; please try again later."))
            running = self._running
            self._changed.notify_all()
        if running is not None:
            if not running.wait(finish):
                self.stop(running)
                running.wait(2.0)
            elif finish:
                time.sleep(HANDOVER)
        self.worker.close()
        if self._thread is not None:
            self._thread.join(5.0)
        remove(self.runs)

    # -- the thread that hands out the work

    def _serve(self) -> None:
        """Until closed: keep the worker ready, work off the line, look after old files."""
        while not self._closing.is_set():
            try:
                ready = self._readiness.ensure()
                job = self._next(ready or self._readiness.error is not None)
                if job is None:
                    self._files.look(self._living())
                else:
                    self._serve_one(job)
            except Exception:  # whoever comes next has to be served
                log.exception("something unforeseen between two jobs; the service goes on")
                self._closing.wait(IDLE)

    def _next(self, may_begin: bool) -> Job | None:
        """The next job, or None after a little while.

        One that comes in meanwhile is not taken yet: the worker is looked at first.
        """
        with self._changed:
            if may_begin and len(self._line):
                self._running = self._line.take()
                return self._running
            if not self._closing.is_set():
                self._changed.wait(IDLE)
            return None

    def _serve_one(self, job: Job) -> None:
        try:
            with job_context(job.id):
                attempt(job, partial(self._make, job))
        finally:
            with self._changed:
                self._pace.done(job)
                self._running = None

    def _make(self, job: Job) -> "Result | LipResult":
        if self._readiness.error:
            self._readiness.hurry()
            raise self._readiness.error
        self._files.look(self._living())
        self.quota.make_room()
        job.begin(self.settings.deadline)  # the worker is warm: its loading is not the job's time
        return self.worker.do(job)

    def _living(self) -> tuple[Job, ...]:
        """Jobs that are not at their end."""
        with self._changed:
            return (*self._line.all(), *([self._running] if self._running else []))
