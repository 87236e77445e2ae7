"""One job as the process sees it that does it."""

import time
from multiprocessing.connection import Connection

from l2t.errors import Cancelled
from l2t.worker.messages import CANCEL, Begin, Progress

STEP = 0.01  # of a stage; smaller progress is not told


class Task:
    """The job's order and folder, its progress told to the service, its cancel heard from there."""

    def __init__(self, begin: Begin, line: Connection):
        self.id, self.order, self.folder = begin.id, begin.order, begin.folder
        self._line, self._cancelled, self._told = line, False, ("", 0.0)
        self._until = time.monotonic() + begin.seconds

    def report(self, stage: str, fraction: float) -> None:
        """Progress within a stage, 0..1."""
        told, share = self._told
        if stage != told or fraction >= 1.0 or abs(fraction - share) >= STEP:
            self._told = stage, float(fraction)
            self._line.send(Progress(*self._told))

    def should_stop(self) -> bool:
        """Asked between the steps of the work. Raises EOFError when the service is gone."""
        while not self._cancelled and self._line.poll():
            self._cancelled = self._line.recv() == CANCEL
        return self._cancelled or time.monotonic() > self._until

    def check(self) -> None:
        """Raise `Cancelled` when the job should stop."""
        if self.should_stop():
            raise Cancelled("The job was cancelled.")
