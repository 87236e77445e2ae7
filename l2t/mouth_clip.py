"""A film of a mouth, from an untrusted file to pictures at the lip reader's rate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from l2t.errors import SpeechError
from l2t.lip_limits import FPS, SIDE
from l2t.speech import Limits, open_regular

LIMITS = {"side": SIDE, "max_seconds": 10.0, "fps": [10.0, 60.0], "memory_bytes": 1 << 30,
          "seconds": 20.0}  # fmt: skip
MAX_BYTES = 20_000_000
DAMAGED = "The film is damaged and cannot be read; mp4, mov, mkv or webm are accepted."


def load_mouths(path: Path | str) -> np.ndarray:
    """Grey pictures (frames at 25 fps, 96, 96) uint8 of a film of a mouth alone.

    Decoding happens in a child process, bounded in time and memory. Raises SpeechError with one
    sentence for anything but 96 x 96 pixels and up to 10 seconds.
    """
    with open_regular(Path(path), Limits(max_bytes=MAX_BYTES)) as file:
        paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-P", "-m", "l2t.mouth_child", json.dumps(LIMITS)]
        try:
            done = subprocess.run(
                command, stdin=file, capture_output=True, env=os.environ | own,
                timeout=2 * LIMITS["seconds"], check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SpeechError("The film could not be decoded in time; it is damaged.") from None
    head, _, data = done.stdout.partition(b"\n")
    try:
        facts = json.loads(head)
    except ValueError:
        raise SpeechError(DAMAGED) from None
    if "refused" in facts:
        raise SpeechError(facts["refused"])
    if len(data) != facts["frames"] * SIDE * SIDE:
        raise SpeechError(DAMAGED)
    return at_rate(np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE), facts["fps"])


def at_rate(pictures: np.ndarray, fps: float) -> np.ndarray:
    """The picture nearest in time for each frame at 25 fps; unchanged at that rate."""
    count = max(1, round(len(pictures) / fps * FPS))
    times = (np.arange(count) + 0.5) / FPS
    return pictures[np.minimum((times * fps).astype(int), len(pictures) - 1)]
