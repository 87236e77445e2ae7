"""A decoding child that is forked from a process where everything is imported already."""

import contextlib
import json
import os
import signal
from typing import BinaryIO, ClassVar

from l2t import decode, mouth_child
from l2t.fence import confine
from l2t.mouth_clip import LIMITS
from l2t.speech import Limits

SERVE = {"l2t.decode": decode.serve, "l2t.mouth_child": mouth_child.serve}


def rehearsed() -> None:
    """What the children do before they are confined, once for all of them."""
    facts = {"rate": 16_000, "formats": "", "bytes": 0, "subject": "recording"}
    decode.rehearse(Limits().__dict__ | facts)
    mouth_child.rehearse(LIMITS | {"subject": "film"})


class Forked:
    """As much of subprocess.Popen as the decoder's parent uses.

    died: of an exception that nobody foresaw (1) or of the signal -n, SIGKILL not counted, as
    that is how each ends that has said all; None: neither.  peak_mb: its memory at the most.
    cpu: seconds of a processor that it took.
    """

    last: ClassVar["Forked | None"] = None
    stderr, code = None, None
    traced = contextlib.nullcontext  # around the child's work

    def __init__(self, module: str, file: BinaryIO, options: str):
        reading, writing = os.pipe()
        self.pid, self.died, self.peak_mb, self.cpu = os.fork(), None, 0.0, 0.0
        if self.pid == 0:
            self._work(module, file, json.loads(options), writing)
        os.close(writing)
        self.stdout = os.fdopen(reading, "rb")
        Forked.last = self

    def _work(self, module: str, file: BinaryIO, limits: dict, writing: int) -> None:
        status = 1
        try:
            confine(limits["memory_bytes"], limits["cpu_seconds"])
            out = os.fdopen(writing, "wb")  # open to the end: when it closes, all is over
            with type(self).traced():
                SERVE[module](file, out, limits)
            status = 0
        finally:
            os._exit(status)

    def kill(self) -> None:
        """As the parent does at the end of every decoding, also of one that is through."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_) -> None:
        self.stdout.close()
        self.wait()

    def wait(self, _seconds: float | None = None) -> int:
        """Its status; it has ended or was killed."""
        if self.pid:
            _, status, usage = os.wait4(self.pid, 0)
            self.pid, self.code = 0, os.waitstatus_to_exitcode(status)
            self.died = None if self.code in (0, -signal.SIGKILL) else self.code
            self.peak_mb, self.cpu = usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime
        return self.code
