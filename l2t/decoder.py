"""The parent's side of the fence: runs a decoding child, and believes little of what it says."""

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from l2t.child import own_environment
from l2t.errors import Cancelled, SpeechError
from l2t.last_words import open_pipe, own_fault
from l2t.wire import DATA, REFUSED, receive

log = logging.getLogger(__name__)
Stop = Callable[[], bool]  # asked while the child works: whether nobody wants it any more
LOOK = 0.05  # s between two looks at the deadline and at who cancels
SECONDS_A_BYTE = 0.1 / 64_000  # a tenth of a second for each second of sound (float32, 16 kHz)
NOT_NOW = "The decoder cannot be started just now; please try again."
BROKEN = "The decoder is broken, whatever the {subject} holds; please try again later."
# What of the parent's environment a child gets to see: no tokens, no keys.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT", "LANG")


@dataclass(frozen=True)
class Task:
    """What a child is asked to do and what it may cost.

    module: the child's program.  subject: "recording" or "film".  damaged: the sentence for a file
    that breaks its decoder.  seconds: what the child has from the start, waiting for whoever takes
    its blocks not counted; each byte that it hands over earns `SECONDS_A_BYTE` more.
    memory_bytes: of its address space.  most_bytes: that it may hand over in all.
    """

    module: str
    subject: str
    damaged: str
    seconds: float
    memory_bytes: int
    most_bytes: int

    def options(self, file: BinaryIO, limits: dict) -> str:
        """The child's argument: JSON of `limits` and of what it needs of these."""
        own = {
            "subject": self.subject,
            "damaged": self.damaged,
            "memory_bytes": self.memory_bytes,
            "cpu_seconds": self.seconds + SECONDS_A_BYTE * self.most_bytes,
            "bytes": os.fstat(file.fileno()).st_size,
        }
        return json.dumps(limits | own)


def start_child(module: str, file: BinaryIO, options: str) -> subprocess.Popen:
    """The decoder with `file` as its input; it never learns the file's name."""
    own = {
        "PYTHONPATH": own_environment()["PYTHONPATH"],
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's threads would only cost address space
    }
    try:
        said, stderr = open_pipe()
    except OSError as error:
        raise _not_now(error) from None
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", module, options],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={name: os.environ[name] for name in INHERITED if name in os.environ} | own,
        )
    except OSError as error:
        os.close(said)
        raise _not_now(error) from None
    finally:
        os.close(stderr)
    child.stderr = os.fdopen(said, "rb", 0)  # closed with the child's other pipe
    return child


def _not_now(error: OSError) -> SpeechError:
    log.error("no decoder: %s", error)
    return SpeechError(NOT_NOW)


class Reader(threading.Thread):
    """Reads a child's messages, so that whoever waits for them can look up meanwhile."""

    def __init__(self, pipe: BinaryIO):
        super().__init__(daemon=True, name="decode-reader")
        self.pipe, self.messages = pipe, queue.Queue(2)  # few: the child waits for its reader
        self._wanted = True

    def run(self) -> None:
        tag = DATA
        while tag == DATA and self._wanted:
            try:
                tag, payload = receive(self.pipe)
            except (EOFError, ValueError, OSError):
                tag, payload = None, b""
            self.messages.put((tag, payload))

    def end(self) -> None:
        """Come to an end; the child is dead."""
        self._wanted = False
        while self.is_alive():
            with contextlib.suppress(queue.Empty):
                self.messages.get_nowait()  # room for what it may be waiting to put
            self.join(0.01)


def answers(
    task: Task, file: BinaryIO, limits: dict, cancelled: Stop | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """(DATA, block) of an open file, as often as there is one, then (DONE, JSON).

    cancelled: asked every `LOOK` seconds. Raises SpeechError with one sentence, Cancelled. The
    child is gone when the iteration ends, however it ends.
    """
    _check(cancelled)
    with start_child(task.module, file, task.options(file, limits)) as child:
        reader = Reader(child.stdout)
        try:
            _start(reader)
            yield from _believed(reader.messages, task, child, cancelled)
        finally:
            child.kill()
            if reader.ident is not None:  # where threads have run out it never began
                reader.end()


def _start(reader: Reader) -> None:
    try:
        reader.start()
    except RuntimeError as error:  # the system has no thread left
        log.error("no reader: %s", error)
        raise SpeechError(NOT_NOW) from None


def _believed(
    messages: queue.Queue, task: Task, child: subprocess.Popen, cancelled: Stop | None
) -> Iterator[tuple[bytes, bytes]]:
    deadline, allowed = time.monotonic() + task.seconds, task.most_bytes
    tag = DATA
    while tag == DATA:
        try:
            tag, payload = messages.get(timeout=LOOK)
        except queue.Empty:
            payload = b""
        _check(cancelled)
        deadline += SECONDS_A_BYTE * len(payload)
        allowed -= len(payload)
        if tag is None:
            raise _ended(child, task)
        if allowed < 0:
            raise SpeechError(task.damaged)
        if tag == REFUSED:
            words = payload[:400].decode(errors="replace")
            raise SpeechError("".join(c if c.isprintable() else " " for c in words))
        if tag == DATA and time.monotonic() > deadline:
            raise SpeechError(
                f"The {task.subject} could not be decoded within {task.seconds:g} seconds; it is "
                "damaged or too complex."
            )
        if payload or tag != DATA:
            handed_over = time.monotonic()
            yield tag, payload
            deadline += time.monotonic() - handed_over  # whoever takes it may take his time


def _ended(child: subprocess.Popen, task: Task) -> SpeechError:
    """What to say of a child that ended before its work did."""
    if (fault := own_fault(child)) is None:
        return SpeechError(task.damaged)
    log.error("the decoder of a %s is broken: %s", task.subject, fault)
    return SpeechError(BROKEN.format(subject=task.subject))


def _check(cancelled: Stop | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("The job was cancelled.")
