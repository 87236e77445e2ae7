"""Who is next: jobs stand in line, and visitors take turns.

Each turn goes to the job with the smallest number: the turn at which it came, or that at which its
owner was last served, whichever is later; of equal ones to the older. So who orders ten takes
waits for the tenth, everybody else for one of his at most, and nobody waits for ever.
"""

import heapq
from collections import deque
from collections.abc import Iterator

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
        self._order: tuple[Job, ...] | None = ()  # as foretold; None: to be found out again

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
        self._order = None

    def take(self) -> Job:
        """The next job, out of the line. Raises IndexError when there is none."""
        order = self.order()
        job = order[0]
        del self._came[job]
        self._turn += 1
        self._served[job.owner] = self._turn
        there = {waiting.owner for waiting in self._came}
        self._served = {who: when for who, when in self._served.items() if who in there}
        self._order = order[1:]  # it came as foretold, and so will they
        return job

    def remove(self, job: Job) -> None:
        del self._came[job]
        self._order = None

    def order(self) -> tuple[Job, ...]:
        """All jobs in the order in which they would be taken now. Every visitor asks ten times a
        second, so it is found out once for each change of the line.
        """
        if self._order is None:
            self._order = tuple(self._foretell())
        return self._order

    def _foretell(self) -> Iterator[Job]:
        """Turn by turn; of each owner's jobs the oldest is the first, so that only those stand in
        the heap, each with its number and its place in the line.
        """
        waiting: dict[str, deque[tuple[int, Job]]] = {}
        for place, job in enumerate(self._came):
            waiting.setdefault(job.owner, deque()).append((place, job))

        def first(owner: str, served: int) -> tuple[int, int, str]:
            place, job = waiting[owner][0]
            return max(self._came[job], served), place, owner

        heap = [first(owner, self._served.get(owner, 0)) for owner in waiting]
        heapq.heapify(heap)
        for turn in range(self._turn + 1, self._turn + len(self._came) + 1):
            _, _, owner = heap[0]
            yield waiting[owner].popleft()[1]
            if waiting[owner]:
                heapq.heapreplace(heap, first(owner, turn))
            else:
                heapq.heappop(heap)

    def all(self) -> tuple[Job, ...]:
        """Oldest first."""
        return tuple(self._came)
