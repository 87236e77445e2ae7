"""Loads many files quickly: `python -m hostile.batch recordings|films FILE...`.

What became of each is a line of JSON. The decoder's child is forked from this process instead of
started anew (which costs 0.2 s a file); all else is what `load_speech` or `load_mouths` does to a
visitor's file.
"""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import av

from hostile.forked import Forked, rehearsed
from l2t import decoder, mouth_clip
from l2t.errors import L2TError
from l2t.speech import Limits, load_speech

SECONDS = 15.0  # that a child has here


def load_recording(path: Path) -> float:
    """Seconds of speech."""
    return load_speech(path, Limits(decode_seconds=SECONDS)).seconds


def load_film(path: Path) -> float:
    """Seconds of pictures."""
    return len(mouth_clip.load_mouths(path)) / 25


LOADERS: dict[str, Callable[[Path], float]] = {"recordings": load_recording, "films": load_film}


def outcome(path: Path, load: Callable[[Path], float]) -> dict:
    """What became of a file: seconds or a sentence, and of its child (see `Forked`) the peak of
    memory in MB, the processor's seconds and what it died of, if it did."""
    Forked.last = None
    try:
        found = {"seconds": load(path)}
    except L2TError as error:
        found = {"sentence": str(error)}
    child = Forked.last
    facts = {"peak_mb": child.peak_mb, "cpu": child.cpu, "died": child.died} if child else {}
    return found | {"path": str(path)} | facts


def fork_from_here() -> None:
    """From now on decoding children are forked."""
    av.logging.set_level(None)
    rehearsed()
    decoder.start_child = Forked
    mouth_clip.TASK = dataclasses.replace(mouth_clip.TASK, seconds=SECONDS)


def main() -> None:
    fork_from_here()
    for path in sys.argv[2:]:
        print(json.dumps(outcome(Path(path), LOADERS[sys.argv[1]])), flush=True)


if __name__ == "__main__":
    main()
