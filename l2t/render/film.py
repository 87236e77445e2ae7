"""Pictures and sound into one mp4 that browsers play: H.264 and AAC through moviepy's writer.

The bundled ffmpeg reads raw frames from a pipe and the sound from a file beside the film, so
drawing and encoding run at the same time and no more than a few frames are held.
"""

import os
import tempfile
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from l2t.errors import Cancelled, OutputError, RenderError
from l2t.motion import frame_count
from l2t.render.encoder import Encoder

SAMPLE_RATE = 16000  # Hz of `Speech.samples`
Progress = Callable[[float], None]  # share of the film that is done, 0..1
Stop = Callable[[], bool]


def write_film(
    path: Path | str,
    frames: Iterator[np.ndarray],
    fps: float,
    speech,
    count: int | None = None,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> Path:
    """Encodes `frames` with the sound of `speech` and puts the film at `path`, whole or not at all.

    frames: (height, width, 3) uint8 each; speech: has `samples`, float32 mono at 16 kHz;
    count: how many frames will come (None: as many as the speech is long).
    Raises OutputError where nothing can be written, Cancelled, RenderError when encoding fails.
    """
    count = frame_count(len(speech.samples) / SAMPLE_RATE, fps) if count is None else count
    with part_of(Path(path)) as part:
        encode(part, frames, fps, speech.samples, count, progress, cancelled)
    return Path(path)


@contextmanager
def part_of(path: Path):
    """A place beside `path` to write the film to; moved to `path` if the block ends well.

    Raises OutputError. Whatever happens, nothing else is left behind.
    """
    if path.suffix.lower() != ".mp4":
        raise OutputError(f"A film is written as .mp4, found the name {path.name!r}.")
    if path.is_dir():
        raise OutputError(f"The film cannot be written: {path.name!r} is a folder.")
    try:
        room = tempfile.TemporaryDirectory(
            dir=path.parent, prefix=".l2t-", ignore_cleanup_errors=True
        )
    except OSError as error:
        raise _unwritable(path, error) from error
    with room as folder:
        part = Path(folder) / "film.mp4"
        yield part
        try:
            os.replace(part, path)
        except OSError as error:
            raise _unwritable(path, error) from error


def encode(
    part: Path,
    frames: Iterator[np.ndarray],
    fps: float,
    samples: np.ndarray,
    count: int,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> None:
    """Writes `part` (and sound.wav beside it): `count` frames and as much sound, to the sample."""
    sound = part.with_name("sound.wav")
    write_sound(sound, samples, count / fps)
    encoder, done = None, 0
    try:
        for frame in frames:
            if cancelled is not None and cancelled():
                raise Cancelled("The film was cancelled.")
            if encoder is None:
                encoder = Encoder(part, frame.shape, fps, sound)
            encoder.write(frame)
            done += 1
            if progress is not None:
                progress(done / count)
        if done != count:
            raise RenderError(f"The film needs {count} pictures, found {done}.")
        encoder.finish()
    finally:
        if encoder is not None:
            encoder.kill()  # after a good end there is nothing left to kill


def write_sound(path: Path, samples: np.ndarray, seconds: float) -> None:
    """16-bit wav of exactly `seconds`: silence is added or the end cut off. OutputError."""
    wanted = round(seconds * SAMPLE_RATE)
    samples = np.clip(np.asarray(samples, np.float32)[:wanted], -1, 1)
    pcm = np.zeros(wanted, "<i2")
    pcm[: len(samples)] = np.round(samples * 32767)
    try:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(pcm.tobytes())
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    why = (error.strerror or "unknown reason").lower()
    return OutputError(f"The film {path.name!r} cannot be written there: {why}.")
