"""Trains a student and its two sync experts on a dataset of the paper.

    python -m training.paper.train vocaset FOLDER --out runs/voca
    python -m training.paper.train biwi FOLDER --out runs/biwi

FOLDER is the dataset as published (see training/paper/vocaset.py and biwi.py) with the mask files.
Writes to --out: config.json, basis.safetensors, sync_loss and sync_measure, student (.json and
.safetensors), and the loop's log, curves, sample and checkpoint. Runs under `accelerate launch`.
`--sync 0` gives the paper's "w/o sync loss".
"""

import argparse
import json
import logging
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from l2t.errors import L2TError
from l2t.metrics import lve
from training.data.features import load_encoder
from training.files import save_module
from training.loop import Loop, LoopConfig
from training.paper.basis import Basis, PointDecoder
from training.paper.clips import Corpus
from training.paper.config import CONFIGS, DATASETS, ENCODER, PaperConfig, read_config
from training.paper.layout import DatasetError
from training.paper.losses import Hook, LipSync, PaperLosses, VertexLoss
from training.paper.masks import Mask, read_mask
from training.paper.prepare import Example, basis_of, draw, prepared
from training.paper.student import VertexConfig, VertexRegressor, in_styles
from training.paper.sync import lip_places, load_experts, train_experts

log = logging.getLogger(__name__)
BASIS = "basis.safetensors"


def train(
    corpus: Corpus, lips: Mask, config: PaperConfig, out: Path, encoder: Path = ENCODER,
    resume: bool = False, lipread: Hook | None = None,
) -> dict:  # fmt: skip
    """All stages; returns the kept line of the student's log.

    encoder: folder with encoder.json and .safetensors. lipread: a loss on the student's motion,
    weighed by config.lipread; off by default.
    """
    layout = corpus.layout
    accelerator = Accelerator()
    with accelerator.main_process_first():
        _first_files(corpus, config, out, resume or not accelerator.is_main_process)
    basis, ears = Basis.load(out / BASIS), load_encoder(encoder).to(accelerator.device)
    examples = {
        name: prepared(corpus, corpus.split(name), basis, ears) for name in ("train", "validation")
    }
    decoder = PointDecoder(basis, lip_places(lips.ids, config.points))
    train_experts(
        examples["train"], decoder, layout.fps, out, config.expert_model, config.expert, resume
    )
    accelerator.wait_for_everyone()
    return _train_student(examples, basis, lips, layout, config, out, resume, lipread)


def _first_files(corpus: Corpus, config: PaperConfig, out: Path, keep: bool) -> None:
    """Writes the basis and config.json; keep: unless they are there, of the same basis."""
    wanted = {"dataset": corpus.layout.name, "components": config.components}
    if keep and (out / BASIS).exists():
        notes = json.loads((out / "config.json").read_text(encoding="utf-8"))
        there = {name: notes[name] for name in wanted}
        if there != wanted:
            raise DatasetError(f"{out} was begun with {there}; {wanted} cannot go on from there.")
        return
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(wanted | asdict(config), indent=1)
    (out / "config.json").write_text(text + "\n", encoding="utf-8")
    basis_of(corpus, config.components).save(out / BASIS)


def _train_student(examples, basis, lips, layout, config, out, resume, lipread) -> dict:
    loop = Loop(out, LoopConfig(**config.student), resume)
    channels = examples["train"][0].features.shape[1]
    model = VertexRegressor(
        VertexConfig(channels, basis.size, layout.fps, layout.styles, **config.model)
    )
    measure_features(model, examples["train"])
    expert = load_experts(out)["sync_loss"]
    decoder = PointDecoder(basis, lip_places(lips.ids, expert.config.points))
    extras = {"sync": (LipSync(expert, decoder, layout.fps).to(loop.device), config.sync)}
    if lipread is not None:
        extras["lipread"] = (lipread, config.lipread)
    vertices = VertexLoss(basis, config.velocity).to(loop.device)
    losses = PaperLosses(vertices, extras, round(config.after * loop.config.steps))
    mouth = PointDecoder(basis, lips.ids)

    def step(model, number: int) -> dict[str, torch.Tensor]:
        batch = draw(examples["train"], config.batch, config.frames, layout.fps, loop.rng)
        batch = batch.to(loop.device)
        return losses(model(batch.features, config.frames, batch.style), batch, number)

    def check(model) -> dict[str, float]:
        error = float(np.mean([lip_error(model, e, mouth) for e in examples["validation"]]))
        return {"lip_error": error * layout.lve_scale, "score": -error * layout.lve_scale}

    def picture(model, path: Path) -> None:
        draw_sample(model, examples["validation"][0], path)

    def save(model, folder: Path) -> None:
        save_module(model, folder, "student", half=False)

    return loop.run(model, step, check, picture, save, also={"losses": losses})


def measure_features(model: VertexRegressor, examples: list[Example]) -> None:
    """Sets the model's input normalisation from the training features."""
    sample = torch.from_numpy(np.concatenate([e.features[::5] for e in examples]))
    model.feature_mean.copy_(sample.mean(0))
    model.feature_scale.copy_(sample.std(0) + 1e-3)


def styles_of(model: VertexRegressor, example: Example) -> list[int]:
    """A training subject speaks in its own style, anybody else in all of them, one by one."""
    return [example.style] if example.style >= 0 else list(range(len(model.config.styles)))


def lip_error(model: VertexRegressor, example: Example, mouth: PointDecoder) -> float:
    """LVE against the motion in the basis, mean over styles; for choosing a checkpoint only."""
    styles, frames = styles_of(model, example), len(example.z)
    made = in_styles(model, torch.from_numpy(example.features), frames, styles).cpu()
    truth = mouth(torch.from_numpy(example.z.astype(np.float32))).numpy()
    return float(np.mean([lve(mouth(z).numpy(), truth) for z in made]))


def draw_sample(model: VertexRegressor, example: Example, path: Path) -> None:
    """The first three numbers of the basis over a validation clip: truth grey, made blue."""
    from matplotlib.figure import Figure

    features = torch.from_numpy(example.features)
    made = in_styles(model, features, len(example.z), styles_of(model, example)[:1])[0].cpu()
    axes = (figure := Figure(figsize=(8, 5), layout="constrained")).subplots(3, squeeze=False)
    for number, ax in enumerate(axes[: example.z.shape[1], 0]):
        ax.plot(example.z[:, number], color="grey", label="truth")
        ax.plot(made[:, number], color="tab:blue", label="made")
        ax.set_title(f"{example.name}: number {number + 1}, deviations", fontsize=8)
    axes[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=80)


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", choices=sorted(DATASETS))
    parser.add_argument("folder", type=Path, help="the dataset as published, with its masks")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="training/configs/DATASET.json by default")
    parser.add_argument("--encoder", type=Path, default=ENCODER, help="folder of the encoder")
    parser.add_argument("--sync", type=float, help="weight of the sync loss, 0 = without")
    parser.add_argument("--components", type=int, help="of the basis, 0 = direct vertices")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints in --out")
    parser.add_argument("--threads", type=int, default=0, help="of torch, 0 = its own choice")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    options = options_of(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    layout, opened = DATASETS[options.dataset]
    try:
        config = read_config(options.config or CONFIGS / f"{options.dataset}.json")
        given = {k: v for k in ("sync", "components") if (v := getattr(options, k)) is not None}
        corpus = opened(options.folder)
        lips = read_mask(options.folder, layout, layout.lips)
        if layout.upper:  # only measuring needs it, but a night's training later is too late
            read_mask(options.folder, layout, layout.upper)
        line = train(corpus, lips, replace(config, **given), options.out, options.encoder,
                     options.resume)  # fmt: skip
    except L2TError as error:
        sys.exit(str(error))
    log.info("kept: %s", json.dumps(line))


if __name__ == "__main__":
    main()
