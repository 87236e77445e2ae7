"""Speech: one recording as the models want it, and how an untrusted file becomes one."""

import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO

import numpy as np

from l2t.errors import SpeechError
from l2t.loudness import normalise
from l2t.voice import SAMPLE_RATE, speech_mask

__all__ = ["SAMPLE_RATE", "Limits", "Speech", "load_speech", "speech_mask", "stream_speech"]

log = logging.getLogger(__name__)
FRAME = Struct("<cI")  # as in l2t/decode.py, which is a program of its own
FRAME_BYTES = 1 << 24  # no frame of the child is larger
FORMATS = "wav, flac, ogg, opus, mp3, m4a or webm"


@dataclass(frozen=True)
class Limits:
    """What is accepted of a recording; the defaults suit a public page.

    Lengths in seconds, rates in Hz, sizes in bytes. `decode_seconds` is the time after which the
    decoding child is killed, `memory_bytes` the bound on its address space.
    """

    min_seconds: float = 0.2
    max_seconds: float = 60.0
    min_rate: int = 4_000
    max_rate: int = 192_000
    max_channels: int = 8
    max_bytes: int = 100_000_000
    decode_seconds: float = 20.0
    memory_bytes: int = 640_000_000

    @property
    def formats(self) -> str:
        """The end of many a sentence: what is accepted."""
        return f"{self.min_seconds:g} to {self.max_seconds:g} seconds of {FORMATS} are accepted."


@dataclass(frozen=True)
class Speech:
    """A recording, ready for the models.

    samples: (n,) float32 mono at 16 kHz in -1..1, loudness normalised.
    name:    what to call it (a file's stem), never a path.
    """

    samples: np.ndarray
    name: str = "speech"

    def __post_init__(self):
        samples = np.ascontiguousarray(self.samples, dtype=np.float32)
        if samples.ndim != 1 or not len(samples):
            raise ValueError(f"samples must be (n,) with n > 0, got {samples.shape}")
        if not np.isfinite(samples).all():
            raise ValueError("samples must be finite")
        object.__setattr__(self, "samples", samples)

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def load_speech(path: Path | str, limits: Limits = Limits()) -> Speech:  # noqa: B008 (frozen)
    """Read an untrusted recording; raises SpeechError with one sentence if it is not accepted.

    Decoding happens in a child process, bounded in time and memory. Memory here: 4 bytes a
    sample, 230 MB an hour.
    """
    path = Path(path)
    blocks = list(stream_speech(path, limits))
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    seconds = len(samples) / SAMPLE_RATE
    if not len(samples):
        raise SpeechError(f"The recording holds no samples; {limits.formats}")
    if seconds < limits.min_seconds:
        raise SpeechError(f"The recording is {seconds:.3g} seconds long; {limits.formats}")
    name = "".join(c for c in path.stem if c.isprintable())[:80] or "speech"
    return Speech(normalise(samples), name)


def stream_speech(path: Path | str, limits: Limits = Limits()) -> Iterator[np.ndarray]:  # noqa: B008
    """Blocks (n,) float32 mono 16 kHz of about half a second, as recorded: not normalised.

    For recordings of any length in constant memory. Raises SpeechError, also midway.
    """
    with open_regular(Path(path), limits) as file:
        yield from _decoded(file, limits)


def open_regular(path: Path, limits: Limits) -> BinaryIO:
    """The opened file if it is a plain one of acceptable size; never waits on a pipe or device."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise SpeechError("There is no such file; the name of a recording is expected.") from None
    except (OSError, ValueError):
        raise SpeechError("The file cannot be opened; a readable recording is expected.") from None
    try:
        _check_file(os.fstat(handle), limits)
    except SpeechError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def _check_file(facts: os.stat_result, limits: Limits) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise SpeechError("This is a folder; the name of one recording is expected.")
    if not stat.S_ISREG(facts.st_mode):
        raise SpeechError("This is a device or a pipe; a plain file is expected.")
    if facts.st_size == 0:
        raise SpeechError(f"The file is empty (0 bytes); {limits.formats}")
    if facts.st_size > limits.max_bytes:
        raise SpeechError(
            f"The file is {facts.st_size / 1e6:.0f} MB; "
            f"at most {limits.max_bytes / 1e6:.0f} MB are accepted."
        )


def start_child(file: BinaryIO, options: str) -> subprocess.Popen:
    """The decoder with `file` as its input; it never learns the file's name."""
    program = Path(__file__).with_name("decode.py")
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-P", str(program), options],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | quiet,
    )


def _decoded(file: BinaryIO, limits: Limits) -> Iterator[np.ndarray]:
    """What the child sends, checked: it worked on untrusted data and is not trusted either."""
    options = asdict(limits) | {
        "rate": SAMPLE_RATE,
        "formats": limits.formats,
        "bytes": os.fstat(file.fileno()).st_size,
    }
    allowed = int((limits.max_seconds + 0.5) * SAMPLE_RATE)
    late = threading.Event()
    with start_child(file, json.dumps(options)) as child:

        def kill() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(limits.decode_seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            for block in _blocks(child.stdout, limits):
                allowed -= len(block)
                if allowed < 0 or not np.isfinite(block).all():
                    raise SpeechError(f"The recording is damaged; {limits.formats}")
                yield block
        except EOFError:
            raise SpeechError(
                f"The recording could not be decoded within {limits.decode_seconds:g} seconds."
                if late.is_set()
                else f"The recording is damaged and cannot be read; {limits.formats}"
            ) from None
        finally:
            timer.cancel()
            child.kill()


def _blocks(pipe: BinaryIO, limits: Limits) -> Iterator[np.ndarray]:
    """Sample blocks until the child is done; SpeechError if it refuses, EOFError if it dies."""
    while True:
        tag, size = FRAME.unpack(_exactly(pipe, FRAME.size))
        payload = _exactly(pipe, size) if size <= FRAME_BYTES else b""
        if tag == b"S" and size % 4 == 0:
            yield np.frombuffer(payload, "<f4")
        elif tag == b"D":
            log.debug("decoded: %s", payload.decode(errors="replace"))
            return
        elif tag == b"E":
            raise SpeechError(payload.decode(errors="replace"))
        else:
            raise SpeechError(f"The recording is damaged; {limits.formats}")


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
