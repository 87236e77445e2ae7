"""The child that decodes one untrusted recording, a program of its own.

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
import numpy as np

from l2t.fence import answer, confine
from l2t.pcm import decode


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
    """Decode `file` and write messages to `out`: mono float32, little endian."""
    stats = {"damaged": 0}
    blocks = (np.ascontiguousarray(block, "<f4") for block in decode(file, limits, stats))
    answer(out, blocks, stats, limits)


def main() -> None:
    limits = json.loads(sys.argv[1])
    av.logging.set_level(None)
    rehearse(limits)
    confine(limits["memory_bytes"], limits["cpu_seconds"])
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
