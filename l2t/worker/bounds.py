"""What the worker process may take: memory, and time to get ready."""

from dataclasses import dataclass

from l2t.hub import hub_seconds


@dataclass(frozen=True)
class Bounds:
    """memory: bytes that the process and what it started may hold together; start: seconds to
    load the models, what a Hub may take not counted; warm: seconds for the practice take, which
    compiles when it is the first on a machine.
    """

    memory: int = 4_000_000_000
    start: float = 120.0
    warm: float = 240.0

    @property
    def loading(self) -> float:
        """Seconds until loading is given up: a Hub has its own deadline, and then what it did not
        give has to be loaded from elsewhere.
        """
        return self.start + hub_seconds()
