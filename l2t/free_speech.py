"""Transcripts of any English speech, by Whisper's own decoder, where its weights already are.

The embedded encoder is only Whisper's first layers; words outside the GRID corpus need the whole
model.  It is used when it lies in the Hub's local cache (`hf download openai/whisper-tiny.en`), and
never fetched from here: nothing in this module makes a request.
"""

import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l2t.errors import WeightsError
from l2t.voice import SAMPLE_RATE

if TYPE_CHECKING:
    from l2t.models.whisper import Whisper

log = logging.getLogger(__name__)
MODEL = "openai/whisper-tiny.en"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
LONGEST, SEARCHED, STEP = 30 * SAMPLE_RATE, 5 * SAMPLE_RATE, SAMPLE_RATE // 10


def available() -> bool:
    """Whether every file of MODEL is in the Hub's local cache."""
    return _snapshot() is not None


def transcribe(samples: np.ndarray) -> str | None:
    """What is said in sound (n,) at 16 kHz; None where MODEL is not there or does not work.

    The model is loaded once, at the first call; one that does not load is not tried again until its
    files change.
    """
    folder = _snapshot()
    whisper = None if folder is None else _loaded(folder, _stamp(folder))
    if whisper is None:
        return None
    try:
        return " ".join(text for piece in pieces(samples) if (text := whisper.text(piece)))
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        log.warning("Whisper is there but does not work: %s", error)
        return None


def pieces(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Sound (n,) in stretches of up to 30 s, each cut where the last five seconds are quietest."""
    while len(samples) > LONGEST:
        end = samples[LONGEST - SEARCHED : LONGEST].reshape(-1, STEP)
        quietest = int(np.square(end, dtype=np.float64).sum(1).argmin())
        cut = LONGEST - SEARCHED + quietest * STEP + STEP // 2
        yield samples[:cut]
        samples = samples[cut:]
    if len(samples):
        yield samples


def _snapshot() -> Path | None:
    """The folder of the cache that holds all FILES; None where there is none."""
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(MODEL, name) for name in FILES]
    return Path(found[0]).parent if all(isinstance(path, str) for path in found) else None


def _stamp(folder: Path) -> tuple:
    """What changes when the files do."""
    try:
        facts = [(folder / name).stat() for name in FILES]
    except OSError:
        return ()
    return tuple((fact.st_size, fact.st_mtime_ns) for fact in facts)


@lru_cache(maxsize=1)
def _loaded(folder: Path, stamp: tuple) -> "Whisper | None":
    from l2t.models.whisper import load_whisper

    try:
        return load_whisper(folder)
    except WeightsError as error:
        log.warning("Whisper is there but does not load: %s", error)
        return None
