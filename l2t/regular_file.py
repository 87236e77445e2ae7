"""Opening a file that somebody sent: only a plain one of acceptable size."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from l2t.errors import SpeechError


def open_regular(path: Path, max_bytes: int, subject: str, accepted: str) -> BinaryIO:
    """The opened file if it is a plain one of acceptable size; never waits on a pipe or device.

    subject: "recording" or "film"; accepted: the end of the sentence for an empty one. Raises
    SpeechError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        sentence = f"There is no such file; the name of a {subject} is expected."
        raise SpeechError(sentence) from None
    except (OSError, ValueError):
        sentence = f"The file cannot be opened; a readable {subject} is expected."
        raise SpeechError(sentence) from None
    try:
        _check_file(os.fstat(handle), max_bytes, subject, accepted)
    except SpeechError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def _check_file(facts: os.stat_result, max_bytes: int, subject: str, accepted: str) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise SpeechError(f"This is a folder; the name of one {subject} is expected.")
    if not stat.S_ISREG(facts.st_mode):
        raise SpeechError("This is a device or a pipe; a plain file is expected.")
    if facts.st_size == 0:
        raise SpeechError(f"The file is empty (0 bytes); {accepted}")
    if facts.st_size > max_bytes:
        raise SpeechError(
            f"The file is {facts.st_size / 1e6:.0f} MB; "
            f"at most {max_bytes / 1e6:.0f} MB are accepted."
        )
