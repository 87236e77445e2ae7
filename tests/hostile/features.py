"""What an input reached in a forked child: branches of our code, and what libav says of it.

The child writes into memory that it shares with its parent, so that nothing is lost if it dies.
"""

import contextlib
import inspect
import logging
import mmap
import re
import sys
import zlib
from collections.abc import Iterator
from types import CodeType, FrameType, ModuleType

import av
import numpy as np

SLOTS = 1 << 16  # features are told apart by a hash below this
BEFORE = ("main", "rehearse", "confine")  # functions that run before anything is traced


def lines_of(module: ModuleType) -> Iterator[tuple[str, int]]:
    """(file, line) of each line of code inside a function of a module."""
    with open(module.__file__, encoding="utf-8") as source:
        todo = [compile(source.read(), module.__file__, "exec")]
    while todo:
        inner = [part for part in todo.pop().co_consts if isinstance(part, CodeType)]
        todo += inner
        for code in inner:
            if code.co_flags & inspect.CO_OPTIMIZED and code.co_name not in BEFORE:
                first = code.co_firstlineno  # of the def itself, which is not reached by a call
                yield from ((code.co_filename, n) for *_, n in code.co_lines() if n and n != first)


class Features:
    """Collects them; one of these a run of the guide."""

    def __init__(self, modules: list[ModuleType]):
        self.files = {module.__file__ for module in modules}
        known = sorted({line for module in modules for line in lines_of(module)})
        self.lines = {line: SLOTS + number for number, line in enumerate(known)}
        self.shared = mmap.mmap(-1, SLOTS + len(known) + 1)
        self.hit = np.frombuffer(self.shared, np.uint8)
        self.ever = np.zeros(len(self.hit), bool)

    def mark(self, what: tuple) -> None:
        self.hit[zlib.crc32(repr(what).encode()) % SLOTS] = 1

    def news(self) -> int:
        """How many features the last input was the first to reach; ready for the next."""
        new = (self.hit > 0) & ~self.ever
        self.ever |= new
        self.hit[:] = 0
        return int(new[:SLOTS].sum())

    def missing(self) -> list[tuple[str, int]]:
        """Lines that no input has reached."""
        return [line for line, slot in self.lines.items() if not self.ever[slot]]

    @contextlib.contextmanager
    def traced(self) -> Iterator[None]:
        """In the child: notes what happens within."""
        logger, heard = logging.getLogger("libav"), Heard(self)
        logger.addHandler(heard)
        logger.propagate = False
        av.logging.set_level(av.logging.WARNING)
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(None)

    def _called(self, frame: FrameType, event: str, arg):
        if frame.f_code.co_filename not in self.files:
            return None
        before, name = frame.f_lineno, frame.f_code.co_filename

        def happened(frame: FrameType, event: str, arg):
            nonlocal before
            now = frame.f_lineno
            if slot := self.lines.get((name, now)):
                self.hit[slot] = 1
            what = arg[0].__name__ if event == "exception" else event
            self.mark((name, before, now, what))
            before = now
            return happened

        return happened


class Heard(logging.Handler):
    """Notes each kind of thing that libav complains of, numbers left out."""

    def __init__(self, features: Features):
        super().__init__()
        self.features = features

    def emit(self, record: logging.LogRecord) -> None:
        self.features.mark((record.name, re.sub(r"0x\w+|[\d.]+", "#", record.getMessage())[:80]))
