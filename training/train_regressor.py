"""Trains the student.

    python -m training.train_regressor --config training/configs/student.json --cache cache \
        --data data --out runs/student

The cache holds what the commands in training/README.md wrote before: `features/`, `targets/` and
`align/`; `sounds/`, `teacher/` and `experts/` for the sync and the lipread loss. Runs under
`accelerate launch` too, and goes on from its checkpoint with --resume. The weights with the best
validation score are kept.
"""

import argparse
import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.models.regressor import Regressor, RegressorConfig
from training.data.sources import load_sources
from training.files import load_parts, save_module
from training.loop import Loop, LoopConfig
from training.samples import draw_samples
from training.student_batches import Sources, draw_batch
from training.student_losses import Extra, StudentLosses, load_shelf
from training.validate import validation_scores


@dataclass(frozen=True)
class TrainConfig(LoopConfig):
    """Everything that makes a run repeatable, beside what `LoopConfig` holds.

    batch, frames: crops a step, frames a crop.
    shift: deviation of a random offset a channel and crop, in deviations of the feature: what
        another voice does to features as a whole.
    role: name of the weights it writes.
    keep: "best" on validation, or "last": for runs that are compared, which must be as long.
    model, loss: fields of RegressorConfig and ReconstructionWeights. sync, lipread: of
    `student_losses.Extra`, {} = without. sources: what is drawn from, and how often.
    """

    batch: int = 16
    frames: int = 96
    shift: float = 0.0
    role: str = "student"
    keep: str = "best"
    model: dict = field(default_factory=dict)
    loss: dict = field(default_factory=dict)
    sync: dict = field(default_factory=dict)
    lipread: dict = field(default_factory=dict)
    sources: tuple[dict, ...] = ()

    @property
    def extras(self) -> dict[str, Extra]:
        found = {"sync": self.sync, "lipread": self.lipread}
        return {name: Extra(**values) for name, values in found.items() if values}


def read_config(path: Path, changes: dict | None = None) -> TrainConfig:
    """A run's configuration. "base" names another file beside it that it changes;
    changes: {"sync.weight": 0.1, ...} on top of both."""
    values = json.loads(path.read_text(encoding="utf-8"))
    if base := values.pop("base", None):
        values = asdict(read_config(path.parent / base)) | values
    for name, value in (changes or {}).items():
        target, *rest = name.split(".")
        if target not in {f.name for f in fields(TrainConfig)}:
            raise ValueError(f"{target!r} is not a setting of the student's training")
        values[target] = values.get(target, {}) | {rest[0]: value} if rest else value
    return TrainConfig(**values)


def measure_features(sources: Sources, model: Regressor) -> None:
    """Sets the model's input normalisation from a sample of the training features."""
    sample = np.concatenate(
        [e.features[::7].astype(np.float32) for _, examples in sources for e in examples[::5]]
    )
    model.feature_mean.copy_(torch.from_numpy(sample.mean(0)))
    model.feature_scale.copy_(torch.from_numpy(sample.std(0) + 1e-3))


def train(
    config: TrainConfig, sources: Sources, validation: Sources, template, out: Path,
    start: Path | None = None, cache: Path = Path("cache"), resume: bool = False,
) -> dict:  # fmt: skip
    """Runs the training and writes ROLE.json / .safetensors, log.csv, config.json to `out`.

    start: folder of an earlier student whose weights it begins with (same sizes).
    """
    loop = Loop(out, config, resume)
    model = Regressor(RegressorConfig(**config.model))
    measure_features(sources, model)
    if start is not None:
        model.load_state_dict(load_parts(start, "student")[1])
    losses = StudentLosses(template, config.loss, config.extras, cache).to(loop.device)
    shelf = load_shelf(config.extras, cache)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n")

    def step(student, number: int) -> dict[str, torch.Tensor]:
        batch = draw_batch(sources, config.batch, config.frames, loop.rng, shelf).to(loop.device)
        features = batch.features
        if config.shift:
            offset = torch.randn(len(features), 1, features.shape[2], device=features.device)
            features = features + config.shift * offset * model.feature_scale
        made = student(features, config.frames, batch.style)
        return losses(made, batch, number, loop.rng)

    def check(student) -> dict[str, float]:
        scores = validation_scores(student, validation, template)
        if config.keep == "last":
            scores["held_out"] = scores.pop("score")
        return scores

    return loop.run(
        model, step, check,
        picture=lambda student, path: draw_samples(student, validation, template, path),
        save=lambda student, folder: save_module(student, folder, config.role),
        also={"losses": losses},
    )  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("training/configs/student.json"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs/student"))
    parser.add_argument("--init", type=Path, help="folder of a student to begin with")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE",
                        help="changes of the configuration: steps=100 sync.weight=0.1")  # fmt: skip
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    changes = dict(pair.split("=", 1) for pair in args.set)
    config = read_config(args.config, {k: json.loads(v) for k, v in changes.items()})
    template = FaceTemplate.load()
    styles = tuple(config.model["styles"])
    sources, validation = (
        load_sources(config.sources, styles, args.cache, args.data, split)
        for split in ("train", "validation")
    )
    for source, examples in sources:
        print(f"{source.corpus} copy {source.copy}: {len(examples)} examples", flush=True)
    made = train(config, sources, validation, template, args.out, args.init, args.cache,
                 args.resume)  # fmt: skip
    print(json.dumps(made))


if __name__ == "__main__":
    main()
