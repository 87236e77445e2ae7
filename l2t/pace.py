"""How long jobs take of late, and so how long somebody has to wait."""

import time

from l2t.jobs import Job

FIRST_GUESS = 10.0  # s a job, before there was one
WEIGHT = 0.3  # of the newest job in the mean


class Pace:
    """A mean of the newest jobs' seconds, and counts. Not for several threads at once."""

    def __init__(self):
        self.seconds = FIRST_GUESS
        self.finished = self.failed = 0

    def done(self, job: Job) -> None:
        """Takes note of a job that came to its end."""
        if not job.succeeded:
            self.failed += 1
            return
        took = time.monotonic() - job.begun
        self.seconds = took if not self.finished else self.seconds + WEIGHT * (took - self.seconds)
        self.finished += 1

    def wait(self, ahead: int, running: Job | None) -> float:
        """Seconds until the turn of a job that so many others in line come before."""
        now = 0.0
        if running is not None:
            spent = time.monotonic() - running.begun if running.begun else 0.0
            now = max(0.0, self.seconds - spent)
        return now + ahead * self.seconds
