"""How fast mouths are drawn: python tests/benchmarks/bench_softrender.py [--frames 160].

CPU seconds of one thread tell more than the clock on a machine that others use.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from l2t.face import FaceTemplate  # noqa: E402
from l2t.motion import ARKIT_NAMES  # noqa: E402
from l2t.softrender import MouthRenderer  # noqa: E402

CASES = ((96, 96), (96, 64), (144, 144), (224, 112), (224, 224))  # size, inner
REPEATS = 3


def seconds(work) -> float:
    """Least processor time of a few runs, after one to warm up."""
    work()
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=160)
    frames = parser.parse_args().frames
    torch.set_num_threads(1)
    template = FaceTemplate.load()
    arkit = 0.1 * torch.rand(frames, 52, generator=torch.Generator().manual_seed(0))
    arkit[:, ARKIT_NAMES.index("jawOpen")] = torch.linspace(0, 0.6, frames)
    print(f"{frames} frames, one thread, processor time")
    print("size inner triangles points | drawing ms/frame | with gradients ms/frame  s in all")
    for size, inner in CASES:
        renderer = MouthRenderer(template, size, inner=inner)
        moving = arkit.clone().requires_grad_()
        with torch.no_grad():
            drawing = seconds(lambda: renderer(arkit))  # noqa: B023
        learning = seconds(lambda: renderer(moving).square().mean().backward())  # noqa: B023
        triangles, points = renderer.faces.shape[1], len(renderer.share)
        print(f"{size:4d} {inner:5d} {triangles:9d} {points:6d} | {1e3 * drawing / frames:16.2f} | "
              f"{1e3 * learning / frames:23.2f} {learning:9.2f}")


if __name__ == "__main__":
    main()
