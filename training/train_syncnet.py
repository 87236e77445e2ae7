"""Trains SyncNet3D, the expert that says whether a mouth follows a sound.

    python -m training.train_syncnet --data ../shared/data --cache CACHE \
        --half 0 --seed 1 --out assets/weights/syncnet3d      # the one that measures
    python -m training.train_syncnet --data ../shared/data --cache CACHE \
        --half 1 --seed 2 --out CACHE/experts/loss            # the one in the student's loss

The two share no training clip, so the metric is not the loss.  CACHE holds targets/ (of
training.data.targets) and align/ (of training.data.align).
"""

import argparse
import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncConfig, SyncNet3D, expert_from, mouth_basis
from l2t.sync import REACH
from training.files import load_parts, save_module
from training.losses.contrastive import (
    all_pairs,
    clip_loss,
    frame_loss,
    rank_loss,
    shift_means,
)  # fmt: skip
from training.sync_data import Batches, Clip
from training.sync_sources import facegood_clips, grid_clips, spoken_clips

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """How an expert is trained.

    steps, batch, frames: updates, clips an update, frames a clip.  rate: peak learning rate of
    `pace`.  decay: weight decay.  clip_weight, rank_weight: weights of the losses on whole clips
    beside the loss on frames.  average: decay of the running mean of the weights, which is what is
    returned.  seed: of weights and data.
    """

    steps: int = 1500
    batch: int = 16
    frames: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    clip_weight: float = 1.0
    rank_weight: float = 1.0
    average: float = 0.99
    seed: int = 1


def fresh(batches: Batches, config: SyncConfig, seed: int) -> SyncNet3D:
    """An untrained expert whose motion projection is fitted to a few of the batches."""
    torch.manual_seed(seed)
    expert = SyncNet3D(config)
    seen = torch.cat([batches.draw()[1].flatten(0, 1) for _ in range(12)])
    expert.motion.fit_projection(seen)
    return expert


def pace(step: int, steps: int) -> float:
    """Share of the peak learning rate: up over the first 15 % of the steps, down along a cosine."""
    done = (step + 1) / (steps + 1)
    return done / 0.15 if done < 0.15 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.15) / 0.85)


def train(expert: SyncNet3D, batches: Batches, how: TrainConfig) -> SyncNet3D:
    """The expert, trained on `batches` for `how.steps` steps."""
    optimiser = torch.optim.AdamW(expert.parameters(), lr=how.rate, weight_decay=how.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(pace, steps=how.steps))
    # A running mean of the weights is what is returned: steadier than the last step alone.
    average = AveragedModel(
        expert, multi_avg_fn=get_ema_multi_avg_fn(how.average), use_buffers=True
    )
    started, losses = time.monotonic(), []
    for step in range(1, how.steps + 1):
        expert.train()
        losses.append(_update(expert, batches.draw(), optimiser, how))
        schedule.step()
        average.update_parameters(expert)
        if step % 100 == 0 or step == how.steps:
            recent = torch.tensor(losses[-100:]).mean(0).tolist()
            spent = time.monotonic() - started
            log.info("step %d, %.0f s: frame, clip, rank loss %.3f %.3f %.3f", step, spent, *recent)
    return average.module.eval()


def _update(expert, batch, optimiser, how: TrainConfig) -> list[float]:
    mel, displacement, voiced = batch
    table = all_pairs(expert.hear(mel), expert.see(displacement))
    means = shift_means(table, REACH)
    losses = frame_loss(table, voiced), clip_loss(means), rank_loss(means)
    optimiser.zero_grad()
    (losses[0] + how.clip_weight * losses[1] + how.rank_weight * losses[2]).backward()
    torch.nn.utils.clip_grad_norm_(expert.parameters(), 5.0)
    optimiser.step()
    return [loss.item() for loss in losses]


def save_expert(expert: SyncNet3D, path: Path, notes: dict) -> None:
    """PATH.safetensors (half precision) and PATH.json (config and, as `notes`, how it was made)."""
    save_module(expert, path.parent, path.name)
    text = json.dumps(expert.config.to_dict() | {"notes": notes}, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def load_expert(path: Path) -> SyncNet3D:
    """The expert in PATH.json and PATH.safetensors, for inference."""
    return expert_from(*load_parts(path.parent, path.name))


def sources(
    data: Path, cache: Path, half: int | None, spoken: tuple[str, ...] = ()
) -> tuple[list[Clip], dict[str, float]]:
    """Training clips of one half, and the odds of their corpora.

    spoken: parts of speech/ animated by the coarticulation model that share two fifths of the
    batches: they teach voices, the tracked faces teach what mouths really do.
    """
    clips = grid_clips(data, cache / "targets", "grid_s1", "train", half)
    # A take is minutes long: listed often enough that a batch can hold several cuts of it.
    clips += facegood_clips(data, "train", half) * 12
    odds = {"grid_s1": 0.75, "facegood": 0.25}
    for part in spoken:
        clips += spoken_clips(data, cache, part, "train", half)
        odds[part] = 2 / 3 / len(spoken)
    return clips, odds


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Trains a sync expert.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with targets/, align/")
    parser.add_argument("--out", type=Path, required=True, help="path without ending")
    parser.add_argument("--half", type=int, choices=(0, 1), help="train on every second clip only")
    parser.add_argument("--spoken", nargs="*", default=[], help="parts of speech/, aligned")
    parser.add_argument("--start", type=Path, help="go on from this expert (path without ending)")
    for name, kind in (("steps", int), ("batch", int), ("frames", int), ("seed", int),
                       ("rate", float)):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=getattr(TrainConfig, name))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    how = TrainConfig(options.steps, options.batch, options.frames, options.rate, seed=options.seed)
    clips, odds = sources(options.data, options.cache, options.half, tuple(options.spoken))
    log.info("%d clips of %s", len(clips), ", ".join(sorted(odds)))
    basis = mouth_basis(FaceTemplate.load())
    batches = Batches(clips, basis, how.seed, how.batch, how.frames, weights=odds)
    expert = fresh(batches, SyncConfig(), how.seed)
    if options.start:
        expert = load_expert(options.start).requires_grad_(True)
    expert = train(expert, batches, how)
    start = options.start.name if options.start else ""
    notes = {"half": options.half, "start": start, "spoken": options.spoken} | asdict(how)
    save_expert(expert, options.out, notes)


if __name__ == "__main__":
    main()
