"""How the networks compute, so that a take has the same bytes on every number of cores.

On the CPU on one thread: sums that several share are rounded as they were cut up. That costs 0.016
of real time instead of 0.013, and on a busy machine it is several times faster than threads that
wait for each other. On CUDA in full float32: the shortened one that convolutions take otherwise
moves a weight by up to 0.004, a hundred times as far as another processor does.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cudnn


class _Hold:
    """How many callers hold torch to it, and how it was before the first of them."""

    def __init__(self):
        self._lock, self._inside = threading.Lock(), 0

    def take(self) -> None:
        with self._lock:
            if not self._inside:
                self._threads = torch.get_num_threads()
                self._flags = cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
                self._flags.__enter__()
            self._inside += 1
            torch.set_num_threads(1)  # by each caller: torch keeps part of it by thread

    def give_back(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                torch.set_num_threads(self._threads)
                self._flags.__exit__(None, None, None)


_HOLD = _Hold()  # torch's settings are those of the whole process, and so is this


@contextmanager
def same_answer() -> Iterator[None]:
    """Within it torch computes so; afterwards as before. As a context, or `@same_answer()`."""
    _HOLD.take()
    try:
        yield
    finally:
        _HOLD.give_back()
