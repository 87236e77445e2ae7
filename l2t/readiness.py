"""Keeps the worker ready: loads, gets it warm, tries again; says from when on visitors are told.

A worker that dies while it loads may live the next time, so nobody's job is spent on finding that
out: jobs stay in line until one can be done, or until it has failed often or long enough.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING

from l2t.errors import JobFailed, L2TError, SpeechError, WorkerError
from l2t.self_check import check_decoder

if TYPE_CHECKING:
    from l2t.worker.in_process import InProcess
    from l2t.worker.supervised import Supervised

log = logging.getLogger(__name__)
TRIES = 3  # failed loads in a row after which visitors are told
PAUSE = 0.5  # s before the second try; twice as long before the third
PATIENCE = 100.0  # s of failed loads after which they are told, however few there were
RETRY = 10.0  # s between two tries once they are told
# A death, no memory, no process for a decoder; bad weights tell in words of their own.
PASSING = (WorkerError, JobFailed, SpeechError)


class Readiness:
    """Of one worker. `ensure` belongs to one thread; `loaded` and `error` to any."""

    def __init__(self, worker: "Supervised | InProcess", closing: threading.Event):
        """closing: set once failures are nobody's concern any more."""
        self.worker, self._closing = worker, closing
        self.loaded = threading.Event()  # what the models offer is known, or why there are none
        self.error: L2TError | None = None  # for who waits: there is no worker for now
        self._failed, self._since, self._next = 0, 0.0, float("-inf")

    def ensure(self) -> bool:
        """Whether a job can be taken now; where not, and it is time, it is tried (seconds)."""
        if self._well():
            return True
        if self._closing.is_set() or time.monotonic() < self._next:
            return False
        self._since = self._since if self._failed else time.monotonic()
        try:
            self.worker.begin()  # it loads meanwhile
            check_decoder()
            self.worker.start()
            self.loaded.set()
            self.worker.warm_up()
        except L2TError as error:
            self._note(error)
            return False
        self._failed, self.error = 0, None
        return True

    def hurry(self) -> None:
        """Try at once: somebody was told."""
        self._next = float("-inf")

    def _well(self) -> bool:
        """Takes note of a worker that died in its sleep."""
        try:
            self.worker.look()
        except L2TError:
            return False
        return self.worker.ready

    def _note(self, error: L2TError) -> None:
        if self._closing.is_set():
            return
        self._failed, now = self._failed + 1, time.monotonic()
        log.error("no job can be done (attempt %d): %s", self._failed, error)
        often = self._failed >= TRIES or now - self._since > PATIENCE
        if often or not isinstance(error, PASSING):
            self.error = error
        if self.error:
            self.loaded.set()
        self._next = now + (RETRY if self.error else PAUSE * 2 ** (self._failed - 1))
