"""Speech: one recording as the models want it, and how an untrusted file becomes one."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from l2t.decoder import Stop, Task, answers
from l2t.errors import SpeechError
from l2t.loudness import normalise
from l2t.regular_file import open_regular
from l2t.voice import SAMPLE_RATE, speech_mask
from l2t.wire import DATA

__all__ = ["SAMPLE_RATE", "Limits", "Speech", "load_speech", "speech_mask", "stream_speech"]

FORMATS = "wav, flac, ogg, opus, mp3, m4a or webm"


@dataclass(frozen=True)
class Limits:
    """What is accepted of a recording; the defaults suit a public page.

    Lengths in seconds, rates in Hz, sizes in bytes. `decode_seconds` is what the decoding
    child has before it is killed (and a tenth of a second more for each second that it decoded),
    `memory_bytes` the bound on its address space.
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


def load_speech(
    path: Path | str,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    cancelled: Stop | None = None,
) -> Speech:
    """Read an untrusted recording; raises SpeechError with one sentence if it is not accepted.

    Decoding happens in a child process, bounded in time and memory. Memory here: 4 bytes a
    sample, 230 MB for an hour, and twice that while it is normalised. `cancelled` is asked ten
    times a second or more; once it is true the child is killed and Cancelled raised.
    """
    path = Path(path)
    samples = np.concatenate([np.zeros(0, np.float32), *stream_speech(path, limits, cancelled)])
    seconds = len(samples) / SAMPLE_RATE
    if not len(samples):
        raise SpeechError(f"The recording holds no samples; {limits.formats}")
    if seconds < limits.min_seconds:
        raise SpeechError(f"The recording is too short, {seconds:.3f} seconds; {limits.formats}")
    name = "".join(c for c in path.stem if c.isprintable())[:80] or "speech"
    return Speech(normalise(samples), name)


def stream_speech(
    path: Path | str,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    cancelled: Stop | None = None,
) -> Iterator[np.ndarray]:
    """Blocks (n,) float32 mono 16 kHz of about half a second, as recorded: not normalised.

    For recordings of any length in constant memory. Raises SpeechError and Cancelled as
    `load_speech`, also midway.
    """
    damaged = f"The recording is damaged and cannot be read; {limits.formats}"
    task = Task(
        "l2t.decode", "recording", damaged, limits.decode_seconds, limits.memory_bytes,
        most_bytes=4 * int((limits.max_seconds + 0.5) * SAMPLE_RATE),
    )  # fmt: skip
    facts = {"rate": SAMPLE_RATE, "formats": limits.formats}
    with open_regular(Path(path), limits.max_bytes, "recording", limits.formats) as file:
        for tag, payload in answers(task, file, asdict(limits) | facts, cancelled):
            if tag == DATA:
                yield _block(payload, damaged)


def _block(payload: bytes, damaged: str) -> np.ndarray:
    """(n,) float32 from the child's bytes, if that is what they are."""
    if len(payload) % 4:
        raise SpeechError(damaged)
    block = np.frombuffer(payload, "<f4")
    if not np.isfinite(block).all():
        raise SpeechError(damaged)
    return block
