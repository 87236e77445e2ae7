"""A film of a mouth, from an untrusted file to pictures at the lip reader's rate."""

import json
from pathlib import Path

import numpy as np

from l2t.decoder import Stop, Task, answers
from l2t.errors import SpeechError
from l2t.lip_limits import FPS, SIDE
from l2t.regular_file import open_regular
from l2t.wire import DATA

SECONDS, RATES = 10.0, (10.0, 60.0)  # the longest film; pictures a second, fewest and most
MAX_BYTES = 20_000_000
FORMATS = f"up to {SECONDS:g} seconds of mp4, mov, mkv or webm are accepted."
LIMITS = {"side": SIDE, "max_seconds": SECONDS, "fps": RATES, "formats": FORMATS}
TASK = Task(
    "l2t.mouth_child",
    "film",
    f"The film is damaged and cannot be read; {FORMATS}",
    seconds=20.0,
    memory_bytes=640_000_000,
    most_bytes=int(SECONDS * RATES[1] + 1) * SIDE * SIDE,
)


def load_mouths(path: Path | str, cancelled: Stop | None = None) -> np.ndarray:
    """Grey pictures (frames at 25 fps, 96, 96) uint8 of a film of a mouth alone.

    Decoding happens in a child process, bounded in time and memory. Raises SpeechError with one
    sentence for anything but 96 x 96 pixels and up to 10 seconds. `cancelled` is asked ten times
    a second or more; once it is true the child is killed and Cancelled raised.
    """
    pictures, facts = [], b""
    with open_regular(Path(path), MAX_BYTES, "film", FORMATS) as file:
        for tag, payload in answers(TASK, file, LIMITS, cancelled):
            if tag != DATA:
                facts = payload
            elif len(payload) != SIDE * SIDE:
                raise SpeechError(TASK.damaged)
            else:
                pictures.append(np.frombuffer(payload, np.uint8).reshape(SIDE, SIDE))
    if not pictures:
        raise SpeechError(TASK.damaged)
    return at_rate(np.stack(pictures), _rate(facts))


def _rate(facts: bytes) -> float:
    """Pictures a second, as the child says it, if that can be."""
    try:
        fps = float(json.loads(facts)["fps"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SpeechError(TASK.damaged) from None
    if not RATES[0] <= fps <= RATES[1]:
        raise SpeechError(TASK.damaged)
    return fps


def at_rate(pictures: np.ndarray, fps: float) -> np.ndarray:
    """The picture nearest in time for each frame at 25 fps; unchanged at that rate."""
    count = max(1, round(len(pictures) / fps * FPS))
    times = (np.arange(count) + 0.5) / FPS
    return pictures[np.minimum((times * fps).astype(int), len(pictures) - 1)]
