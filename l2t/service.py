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

from l2t import __version__
from l2t.disk import Quota
from l2t.errors import Busy, Cancelled, L2TError
from l2t.jobs import Job, Order, attempt, remove, sweep
from l2t.line import Line
from l2t.lipjobs import LipOrder
from l2t.pace import Pace

if TYPE_CHECKING:
    from l2t.worker.about import About
    from l2t.worker.in_process import InProcess
    from l2t.worker.supervised import Supervised

log = logging.getLogger(__name__)
IDLE = 0.5  # s between two looks at the worker and at old files while nobody wants anything
RETRY = 10.0  # s between two attempts to load models that cannot be loaded
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
        folder = home or self.runs
        self.quota = Quota(folder, self.settings.quota, self.settings.spare)
        self._loaded = threading.Event()
        self._load_error: L2TError | None = None
        self._changed = threading.Condition()
        self._line = Line(self.settings.waiting, self.settings.waiting_each)
        self._running: Job | None = None
        self._pace = Pace()
        self._thread: threading.Thread | None = None
        self._closing, self._tried = False, 0.0
        self._began = time.monotonic()

    # -- what a visitor's thread calls

    def start(self) -> None:
        """Load the models in the background and begin to work."""
        self._thread = threading.Thread(target=self._serve, name="service", daemon=True)
        self._thread.start()

    def submit(self, order: Order | LipOrder, owner: str = "") -> Job:
        """Put an order in line and return at once; raises `Busy` when there is no place."""
        with self._changed:
            if self._closing:
                raise Busy(GONE)
            job = Job(order, owner, self.runs, contextvars.copy_context())
            self._line.add(job)
            self._changed.notify_all()
            return job

    def cancel(self, owner: str) -> int:
        """Stop every job of an owner, waiting or running; returns how many."""
        with self._changed:
            theirs = [j for j in (*self._line.all(), self._running) if j and j.owner == owner]
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
            seconds = self._pace.wait(line.index(job), self._running)
            return line.index(job) + (self._running is not None), seconds

    @property
    def busy(self) -> bool:
        """Whether the worker has a job in hand."""
        return self._running is not None

    def about(self, timeout: float = 0.0) -> "About | None":
        """What the models offer, None while they load; raises the error that loading met."""
        self._loaded.wait(timeout)
        if self._load_error:
            raise self._load_error
        return self.worker.about if self._loaded.is_set() else None

    def status(self) -> dict:
        """How the service is, as JSON values; cheap, and without a word about visitors."""
        about, loaded = self.worker.about, self._loaded.is_set()
        state = "ok" if self.worker.ready else "loading"
        if self._load_error:
            state = "failing"
        elif state == "loading" and self.worker.starts > 1:
            state = "degraded"  # it died and is being started again
        return {
            "status": state,
            "version": __version__,
            "weights": about and {"label": about.weights.label, "digest": about.weights.digest},
            "device": about and about.device,
            "renderer": about and about.renderer,
            "queue": {
                "waiting": len(self._line),
                "capacity": self._line.most,
                "running": int(self.busy),
                "finished": self._pace.finished,
                "failed": self._pace.failed,
            },
            "worker": {
                "state": "busy" if self.busy else "idle" if loaded else "loading",
                "restarts": max(0, self.worker.starts - 1),
                "memory": self.worker.memory(),
            },
            "uptime": round(time.monotonic() - self._began, 1),
        }

    def close(self, finish: float = 0.0) -> None:
        """End: refuse what waits, give the running job `finish` seconds, stop it, remove all files.

        Without effect when called again.
        """
        with self._changed:
            self._closing = True
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
        """Load, then work off the line until closed."""
        self._load()
        while (job := self._next()) is not None:
            try:
                attempt(job, partial(self._make, job))
            finally:
                with self._changed:
                    self._pace.done(job)
                    self._running = None
            self._load()  # again, where the worker died: it is back before somebody asks

    def _load(self) -> None:
        """Have the models loaded unless they are."""
        if self.worker.ready or self._closing:
            return
        try:
            self.worker.start()
            self._load_error = None
        except L2TError as error:
            if not self._closing:
                log.error("the models cannot be loaded: %s", error)
            self._load_error = error
            self._tried = time.monotonic()
        self._loaded.set()

    def _next(self) -> Job | None:
        """Wait for a job; None when the service closes."""
        while True:
            with self._changed:
                if self._closing:
                    return None
                if len(self._line):
                    self._running = self._line.take()
                    return self._running
                self._changed.wait(IDLE)
            self._look_after()

    def _look_after(self) -> None:
        """While nobody wants anything: old files, and a worker that died in its sleep."""
        sweep(self.runs, self.settings.keep)
        if self._load_error:
            if time.monotonic() - self._tried > RETRY:
                self._load()
            return
        try:
            self.worker.look()
        except L2TError:
            self._load()

    def _make(self, job: Job):
        if self._load_error:
            raise self._load_error
        sweep(self.runs, self.settings.keep)
        self.quota.make_room()
        job.begin(self.settings.deadline)
        return self.worker.do(job)
