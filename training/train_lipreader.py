"""Trains the lip reader on photos of a mouth, and on renders of the same mouth's motion.

    python -m training.train_lipreader --cache CACHE --seed 1 \
        --steps 3000 --out runs/lipreader          # photos; add --renders for both domains

CACHE holds mouths/ (of training.data.mouths; the renders of training.render_mouths) and align/
(of training.data.align).  The loss: CTC over phones, the phone of each frame (which gets a reader
of few clips going: CTC alone takes many times longer) and, on both domains, the angle between
the features of a photo and of the render of the same frame.
"""

import argparse
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from l2t.lipreading import log_probs
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig, reader_from
from training.data.corpora import grid_split
from training.data.mouths import load_mouths
from training.files import load_parts, save_module
from training.lip_errors import clip_errors
from training.lipreader_data import UNKNOWN, Batch, Batches, load_sentences
from training.loop import Loop, LoopConfig
from training.sync_sources import halved

log = logging.getLogger(__name__)
RAREST = 1e-3  # smallest prior of a unit: what was hardly seen must not win by being rare


@dataclass(frozen=True)
class ReaderTraining:
    """batch, frames: windows of a step and their length. ctc, pair: weights of two losses beside
    the one on frames. smooth: share of the frame loss on all units alike. half_floats: matrix
    products in bfloat16, a third faster where the processor knows them."""

    batch: int = 16
    frames: int = 40
    ctc: float = 0.3
    pair: float = 1.0
    smooth: float = 0.05
    half_floats: bool = True


def frame_loss(log_probs: Tensor, units: Tensor, smooth: float) -> Tensor:
    """Cross entropy of the frames whose unit is known, targets smoothed over all units."""
    known = units != UNKNOWN
    seen = log_probs[known]
    right = seen.gather(1, units[known][:, None]).mean()
    return -(1 - smooth) * right - smooth * seen.mean()


def sequence_loss(log_probs: Tensor, batch: Batch) -> Tensor:
    """CTC per unit of the targets (Graves et al., ICML 2006)."""
    repeats = len(log_probs) // len(batch.targets)
    frames = torch.full((len(log_probs),), log_probs.shape[1])
    return F.ctc_loss(
        log_probs.transpose(0, 1), batch.targets.repeat(repeats, 1), frames,
        batch.lengths.repeat(repeats), blank=UNITS.index("blank"), zero_infinity=True,
    )  # fmt: skip


def pair_loss(features: Tensor) -> Tensor:
    """1 - cosine of the features of photo and render of the same frames.

    features: (2 * batch, frames, width), photos first.
    """
    photo, render = features.chunk(2)
    return 1 - F.cosine_similarity(photo, render, dim=-1).mean()


def losses(model, batch: Batch, how: ReaderTraining) -> dict[str, Tensor]:
    """Terms of one step, "total" is what is minimised."""
    with torch.autocast(batch.mouths.device.type, torch.bfloat16, enabled=how.half_floats):
        features, scores = model(batch.mouths)
    features, scores = features.float(), scores.float()
    domains = len(scores) // len(batch.units)
    units = batch.units.repeat(domains, 1)
    terms = {"frame": frame_loss(scores, units, how.smooth), "ctc": sequence_loss(scores, batch)}
    total = terms["frame"] + how.ctc * terms["ctc"]
    if domains == 2:
        terms["pair"] = pair_loss(features)
        total = total + how.pair * terms["pair"]
    known = units != UNKNOWN
    terms["right"] = (scores.argmax(-1) == units)[known].float().mean()
    return terms | {"total": total}


def validation(reader: LipReader, names: list[str], packs: dict[str, np.ndarray]) -> dict:
    """Errors by domain on the validation clips, and as "score" minus their mean."""
    rows = [i for i in range(len(names)) if grid_split(i) == "validation"]
    found = {}
    for domain, pack in packs.items():
        errors = [
            clip_errors(log_probs(reader, pack[row]), reader.config, names[row], ("grid", "phones"))
            for row in rows
        ]
        for column in ("grid", "phone"):
            found[f"{column}_{domain}"] = float(np.mean([e[column] for e in errors]))
    return found | {"score": -float(np.mean(list(found.values())))}


def with_priors(reader: LipReader, units: Tensor) -> LipReader:
    """The reader, told how often each unit was among the frames (n,) it learned from."""
    share = torch.bincount(units, minlength=len(UNITS)).double() / len(units)
    priors = share.clamp_min(RAREST).log()
    reader.config = replace(reader.config, priors=tuple(round(p, 4) for p in priors.tolist()))
    return reader


def load_reader(path: Path) -> LipReader:
    """The reader in PATH.json and PATH.safetensors, for inference."""
    return reader_from(*load_parts(path.parent, path.name))


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Trains the lip reader.")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/, align/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--role", default="lipreader", help="name of the weights")
    parser.add_argument("--renders", action="store_true", help="learn from renders as well")
    parser.add_argument("--half", type=int, choices=(0, 1), help="train on every second clip only")
    parser.add_argument("--start", type=Path, help="go on from this reader (path without ending)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for name, kind in (("seed", int), ("steps", int), ("stop", int), ("rate", float),
                       ("warm", int), ("average", float), ("check_every", int)):  # fmt: skip
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind,
                            default=getattr(LoopConfig, name))  # fmt: skip
    parser.add_argument("--batch", type=int, default=ReaderTraining.batch)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = {k: v for k, v in vars(options).items() if k in LoopConfig.__dataclass_fields__}
    train(options, LoopConfig(**chosen), ReaderTraining(batch=options.batch))


def train(options: argparse.Namespace, config: LoopConfig, how: ReaderTraining) -> None:
    """Runs the loop with the command's options; weights, log and notes go to `options.out`."""
    domains = {"photo": "grid_s1"} | ({"render": "grid_s1_render"} if options.renders else {})
    read = {domain: load_mouths(options.cache, part) for domain, part in domains.items()}
    names = read["photo"][0]
    if any(other != names for other, _ in read.values()):
        raise ValueError("photos and renders are not of the same clips; pack both anew")
    packs = {domain: pack for domain, (_, pack) in read.items()}
    sentences = load_sentences(options.cache / "align" / "grid_s1.npz", names, "train")
    sentences = halved(sentences, options.half)
    log.info("%d clips, %s", len(sentences), " and ".join(packs))
    batches = Batches(sentences, list(packs.values()), how.batch, how.frames)
    loop = Loop(options.out, config, options.resume)
    reader = load_reader(options.start) if options.start else LipReader(LipReaderConfig())
    drawn = np.random.default_rng(0)
    seen = torch.cat([batches.draw(drawn).units.flatten() for _ in range(8)])
    reader = with_priors(reader.requires_grad_(True), seen[seen != UNKNOWN])

    def save(model, folder: Path) -> None:
        save_module(model, folder, options.role)
        notes = {"half": options.half, "renders": options.renders,
                 "start": options.start.name if options.start else ""}  # fmt: skip
        text = asdict(model.config) | {"notes": notes | asdict(config) | asdict(how)}
        path = folder / f"{options.role}.json"
        path.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")

    best = loop.run(
        reader,
        lambda model, _: losses(model, batches.draw(loop.rng), how),
        check=lambda model: validation(model, names, packs),
        save=save,
    )
    log.info("kept: %s", " ".join(f"{k} {v:.4g}" for k, v in best.items()))


if __name__ == "__main__":
    main()
