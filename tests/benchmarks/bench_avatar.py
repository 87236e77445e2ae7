"""How fast the Gaussian head is drawn: pictures a second, vertices and composition included.

    python tests/benchmarks/bench_avatar.py [--size 512] [--threads 2] [--frames 60]

Also the processor's seconds a picture, which do not depend on what else the machine does.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from l2t.avatar import Avatar, Orbit  # noqa: E402
from l2t.motion import ARKIT_NAMES, Motion  # noqa: E402


def speech_like(frames: int) -> Motion:
    """A jaw that opens and shuts four times a second."""
    arkit = np.zeros((frames, len(ARKIT_NAMES)), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = 0.3 - 0.3 * np.cos(np.arange(frames) * 0.8)
    return Motion(arkit)


def main() -> None:
    """Prints one line a view."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=60)
    options = parser.parse_args()
    avatar = Avatar.load()
    print(f"{len(avatar.gaussians)} Gaussians, {options.size} pixels, {options.threads} threads")
    for name, orbit in (("front", Orbit()), ("side", Orbit(88)), ("near", Orbit(zoom=2))):
        list(avatar.frames(speech_like(2), orbit, options.size, options.threads))
        began, worked = time.perf_counter(), time.process_time()
        list(avatar.frames(speech_like(options.frames), orbit, options.size, options.threads))
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        print(f"{name:6} {options.frames / seconds:6.1f} pictures a second, "
              f"{1000 * work / options.frames:6.1f} ms of one core a picture")


if __name__ == "__main__":
    main()
