"""The child's side of the fence: decodes one untrusted recording, a program of its own.

    python -P -m l2t.decode '{"rate": 16000, "max_seconds": 60, ...}' < recording > messages

The recording comes as an open file on standard input, so no path is ever opened here; after the
imports the process may neither open nor write a file. What it found goes to standard output as
messages (`l2t.wire`). Only PyAV and numpy are imported: the child has to be there in a few tenths
of a second.
"""

import io
import json
import sys
import wave
from typing import BinaryIO

import av
import av.error
import numpy as np

from l2t.pcm import decode
from l2t.probe import Refused
from l2t.wire import DONE, REFUSED, SAMPLES, send


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
    ):
        try:
            resource.setrlimit(getattr(resource, what), (value, value))
        except (AttributeError, ValueError, OSError):
            continue  # macOS knows no bound on the address space


def rehearse(limits: dict) -> None:
    """Decode a little silence from memory, so that whatever PyAV imports late is there already."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, limits["max_rate"], 0, "NONE", ""))
        out.writeframes(bytes(200))
    file.seek(0)
    for _ in decode(file, limits, {"damaged": 0}):
        pass


def serve(file: BinaryIO, out: BinaryIO, limits: dict) -> None:
    """Decode `file` and write messages to `out`; every ordinary failure becomes a sentence."""
    stats = {"damaged": 0}
    try:
        for block in decode(file, limits, stats):
            send(out, SAMPLES, np.ascontiguousarray(block, "<f4").tobytes())
        send(out, DONE, json.dumps(stats).encode())
    except Refused as refusal:
        send(out, REFUSED, str(refusal).encode())
    except MemoryError:
        send(out, REFUSED, b"The recording needs more memory to decode than is allowed.")
    except (av.error.FFmpegError, ValueError, OverflowError, ZeroDivisionError):
        sentence = f"The recording is damaged and cannot be read; {limits['formats']}"
        send(out, REFUSED, sentence.encode())
    out.flush()


def main() -> None:
    limits = json.loads(sys.argv[1])
    av.logging.set_level(None)
    rehearse(limits)
    confine(limits["memory_bytes"], limits["cpu_seconds"])
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
