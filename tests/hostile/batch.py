"""Loads many files quickly: `python -m hostile.batch FILE...`, a line of JSON each.

The decoder's child is forked from this process instead of started anew (which costs 0.2 s a
file); all else is what `load_speech` does to a visitor's file.
"""

import json
import os
import resource
import signal
import sys
import time
from typing import BinaryIO

import av

from l2t import decode, decoder, mouth_child
from l2t.errors import SpeechError
from l2t.fence import confine
from l2t.speech import Limits, load_speech

SERVE = {"l2t.decode": decode.serve, "l2t.mouth_child": mouth_child.serve}


class Forked:
    """As much of subprocess.Popen as the decoder's parent uses."""

    def __init__(self, module: str, file: BinaryIO, options: str):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            limits = json.loads(options)
            confine(limits["memory_bytes"], limits["cpu_seconds"])
            with os.fdopen(writing, "wb") as out:
                SERVE[module](file, out, limits)
                out.flush()
                os._exit(0)
        os.close(writing)
        self.stdout = os.fdopen(reading, "rb")

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_) -> None:
        self.stdout.close()
        os.waitpid(self.pid, 0)
        self.pid = 0


def outcome(path: str, limits: Limits) -> dict:
    begun = time.monotonic()
    try:
        found = {"seconds": load_speech(path, limits).seconds}
    except SpeechError as error:
        found = {"sentence": str(error)}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return found | {"path": path, "took": time.monotonic() - begun, "peak_mb": peak}


def main() -> None:
    av.logging.set_level(None)
    limits = Limits(decode_seconds=5)
    decode.rehearse({"rate": 16_000, "formats": "", "bytes": 0} | limits.__dict__)
    decoder.start_child = Forked
    for path in sys.argv[1:]:
        print(json.dumps(outcome(path, limits)), flush=True)


if __name__ == "__main__":
    main()
