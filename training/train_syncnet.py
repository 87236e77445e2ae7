"""Trains SyncNet3D, the expert that says whether a mouth follows a sound.

    python -m training.train_syncnet --data data --cache CACHE \
        --half 0 --seed 1 --out assets/weights/syncnet3d      # the one that measures
    python -m training.train_syncnet --data data --cache CACHE \
        --half 1 --seed 2 --out CACHE/experts/loss            # the one in the student's loss

The two share no training clip, so the metric is not the loss.  CACHE holds targets/ (of
training.data.targets) and align/ (of training.data.align).
"""

import argparse
import copy
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncConfig, SyncNet3D, expert_from, mouth_basis
from l2t.sync import REACH
from training.files import load_parts, save_module
from training.loop import Loop, LoopConfig
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
class TrainConfig(LoopConfig):
    """How an expert is trained, beside what `LoopConfig` holds.

    batch, frames: clips an update, frames a clip.  clip_weight, rank_weight: weights of the losses
    on whole clips beside the loss on frames.
    """

    steps: int = 1500
    rate: float = 2e-3
    warm: int = 225
    clip: float = 5.0
    average: float = 0.99
    check_every: int = 100
    batch: int = 16
    frames: int = 64
    clip_weight: float = 1.0
    rank_weight: float = 1.0


def fresh(batches: Batches, config: SyncConfig, seed: int) -> SyncNet3D:
    """An untrained expert whose motion projection is fitted to a few of the batches."""
    torch.manual_seed(seed)
    expert = SyncNet3D(config)
    seen = torch.cat([batches.draw()[1].flatten(0, 1) for _ in range(12)])
    expert.motion.fit_projection(seen)
    return expert


def train(
    expert: SyncNet3D, batches: Batches, how: TrainConfig, out: Path, notes: dict | None = None,
    resume: bool = False,
) -> SyncNet3D:  # fmt: skip
    """The expert, trained on `batches` for `how.steps` steps; written to OUT.safetensors, its log,
    curves and checkpoint into the folder OUT."""
    loop = Loop(out, how, resume)
    batches.rng = loop.rng  # the loop's generator is the one that a resumed run gets back

    def step(model, number: int) -> dict[str, torch.Tensor]:
        mel, displacement, voiced = (t.to(loop.device) for t in batches.draw())
        table = all_pairs(*model(mel, displacement))
        means = shift_means(table, REACH)
        terms = {"frame": frame_loss(table, voiced), "clip": clip_loss(means),
                 "rank": rank_loss(means)}  # fmt: skip
        weights = {"frame": 1.0, "clip": how.clip_weight, "rank": how.rank_weight}
        return terms | {"total": sum(weights[k] * v for k, v in terms.items())}

    kept = []

    def save(model, folder: Path) -> None:
        save_expert(model, out, (notes or {}) | asdict(how))
        kept[:] = [copy.deepcopy(model)]

    loop.run(expert, step, save=save)
    return kept[0] if kept else load_expert(out)


def save_expert(expert: SyncNet3D, path: Path, notes: dict) -> None:
    """PATH.safetensors (half precision) and PATH.json (config and, as `notes`, how it was made)."""
    save_module(expert, path.parent, path.name)
    text = json.dumps(expert.config.to_dict() | {"notes": notes}, indent=1)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


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
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for name, kind in (("steps", int), ("batch", int), ("frames", int), ("seed", int),
                       ("rate", float)):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=getattr(TrainConfig, name))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    chosen = {name: getattr(options, name) for name in ("steps", "batch", "frames", "seed", "rate")}
    how = TrainConfig(warm=round(0.15 * options.steps), **chosen)
    clips, odds = sources(options.data, options.cache, options.half, tuple(options.spoken))
    log.info("%d clips of %s", len(clips), ", ".join(sorted(odds)))
    basis = mouth_basis(FaceTemplate.load())
    batches = Batches(clips, basis, how.seed, how.batch, how.frames, weights=odds)
    expert = fresh(batches, SyncConfig(), how.seed)
    if options.start:
        expert = load_expert(options.start).requires_grad_(True)
    start = options.start.name if options.start else ""
    notes = {"half": options.half, "start": start, "spoken": options.spoken}
    train(expert, batches, how, options.out, notes, options.resume)


if __name__ == "__main__":
    main()
