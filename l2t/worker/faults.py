"""Errors of graphics card and memory: which one it was, and what may still be done.

A card that ran out of memory can go on once some is freed. After any other CUDA error the
process is lost: each later call fails too, whatever it asks for.
"""

import logging
import sys
import time

log = logging.getLogger(__name__)
MEMORY, POISONED = "memory", "poisoned"
POISONED_STATUS = 75  # exit status of a worker whose card failed
ALLOWED, WITHIN = 2, 600.0  # faults of the card in so many seconds, then the CPU is used
NO_MEMORY = "There is not enough memory for this job just now; a shorter recording helps."


def fault_of(error: BaseException) -> str | None:
    """`MEMORY`, `POISONED`, or None for an error that has nothing to do with either."""
    if isinstance(error, MemoryError):
        return MEMORY
    if not isinstance(error, RuntimeError):
        return None
    torch = sys.modules.get("torch")  # where it was never imported, no card was used
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return MEMORY
    accelerator = getattr(torch, "AcceleratorError", ())
    return POISONED if isinstance(error, accelerator) or "CUDA error" in str(error) else None


def free() -> None:
    """Gives back what the card keeps for later."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


class CardFaults:
    """How often the card failed of late."""

    def __init__(self):
        self._when: list[float] = []

    def one_more(self) -> bool:
        """Takes note of one; whether they are so many that the card is to be given up."""
        now = time.monotonic()
        self._when = [then for then in self._when if now - then < WITHIN] + [now]
        return len(self._when) >= ALLOWED
