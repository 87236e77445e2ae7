"""Why a decoding child ended without a word: the file broke it, or it is broken itself.

A file may make its decoder crash or run out of memory or time; that says nothing of us. But a
child that ends with a Python traceback would do so with other files too, such as when a library has
changed: whoever runs the server must learn of it, and no visitor be told that his file is bad.
"""

import os
import subprocess
from typing import BinaryIO

TRACEBACK = 1  # status of a Python program that ends with one
PATIENCE = 2.0  # s for a child to end that has closed its line already
MOST_BYTES, MOST_CHARACTERS = 1 << 16, 300  # looked at, and told
LIMITS = ("MemoryError", "Cannot allocate memory")  # words of one that ran into its bounds


def own_fault(child: subprocess.Popen) -> str | None:
    """The last line of the traceback with which a child ended, None for any other end.

    It is what the child wrote, and a broken one may write anything: for the log alone.
    """
    try:
        if child.wait(PATIENCE) != TRACEBACK:
            return None
    except subprocess.TimeoutExpired:
        return None
    line = last_line(child.stderr)
    return None if any(word in line for word in LIMITS) else line or "it does not say why"


def open_pipe() -> tuple[int, int]:
    """(to read what a child says, to be its stderr). Neither end waits: a child that says more than
    the pipe holds goes on without. Raises OSError.
    """
    ends = os.pipe()
    for end in ends:
        if hasattr(os, "set_blocking"):  # not on Windows, before Python 3.12
            os.set_blocking(end, False)
    return ends


def last_line(pipe: BinaryIO | None) -> str:
    """What was written last, cut; "" where it is nothing, as in a child that may write no more."""
    if pipe is None:
        return ""
    try:
        text = os.read(pipe.fileno(), MOST_BYTES).decode(errors="replace")
    except OSError:  # a grandchild holds it open and says nothing
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:MOST_CHARACTERS] if lines else ""
