"""Trains the student.

    python -m training.train_regressor --config training/configs/student.json --cache cache \
        --data ../shared/data --out runs/student

The cache holds what the commands in training/README.md wrote before: `features/`, `targets/` and
`align/`. Runs under `accelerate launch` too. The checkpoint with the best validation score is kept.
"""

import argparse
import csv
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from l2t.face import FaceTemplate
from l2t.models.regressor import Regressor, RegressorConfig
from training.data.packs import Example, crop
from training.data.sources import Source, load_sources
from training.files import load_parts, save_module
from training.losses.reconstruction import ReconstructionLoss, ReconstructionWeights
from training.validate import validation_scores


@dataclass(frozen=True)
class TrainConfig:
    """Everything that makes a run repeatable.

    steps, batch, frames: of the optimiser, crops a step, frames a crop.
    stop: end after this many steps of the schedule (0 = all of them).
    rate: peak learning rate (AdamW; linear warm-up over `warm` steps, cosine to zero).
    shift: deviation of a random offset a channel and crop, in deviations of the feature: what
        another voice does to features as a whole.
    sources: what is drawn from, and how often.
    average: decay of the running average of the weights that is validated and saved.
    """

    seed: int = 1
    steps: int = 3000
    stop: int = 0
    batch: int = 16
    frames: int = 96
    rate: float = 1e-3
    warm: int = 200
    decay: float = 0.02
    average: float = 0.998
    shift: float = 0.0
    check_every: int = 250
    model: dict = field(default_factory=dict)
    loss: dict = field(default_factory=dict)
    sources: tuple[dict, ...] = ()


def read_config(path: Path) -> TrainConfig:
    return TrainConfig(**json.loads(path.read_text(encoding="utf-8")))


def draw_batch(sources: list[tuple[Source, list[Example]]], config: TrainConfig, rng):
    """One batch of crops as tensors: features, arkit, valid, style."""
    shares = np.array([source.share for source, _ in sources])
    rows, styles = [], []
    for pick in rng.choice(len(sources), size=config.batch, p=shares / shares.sum()):
        examples = sources[pick][1]
        example = examples[rng.integers(len(examples))]
        rows.append(crop(example, config.frames, rng))
        styles.append(example.style)
    features, arkit, valid = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
    return features, arkit, valid, torch.tensor(styles)


def measure_features(sources: list[tuple[Source, list[Example]]], model: Regressor) -> None:
    """Sets the model's input normalisation from a sample of the training features."""
    sample = np.concatenate(
        [e.features[::7].astype(np.float32) for _, examples in sources for e in examples[::5]]
    )
    model.feature_mean.copy_(torch.from_numpy(sample.mean(0)))
    model.feature_scale.copy_(torch.from_numpy(sample.std(0) + 1e-3))


def rate_at(step: int, config: TrainConfig) -> float:
    """Factor on the learning rate."""
    if step < config.warm:
        return (step + 1) / config.warm
    done = (step - config.warm) / max(1, config.steps - config.warm)
    return 0.5 * (1 + np.cos(np.pi * done))


def train(
    config: TrainConfig, sources, validation, template, out: Path, start: Path | None = None
) -> dict:
    """Runs the training and writes student.json / .safetensors, log.csv, config.json to `out`.

    start: folder of an earlier student whose weights it begins with (same sizes).
    """
    accelerator = Accelerator()
    set_seed(config.seed)
    rng = np.random.default_rng([config.seed, accelerator.process_index])
    model = Regressor(RegressorConfig(**config.model))
    measure_features(sources, model)
    if start is not None:
        model.load_state_dict(load_parts(start, "student")[1])
    loss = ReconstructionLoss(template, ReconstructionWeights(**config.loss))
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, config))
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.average)
    )
    model, optimiser, loss = accelerator.prepare(model, optimiser, loss)
    average.to(accelerator.device)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n")
    best, best_score, began, rows = {}, -np.inf, time.perf_counter(), []
    last = config.stop or config.steps
    for step in range(last):
        batch = [t.to(accelerator.device) for t in draw_batch(sources, config, rng)]
        if config.shift:
            features, scale = batch[0], accelerator.unwrap_model(model).feature_scale
            offset = torch.randn(len(features), 1, features.shape[2], device=features.device)
            batch[0] = features + config.shift * offset * scale
        model.train()
        made = model(batch[0], config.frames, batch[3])
        terms = loss(made, batch[1], batch[2])
        optimiser.zero_grad()
        accelerator.backward(terms["total"])
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(accelerator.unwrap_model(model))
        rows.append({k: float(v.detach()) for k, v in terms.items()})
        if (step + 1) % config.check_every == 0 or step + 1 == last:
            scores = validation_scores(average.module, validation, template)
            means = {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}
            rows = []
            seconds = round(time.perf_counter() - began)
            line = {"step": step + 1, "seconds": seconds, **means, **scores}
            if accelerator.is_main_process:
                write_line(out / "log.csv", line)
                print(" ".join(f"{k} {v:.4g}" for k, v in line.items()), flush=True)
                if scores["score"] > best_score:
                    best, best_score = line, scores["score"]
                    save_module(average.module, out, "student")
    return best


def write_line(path: Path, line: dict) -> None:
    """Appends one row to a CSV with a header."""
    new = not path.exists() or line["step"] <= 0
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(line))
        if new:
            writer.writeheader()
        writer.writerow(line)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("training/configs/student.json"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("runs/student"))
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--init", type=Path, help="folder of a student to begin with")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    config = read_config(args.config)
    if args.steps:
        config = TrainConfig(**{**asdict(config), "steps": args.steps})
    template = FaceTemplate.load()
    styles = tuple(config.model["styles"])
    sources = load_sources(config.sources, styles, args.cache, args.data, "train")
    validation = load_sources(config.sources, styles, args.cache, args.data, "validation")
    for source, examples in sources:
        print(f"{source.corpus} copy {source.copy}: {len(examples)} examples", flush=True)
    (args.out / "log.csv").unlink(missing_ok=True)
    print(json.dumps(train(config, sources, validation, template, args.out, args.init)))


if __name__ == "__main__":
    main()
