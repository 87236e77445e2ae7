"""A process of our own as its parent sees it: start, talk, and end it with all it started."""

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import psutil

from l2t.family import below, end, held_by

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
SEND_SECONDS = 15  # for a message to be taken off the line, and to arrive whole once begun
REAP_SECONDS = 0.3  # to wait for a killed process; a busy system buries it later


class ChildGone(Exception):
    """The process has ended; `reason` says how, in words."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Child:
    """A `python -m MODULE FD ...` in a process group of its own, and the line to it.

    A plain process rather than `multiprocessing.Process`: spawning that would import the
    parent's main module again, and with it the page (seconds).
    """

    def __init__(self, module: str, *words: str):
        """module: what to run; it gets the descriptor of the line, then `words`."""
        self.line, theirs = multiprocessing.Pipe()
        _limit_waiting(self.line.fileno(), SEND_SECONDS)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno()), *words],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=own_environment(),
            start_new_session=True,  # so that `kill` reaches what it starts, and Ctrl-C does not
        )
        theirs.close()
        self._family: list[psutil.Process] = []  # what it had started when last looked at

    def send(self, message) -> None:
        """Raises ChildGone."""
        try:
            self.line.send(message)
        except OSError as error:
            raise ChildGone(self._how_it_ended()) from error

    def receive(self, seconds: float):
        """The next message, or None when none comes in time. Raises ChildGone."""
        try:
            return self.line.recv() if self.line.poll(seconds) else None
        except (EOFError, OSError) as error:
            raise ChildGone(self._how_it_ended()) from error

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def memory(self) -> int:
        """Bytes that the process and all it started hold."""
        self.meet_family()
        return held_by(self.process.pid, self._family)

    def meet_family(self) -> None:
        """Remembers what the process has started: once it is dead its children are nobody's."""
        if self.alive():
            self._family = below(self.process.pid) or self._family

    def kill(self) -> None:
        """Ends the process and all it started, at once: those of its group, and those that have
        one of their own, as far as they can be known when it is dead already.
        """
        self.meet_family()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        end(self._family)
        self.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(REAP_SECONDS)

    def leave(self, seconds: float = 2.0) -> None:
        """Hangs up, which ends an idle process politely; kills it if it stays."""
        self.meet_family()
        self.line.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def _how_it_ended(self) -> str:
        try:
            status = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "it stopped answering"
        return f"it was ended by signal {-status}" if status < 0 else f"it ended with {status}"


def own_environment() -> dict[str, str]:
    """The environment for a Python that imports this package, wherever it is started from."""
    path = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path}


def _limit_waiting(descriptor: int, seconds: int) -> None:
    """Lets a read or write of the socket fail after `seconds` instead of waiting for ever."""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            line.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", seconds, 0))
