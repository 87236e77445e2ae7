"""The worker behind page and API: one job at a time, a bounded queue, cancel, deadline, clean-up.

A visitor's thread hands in an `Order` and gets a `Job` to watch; one worker thread owns the
models and does the work. Each job writes into a folder of its own, so that results never mix.
Nothing here knows of a user interface.
"""

import contextvars
import logging
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.errors import Cancelled, L2TError
from l2t.jobs import Job, Order, Result, remove, sweep
from l2t.lipjobs import LipOrder, LipResult, read_lips
from l2t.speech import Limits
from l2t.work import JobFailed, attempt, practise, work

if TYPE_CHECKING:
    from l2t.talkingface import TalkingFace

log = logging.getLogger(__name__)
IDLE = 60.0  # s between two looks at old files while nobody wants anything


class Busy(L2TError):
    """Too many jobs are waiting; nothing was started."""


@dataclass(frozen=True)
class Settings:
    """Bounds of the service, in seconds where not said otherwise."""

    waiting: int = 8  # jobs that may stand in line behind the running one
    deadline: float = 300.0  # work that one job may take
    grace: float = 10.0  # time a stopped job has to notice it before its worker is replaced
    keep: float = 3000.0  # age at which the files of a finished job go
    limits: Limits = field(default_factory=Limits)  # what is accepted as a recording


class Service:
    """Owns the models and the line of jobs.

    load: makes the `TalkingFace`; called on the worker thread, so that a page is up before it.
    runs: parent of the job folders; by default a private temporary folder, removed by `close`.
    gpu:  decorator of the inference calls and of nothing else (`spaces.GPU` where one is lent).
    """

    def __init__(
        self,
        load: "Callable[[], TalkingFace]",
        settings: Settings | None = None,
        runs: Path | None = None,
        gpu: Callable[[Callable], Callable] | None = None,
    ):
        self.settings = settings or Settings()
        self.runs = Path(tempfile.mkdtemp(prefix="learn2talk-", dir=runs))
        self._load, self._lent = load, gpu is not None
        self._infer = gpu(self._animate) if gpu else self._animate
        self._look = gpu(self._read) if gpu else self._read
        self._face: TalkingFace | None = None
        self._loaded = threading.Event()
        self._load_error: L2TError | None = None
        self._changed = threading.Condition()
        self._line: deque[Job] = deque()
        self._running: Job | None = None
        self._worker = 0  # number of the worker in charge; a replaced one sees that it changed
        self._closing = False

    # -- what a visitor's thread calls

    def start(self) -> None:
        """Load the models in the background and begin to work."""
        with self._changed:
            self._worker += 1
            name = f"worker-{self._worker}"
            thread = threading.Thread(target=self._serve, args=(self._worker,), name=name)
            thread.daemon = True
            thread.start()

    def submit(self, order: Order | LipOrder, owner: str = "") -> Job:
        """Put an order in line and return at once; raises `Busy` when the line is full."""
        with self._changed:
            if self._closing:
                raise Busy("The service is shutting down and takes no more jobs.")
            if len(self._line) >= self.settings.waiting:
                raise Busy(
                    f"{len(self._line)} jobs are waiting already and no more than "
                    f"{self.settings.waiting} may; please try again in a minute."
                )
            job = Job(order, owner, self.runs, contextvars.copy_context())
            self._line.append(job)
            self._changed.notify_all()
            return job

    def cancel(self, owner: str) -> int:
        """Stop every job of an owner, waiting or running; returns how many."""
        with self._changed:
            theirs = [j for j in (*self._line, self._running) if j and j.owner == owner]
        for job in theirs:
            self.stop(job)
        return len(theirs)

    def stop(self, job: Job) -> None:
        """Stop one job; without effect on a finished one."""
        job.cancel()
        with self._changed:
            if job in self._line:
                self._line.remove(job)
                job.finish(error=Cancelled("The job was cancelled."))
            elif job is self._running:
                self._watch(job, self.settings.grace)

    def ahead(self, job: Job) -> int:
        """Jobs that come before this one (0 once it runs)."""
        with self._changed:
            if job not in self._line:
                return 0
            return self._line.index(job) + (self._running is not None)

    @property
    def busy(self) -> bool:
        """Whether the worker has a job in hand."""
        return self._running is not None

    def face(self, timeout: float = 0.0) -> "TalkingFace | None":
        """The loaded models, None while they load; raises the error that loading met."""
        self._loaded.wait(timeout)
        if self._load_error:
            raise self._load_error
        return self._face

    def close(self) -> None:
        """Stop all work, end the drawing process and remove every file of every job."""
        with self._changed:
            self._closing = True
            jobs = [*self._line, self._running]
            self._worker += 1
            self._changed.notify_all()
        for job in filter(None, jobs):
            self.stop(job)
            job.wait(self.settings.grace)
        if self._face is not None:
            self._face.close()
        remove(self.runs)

    # -- the worker thread

    def _serve(self, number: int) -> None:
        """Load, then work off the line until replaced or closed."""
        try:
            self._face, self._load_error = self._load(), None
        except L2TError as error:
            log.error("the models cannot be loaded: %s", error)
            self._load_error = error
        except Exception:
            log.exception("the models cannot be loaded")
            self._load_error = JobFailed("The models could not be loaded; see the server's log.")
        self._loaded.set()
        self._warm_up()
        while (job := self._next(number)) is not None:
            watch = self._watch(job, self.settings.deadline + self.settings.grace)
            job.begin(self.settings.deadline)
            attempt(job, partial(self._make, job))
            watch.cancel()

    def _warm_up(self) -> None:
        """A tiny take that nobody sees, so that the first visitor does not wait for imports.

        A job that comes in meanwhile waits: what is being started is what it needs. Left out
        where a GPU is lent by the call.
        """
        if self._face is None or self._lent:
            return
        try:
            practise(self._face, self.runs, cancelled=lambda: self._closing)
        except Exception:
            log.warning("the practice take failed; the first job will tell", exc_info=True)

    def _next(self, number: int) -> Job | None:
        """Wait for a job; None when this worker is not in charge any more."""
        with self._changed:
            if self._worker == number:
                self._running = None
            while not self._line and self._worker == number:
                self._changed.wait(IDLE)
                sweep(self.runs, self.settings.keep)
            if self._worker != number:
                return None
            self._running = self._line.popleft()
            return self._running

    def _make(self, job: Job) -> Result | LipResult:
        if self._load_error:
            raise self._load_error
        if isinstance(job.order, LipOrder):
            return read_lips(job, self._look, self.settings.limits)
        return work(job, self._face, self._infer, self.settings.limits)

    def _animate(self, speech, style, identity, variants, head, seed):
        """The inference call: plain values in and out, as it may run in a process of its own.

        Progress and cancel belong to the running job; in a forked GPU process they are idle.
        """
        job = self._running
        return self._face.animate_each(
            speech, variants, style=style, identity=identity, progress=job.report,
            cancelled=job.should_stop, head=head, seed=seed,
        )  # fmt: skip

    def _read(self, speech, noise, mouths, rules):
        """As `_animate`, for the lip reading tab."""
        job = self._running
        return self._face.lips.read(speech, noise, mouths, rules, job.report, job.should_stop)

    def _watch(self, job: Job, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._give_up, (job,))
        timer.daemon = True
        timer.start()
        return timer

    def _give_up(self, job: Job) -> None:
        """A stopped job did not come back: leave its worker behind and start a fresh one."""
        with self._changed:
            if job is not self._running or self._closing:
                return
            self._running = None
        log.error("job %s does not stop; its worker is replaced", job.id)
        job.finish(error=Cancelled("The job took too long and was stopped."))
        self._loaded.clear()
        self.start()
