"""The child's side of the fence: its bounds, and how what it decodes becomes messages.

Runs in the decoding children only (`l2t.decode`, `l2t.mouth_child`).
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

import av
import av.error
import numpy as np

from l2t.probe import Refused
from l2t.wire import DATA, DONE, REFUSED, send


def confine(memory_bytes: int, cpu_seconds: float) -> None:
    """Bound this process' memory and time, and take away opening and writing files."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline and the decoded length still hold
        return
    for what, value in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", int(cpu_seconds) + 1),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 3),
        ("RLIMIT_NPROC", 0),  # neither children nor threads; without effect on root
    ):
        try:
            resource.setrlimit(getattr(resource, what), (value, value))
        except (AttributeError, ValueError, OSError):
            continue  # macOS knows no bound on the address space


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
