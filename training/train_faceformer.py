"""Trains the FaceFormer-style baseline on the student's data.

    python -m training.train_faceformer --config training/configs/faceformer.json --cache cache \
        --data data --out runs/faceformer

As in the original it trains on its own outputs: crops are unrolled from their first frame to
their last, and the loss is the plain squared error of vertices. Caches as for the student.
"""

import argparse
import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from l2t.face import FaceTemplate
from l2t.metrics import lip_opening
from l2t.models.faceformer import FaceFormer, FaceFormerConfig
from training.data.sources import load_sources
from training.files import save_module
from training.loop import Loop, LoopConfig
from training.student_batches import draw_batch
from training.train_regressor import measure_features
from training.validate import validation_scores

ROLE = "student_faceformer"


@dataclass(frozen=True)
class BaselineConfig:
    """batch, frames: crops a step, frames a crop. loop, model: settings of `LoopConfig` and
    `FaceFormerConfig`. sources: as the student's."""

    batch: int = 16
    frames: int = 96
    loop: dict = field(default_factory=dict)
    model: dict = field(default_factory=dict)
    sources: tuple[dict, ...] = ()


class VertexError(nn.Module):
    """Mean squared error over all vertices that any weight moves, in mm^2.

    Vertices are weights times a basis, so the error is a quadratic form of the difference of the
    weights: (52, 52) numbers instead of thousands of vertices.
    """

    def __init__(self, template: FaceTemplate):
        super().__init__()
        basis = template.basis(template.moving).reshape(52, -1).astype(np.float64) * 1e3
        form = basis @ basis.T / basis.shape[1]
        self.register_buffer("form", torch.from_numpy(form.astype(np.float32)), persistent=False)

    def forward(self, made: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """made, truth (batch, frames, 52); valid (batch, frames) bool -> mean of valid frames."""
        error = made - truth
        square = ((error @ self.form) * error).sum(-1)
        return (square * valid).sum() / valid.sum().clamp(min=1)


def train(config: BaselineConfig, sources, validation, template, out: Path, resume: bool) -> dict:
    """Writes student_faceformer.json and .safetensors, config.json and the loop's files."""
    loop = Loop(out, LoopConfig(**config.loop), resume)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n", encoding="utf-8")
    model = FaceFormer(FaceFormerConfig(**config.model))
    measure_features(sources, model)
    loss = VertexError(template).to(loop.device)

    def step(model: nn.Module, number: int) -> dict[str, Tensor]:
        batch = draw_batch(sources, config.batch, config.frames, loop.rng).to(loop.device)
        made = model(batch.features, config.frames, batch.style)
        return {"total": loss(made, batch.arkit, batch.valid)}

    return loop.run(
        model,
        step,
        check=lambda model: validation_scores(model, validation, template),
        picture=lambda model, path: draw_sample(model, validation[0][1][0], template, path),
        save=lambda model, folder: save_module(model, folder, ROLE),
    )


@torch.no_grad()
def draw_sample(model: nn.Module, example, template: FaceTemplate, path: Path) -> None:
    """Made and true lip opening of one clip as a picture."""
    from matplotlib.figure import Figure

    device = next(model.parameters()).device
    features = torch.from_numpy(example.features.astype(np.float32))[None].to(device)
    style = torch.tensor([example.style], device=device)
    made = model(features, len(example.arkit), style)[0].cpu().numpy()
    figure = Figure(figsize=(8, 2.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(lip_opening(template, example.arkit), label="tracked")
    axes.plot(lip_opening(template, made), label="made")
    axes.set_xlabel(f"frame of {example.name}")
    axes.legend()
    figure.savefig(path, dpi=80)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("training/configs/faceformer.json"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs/faceformer"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    config = BaselineConfig(**json.loads(args.config.read_text(encoding="utf-8")))
    template = FaceTemplate.load()
    styles = tuple(config.model["styles"])
    sources = load_sources(config.sources, styles, args.cache, args.data, "train")
    validation = load_sources(config.sources, styles, args.cache, args.data, "validation")
    print(json.dumps(train(config, sources, validation, template, args.out, args.resume)))


if __name__ == "__main__":
    main()
