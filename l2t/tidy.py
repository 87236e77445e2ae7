"""Old files of jobs go; those of jobs that live stay, whoever makes room."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from l2t.inputs import refresh
from l2t.jobs import Job, sweep

log = logging.getLogger(__name__)


class Tidy:
    """Looks after the folders of jobs. One thread at a time, but for `refresh`."""

    def __init__(self, runs: Path, keep: float, deadline: float):
        """runs: where they lie; keep: seconds to a folder's end; deadline: of one job, seconds."""
        self._runs, self._keep, self._deadline = runs, keep, deadline
        self._failing = False

    def refresh(self, job: Job) -> None:
        """What it holds stays until the job that begins next has ended, and longer."""
        refresh(job.inputs, time.time() + self._deadline)

    def look(self, living: Sequence[Job]) -> None:
        """Old folders go, but for those of `living`. All stay where that fails for now, such as
        for want of descriptors.
        """
        spared = {folder for job in living for folder in (job.folder, job.inputs)}
        try:
            for job in living:
                self.refresh(job)
            sweep(self._runs, self._keep, spared=spared)
        except OSError as error:
            if not self._failing:  # once, not twice a second
                log.error("old files cannot be looked after: %s", error.strerror)
            self._failing = True
        else:
            self._failing = False
