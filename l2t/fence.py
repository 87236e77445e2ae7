"""The child's side of the fence: its bounds, and how what it decodes becomes messages.

Runs in the decoding children only (`l2t.decode`, `l2t.mouth_child`).
"""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import BinaryIO

import av
import av.error
import numpy as np

from l2t.probe import Refused
from l2t.wire import DATA, DONE, REFUSED, send

try:
    import resource  # here: who has left root may not be able to read it any more
except ImportError:
    resource = None


NOBODY = 65534  # user and group that own nothing


def confine(memory_bytes: int, cpu_seconds: float) -> None:
    """Bound this process' memory and time, and take away opening and writing files."""
    if resource is None:  # Windows: the parent's deadline and the decoded length still hold
        return
    _leave_root()
    for what, value in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", int(cpu_seconds) + 1),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 3),
        ("RLIMIT_NPROC", 0),  # neither children nor threads
    ):
        try:
            resource.setrlimit(getattr(resource, what), (value, value))
        except (AttributeError, ValueError, OSError):
            continue  # macOS knows no bound on the address space


def _leave_root() -> None:
    """Become nobody: no bound on processes holds for root, and a decoder needs none of its rights.

    Where that is not allowed, as in a user namespace without that user, root stays.
    """
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)


def answer(out: BinaryIO, blocks: Iterator[np.ndarray], facts: dict, options: dict) -> None:
    """Write `blocks` as messages to `out`, then `facts`; every failure becomes a sentence.

    options: "subject" of the sentences, and "damaged", the one for a file that breaks its decoder.
    """
    try:
        for block in blocks:
            send(out, DATA, block.tobytes())
        send(out, DONE, json.dumps(facts).encode())
    except Refused as refusal:
        send(out, REFUSED, str(refusal).encode())
    except MemoryError:
        sentence = f"The {options['subject']} needs more memory to decode than is allowed."
        send(out, REFUSED, sentence.encode())
    except (av.error.FFmpegError, ValueError, OverflowError, ZeroDivisionError):
        send(out, REFUSED, options["damaged"].encode())
    out.flush()
