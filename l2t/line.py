"""Who is next: jobs stand in line, and visitors take turns.

Each turn goes to the job with the smallest number: the turn at which it came, or that at which its
owner was last served, whichever is later; of equal ones to the older. So who orders ten takes
waits for the tenth, everybody else for one of his at most, and nobody waits for ever.
"""

from l2t.errors import Busy
from l2t.jobs import Job


class Line:
    """Bounded in all and for each visitor. Not for several threads at once."""

    def __init__(self, most: int, each: int):
        """most: jobs that may wait; each: of one owner."""
        self.most, self.each = most, each
        self._came: dict[Job, int] = {}  # the turn at which each job came, oldest first
        self._served: dict[str, int] = {}  # the last turn of each owner in line
        self._turn = 0

    def __len__(self) -> int:
        return len(self._came)

    def __contains__(self, job: Job) -> bool:
        return job in self._came

    def add(self, job: Job) -> None:
        """Raises `Busy` when there is no place."""
        if len(self) >= self.most:
            raise Busy(
                f"{len(self)} jobs are waiting already and no more than {self.most} may; "
                "please try again in a minute."
            )
        own = sum(waiting.owner == job.owner for waiting in self._came)
        if own >= self.each:
            raise Busy(
                f"{own} of your jobs are waiting already and no more than {self.each} may; "
                "please wait for one of them."
            )
        self._came[job] = self._turn

    def take(self) -> Job:
        """The next job, out of the line. Raises IndexError when there is none."""
        job = self.order()[0]
        del self._came[job]
        self._turn += 1
        self._served[job.owner] = self._turn
        there = {waiting.owner for waiting in self._came}
        self._served = {who: when for who, when in self._served.items() if who in there}
        return job

    def remove(self, job: Job) -> None:
        del self._came[job]

    def order(self) -> list[Job]:
        """All jobs in the order in which they would be taken now."""
        left, served, turn, found = dict(self._came), dict(self._served), self._turn, []
        while left:
            job = min(left, key=lambda j: max(left[j], served.get(j.owner, 0)))
            del left[job]
            turn += 1
            served[job.owner] = turn
            found.append(job)
        return found

    def all(self) -> tuple[Job, ...]:
        """Oldest first."""
        return tuple(self._came)
