"""The work in a process of its own: watched, stopped, and started again when it has died."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from l2t import errors
from l2t.child import Child, ChildGone
from l2t.errors import Cancelled, JobFailed, WorkerError
from l2t.speech import Limits
from l2t.weights import settled
from l2t.worker.about import About
from l2t.worker.bounds import Bounds
from l2t.worker.faults import POISONED_STATUS, CardFaults
from l2t.worker.messages import CANCEL, Begin, Done, Progress, Ready, Refused, Start, Warm

if TYPE_CHECKING:
    from l2t.jobs import Job, Result
    from l2t.lipjobs import LipResult

log = logging.getLogger(__name__)
LISTEN = 0.05  # s between two looks at whether a job should stop
CANCEL_SECONDS = 0.9  # to obey a cancel; the drawing process has half a second of it
MEMORY_SECONDS = 0.25  # between two looks at the memory
PRETRAINED = "l2t.worker.pretrained:pretrained"


class Supervised:
    """Owns at most one worker process. `start`, `warm_up`, `look` and `do` belong to one thread;
    the rest to any.
    """

    def __init__(
        self, arguments: Mapping, limits: Limits | None = None, bounds: Bounds | None = None,
        make: str = PRETRAINED,
    ):  # fmt: skip
        """make: "module:function" that gives the talking face there, called with `arguments`."""
        self._make, self._arguments = make, dict(arguments)
        self._limits, self._bounds = limits or Limits(), bounds or Bounds()
        self._child: Child | None = None
        self._loaded = self._warm = False
        self._card_faults = CardFaults()
        self._closing = threading.Event()
        self.about: About | None = None
        self.starts = 0  # how often a process was started

    def begin(self) -> None:
        """Starts the process without waiting for it. Raises WorkerError."""
        if self._child is not None:
            return
        if self._closing.is_set():
            raise WorkerError("The worker was ended.")
        self.starts += 1
        try:
            self._child = Child("l2t.worker.main")
            self._child.send(Start(self._make, self._arguments))
        except (OSError, ChildGone) as error:
            self._drop()
            raise WorkerError("The worker process could not be started.") from error

    def start(self) -> About:
        """Starts the process unless it runs, and waits until the models are loaded.

        Raises L2TError: what loading met, or WorkerError.
        """
        if self._loaded and self.alive():
            return self.about
        if self._loaded:
            self._drop()
        self.begin()
        until = time.monotonic() + self._bounds.loading
        while True:
            message = self._hear()
            if isinstance(message, Ready):
                self._settle(message.about)
                return self.about
            if isinstance(message, Refused):
                self._drop()
                raise errors.named(message.error, message.message)
            self._give_up_after(until, "The models were not loaded in time; please try again.")

    def warm_up(self) -> None:
        """Waits for the practice take of a process that has loaded. Raises WorkerError."""
        until = time.monotonic() + self._bounds.warm
        while not self._warm:
            message = self._hear()
            if isinstance(message, Warm):
                self._warm = True
                self.about = replace(self.about, renderer=message.renderer)
                self.memory()  # a look at the drawing process, should this one die before the next
            else:
                self._give_up_after(until, "The worker was not ready in time; please try again.")

    def look(self) -> None:
        """Takes note of the death of an idle process. Raises WorkerError then."""
        if self._loaded and self._warm:
            self._hear(0.0)

    def do(self, job: "Job") -> "Result | LipResult":
        """Has one job done by a process that is `ready`. Raises L2TError: what the job met,
        Cancelled, or WorkerError, after which the process is gone.
        """
        if not self.ready:
            raise WorkerError("The worker is not ready; please try again.")
        begin = Begin(job.id, job.order, job.folder, self._limits, job.seconds_left)
        self._send(begin)
        stopping, looked = None, time.monotonic()
        while True:
            message, now = self._hear(), time.monotonic()
            if isinstance(message, Progress):
                job.report(message.stage, message.fraction)
            elif isinstance(message, Done):
                self.about = replace(self.about, renderer=message.renderer)
                return message.result
            elif isinstance(message, Refused):
                raise errors.named(message.error, message.message)
            if job.should_stop():
                if stopping is None:
                    stopping = now
                    self._send(CANCEL)
                elif now - stopping > CANCEL_SECONDS:
                    log.error("job %s does not stop; its worker is ended", job.id)
                    self._drop()
                    raise Cancelled("The job was cancelled.")
            if now - looked > MEMORY_SECONDS:
                looked = now
                self._bound_memory()

    def alive(self) -> bool:
        """Whether there is a process that runs."""
        child = self._child
        return child is not None and child.alive()

    @property
    def ready(self) -> bool:
        """Whether a job can be taken."""
        return self._loaded and self._warm and self.alive()

    def memory(self) -> int:
        """Bytes that the process and all it started hold; 0 without one."""
        child = self._child
        return 0 if child is None else child.memory()

    def close(self) -> None:
        """Ends the process and what it started."""
        self._closing.set()
        child, self._child = self._child, None
        if child is not None:
            child.leave()
            child.kill()  # what it left behind in its group

    def _send(self, message) -> None:
        child = self._child
        if child is None:
            raise WorkerError("The worker was ended.")
        try:
            child.send(message)
        except ChildGone as gone:
            raise self._bury(gone) from gone

    def _hear(self, seconds: float = LISTEN):
        """The next message or None. Raises WorkerError when the process has ended."""
        child = self._child
        if child is None:
            raise WorkerError("The worker was ended.")
        try:
            return child.receive(seconds)
        except ChildGone as gone:
            raise self._bury(gone) from gone

    def _bury(self, gone: ChildGone) -> WorkerError:
        """Cleans up after a death; returns what to tell the visitor."""
        status, ready = self._child.process.poll() if self._child else None, self._warm
        self._drop()
        reason = gone.reason
        if status == POISONED_STATUS:
            reason = "the graphics card failed"
            if self._card_faults.one_more():
                log.error("the graphics card failed again; the CPU takes over")
                self._arguments["device"] = "cpu"
        if not self._closing.is_set():
            log.error("the worker died: %s", reason)
        what = "stopped in the middle" if ready else "did not get ready"
        return WorkerError(f"The worker {what} ({reason}); please try again.")

    def _bound_memory(self) -> None:
        held = self.memory()
        if held > self._bounds.memory:
            log.error("the worker holds %d MB of memory and is ended", held / 1e6)
            self._drop()
            raise JobFailed(
                f"The job needed more than {self._bounds.memory / 1e6:.0f} MB of memory and was "
                "stopped; a shorter recording helps."
            )

    def _settle(self, about: About) -> None:
        """The models are loaded; a process that takes over has the same ones, without a Hub."""
        self.about, self._loaded = about, True
        if "weights" in self._arguments:
            self._arguments["weights"] = settled(self._arguments["weights"], about.weights)

    def _give_up_after(self, until: float, sentence: str) -> None:
        """Ends the process and raises WorkerError past a time, or when all ends."""
        if time.monotonic() > until or self._closing.is_set():
            self._drop()
            raise WorkerError(sentence)

    def _drop(self) -> None:
        """Ends the process at once, with all that it started."""
        child, self._child = self._child, None
        self._loaded = self._warm = False
        if child is not None:
            child.kill()
