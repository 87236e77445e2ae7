"""Renders the motion of tracked clips as mouth crops: the same clips as drawings.

    python -m training.render_mouths grid_s1 grid_s26 --cache CACHE

reads CACHE/targets/PART.npz (of training.data.targets) and writes CACHE/mouths/PART_render.npy
and .json as training.data.mouths does: the same clips, rows and frames as the photos.  Most show
the template's first face, whose lips are read in evaluations; half of grid_s1's training clips
show its other faces in turn, lest a reader learn one face by heart.
"""

import argparse
import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.motion import Motion
from l2t.softrender import MouthRenderer
from training.data.corpora import grid_split
from training.data.mouths import FPS, pack_mouths

log = logging.getLogger(__name__)
Draw = Callable[[torch.Tensor], torch.Tensor]


def drawn(draw: Draw, arkit: np.ndarray) -> np.ndarray:
    """Pictures (frames at 25 fps, 96, 96) uint8 of weights (frames at 30 fps, 52)."""
    weights = torch.from_numpy(Motion(arkit).resampled(FPS).arkit)
    with torch.inference_mode():
        pictures = torch.cat([draw(piece) for piece in weights.split(32)])
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def face_of(part: str, index: int, faces: int) -> int:
    """Which of the template's faces a clip shows, by its index among the part's sorted names."""
    if part != "grid_s1" or grid_split(index) != "train" or index // 2 % 2 == 0:
        return 0
    return (index // 4 + index) % faces


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Renders tracked motion as mouth crops.")
    parser.add_argument("parts", nargs="+", help="grid_s1, grid_s26")
    parser.add_argument("--cache", type=Path, required=True, help="folder with targets/")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    template = FaceTemplate.load()
    draws = [MouthRenderer(template, identity=name) for name in template.identities]
    for part in options.parts:
        began = time.monotonic()
        with np.load(options.cache / "targets" / f"{part}.npz", allow_pickle=False) as file:
            names, arkit = file["names"].tolist(), file["arkit"].astype(np.float32)
        pictures = (
            drawn(draws[face_of(part, index, len(draws))], one) for index, one in enumerate(arkit)
        )
        pack_mouths(options.cache / "mouths", f"{part}_render", names, pictures)
        log.info("%s: %d clips, %.0f s", part, len(names), time.monotonic() - began)


if __name__ == "__main__":
    main()
