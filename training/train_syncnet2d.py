"""Trains SyncNet2D on a real man's mouth on film.

    python -m training.train_syncnet2d --data data --cache CACHE --half 0 --seed 1 \
        --start assets/weights/syncnet3d --name syncnet2d           # the one that judges
    python -m training.train_syncnet2d --data data --cache CACHE --half 1 --seed 2 \
        --start CACHE/experts/loss --name syncnet2d_loss            # the one in the teacher's loss

The two share no training clip. CACHE holds mouths/ (of training.data.mouths); weights go to
CACHE/experts/NAME, curves to CACHE/experts/NAME.run.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from l2t.sync import REACH
from training.files import load_parts, save_module
from training.loop import Loop, LoopConfig
from training.losses.contrastive import all_pairs, clip_loss, frame_loss, rank_loss, shift_means
from training.models.syncnet2d import SyncNet2D
from training.mouth_sync_data import Bending, Film, draw_batch, grid_films
from training.sync_data import CLEAN, Spoiling

CONFIG = LoopConfig(steps=420, rate=1.5e-3, warm=60, average=0.99, clip=5.0, check_every=100)
BATCH, FRAMES = 12, 50


def start_from(expert: SyncNet2D, path: Path) -> None:
    """Takes over the audio tower of a SyncNet3D, which has heard hundreds of voices."""
    tensors = load_parts(path.parent, path.name)[1]
    kept = {k.removeprefix("audio."): v for k, v in tensors.items() if k.startswith("audio.")}
    # The count of batches seen does not matter to a normalisation with a fixed momentum.
    expert.audio.load_state_dict(expert.audio.state_dict() | kept)


def losses_of(model, batch) -> dict[str, torch.Tensor]:
    """Frame, clip and rank loss of one batch of `draw_batch`, and their sum as "total"."""
    mel, mouths, voiced = batch
    table = all_pairs(*model(mel, mouths))
    means = shift_means(table, REACH)
    terms = {"frame": frame_loss(table, voiced), "clip": clip_loss(means), "rank": rank_loss(means)}
    return terms | {"total": sum(terms.values())}


def step_on(films: list[Film], loop: Loop, batch: int, frames: int) -> Callable:
    """One step of training on films."""

    def step(model, number: int) -> dict[str, torch.Tensor]:
        drawn = draw_batch(films, loop.rng, batch, frames, Spoiling(), Bending())
        return losses_of(model, [t.to(loop.device) for t in drawn])

    return step


def check_on(films: list[Film], frames: int) -> Callable:
    """The losses on unseen clips, unspoilt; no score, so the last average is kept."""
    rng = np.random.default_rng(0)
    drawn = draw_batch(films, rng, min(len(films), 16), frames, CLEAN, None)

    @torch.inference_mode()
    def check(model) -> dict[str, float]:
        device = next(model.parameters()).device
        terms = losses_of(model, [t.to(device) for t in drawn])
        return {f"unseen {name}": float(value) for name, value in terms.items() if name != "total"}

    return check


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Trains the sync expert on films of mouths.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/")
    parser.add_argument("--name", default="syncnet2d", help="of the weights in CACHE/experts")
    parser.add_argument("--half", type=int, choices=(0, 1), help="train on every second clip only")
    parser.add_argument("--start", type=Path, help="SyncNet3D whose audio tower it begins with")
    parser.add_argument("--steps", type=int, default=CONFIG.steps)
    parser.add_argument("--seed", type=int, default=CONFIG.seed)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    films = grid_films(options.data, options.cache, "grid_s1", "train", options.half)
    unseen = grid_films(options.data, options.cache, "grid_s1", "validation")
    logging.info("%d clips", len(films))
    folder = options.cache / "experts"
    config = replace(CONFIG, steps=options.steps, seed=options.seed)
    loop = Loop(folder / f"{options.name}.run", config, options.resume)
    expert = SyncNet2D()
    if options.start:
        start_from(expert, options.start)
    loop.run(
        expert, step_on(films, loop, BATCH, FRAMES), check_on(unseen, FRAMES),
        save=lambda model, _: save_module(model, folder, options.name),
    )  # fmt: skip


if __name__ == "__main__":
    main()
