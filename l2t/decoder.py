"""The parent's side of the fence: runs the decoding child, and believes little of what it says."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from l2t.errors import SpeechError
from l2t.wire import DONE, REFUSED, SAMPLES, receive

log = logging.getLogger(__name__)
SECONDS_A_SECOND = 0.1  # time the child may take for each second of sound, beyond its allowance


class Watchdog:
    """Kills a child at a deadline that moves as the child gets on.

    seconds: what the child has from the start; `extend` grants more.
    """

    def __init__(self, child: subprocess.Popen, seconds: float):
        self.late = False
        self._child, self._deadline = child, time.monotonic() + seconds
        self._done = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="decode-watchdog").start()

    def _watch(self) -> None:
        while not self._done.wait(max(0.0, self._deadline - time.monotonic())):
            if time.monotonic() >= self._deadline:
                self.late = True
                self._child.kill()
                return

    def extend(self, seconds: float) -> None:
        self._deadline += seconds

    def stop(self) -> None:
        self._done.set()


def start_child(file: BinaryIO, options: str) -> subprocess.Popen:
    """The decoder with `file` as its input; it never learns the file's name."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]
    own = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's threads would only cost address space
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "l2t.decode", options],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | own,
        )
    except OSError as error:
        log.error("no decoder: %s", error)
        raise SpeechError("The decoder cannot be started just now; please try again.") from None


def decoded(file: BinaryIO, limits: dict) -> Iterator[np.ndarray]:
    """Blocks (n,) float32 at limits["rate"] from an open recording; SpeechError if it is refused.

    limits: the fields of `l2t.speech.Limits`, with `rate` in Hz and `formats`, the end of a
    sentence. The child is gone when the iteration ends, however it ends.
    """
    options = limits | {
        "bytes": os.fstat(file.fileno()).st_size,
        "cpu_seconds": limits["decode_seconds"] + SECONDS_A_SECOND * limits["max_seconds"],
    }
    allowed = int((limits["max_seconds"] + 0.5) * limits["rate"])
    damaged = SpeechError(f"The recording is damaged and cannot be read; {limits['formats']}")
    with start_child(file, json.dumps(options)) as child:
        watchdog = Watchdog(child, limits["decode_seconds"])
        try:
            for block in _blocks(child.stdout, damaged):
                watchdog.extend(SECONDS_A_SECOND * len(block) / limits["rate"])
                allowed -= len(block)
                if allowed < 0 or not np.isfinite(block).all():
                    raise damaged
                yield block
        except EOFError:
            if not watchdog.late:
                raise damaged from None
            raise SpeechError(
                f"The recording could not be decoded within {limits['decode_seconds']:g} seconds; "
                "it is damaged or too complex."
            ) from None
        finally:
            watchdog.stop()
            child.kill()


def _blocks(pipe: BinaryIO, damaged: SpeechError) -> Iterator[np.ndarray]:
    """Sample blocks until the child is done; SpeechError if it refuses, EOFError if it dies."""
    while True:
        try:
            tag, payload = receive(pipe)
            if tag == SAMPLES:
                yield np.frombuffer(payload, "<f4")
        except ValueError:
            raise damaged from None
        if tag == REFUSED:
            raise SpeechError(payload[:400].decode(errors="replace"))
        if tag == DONE:
            log.debug("decoded: %s", payload.decode(errors="replace"))
            return
