"""The training loop of every stage: accelerate, running average, curves, bit-exact resume.

A stage gives a model and a function that turns it into losses; the loop does the rest. A run that
was stopped and resumed on the CPU ends with the same bytes as one that was not: weights, average,
optimiser, schedule and all random generators are in the checkpoint.
"""

import csv
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.checkpoint import read_checkpoint, write_checkpoint
from training.curves import draw_curves

log = logging.getLogger(__name__)
Terms = dict[str, torch.Tensor]


@dataclass(frozen=True)
class LoopConfig:
    """seed: of weights and data; steps: of the schedule; stop: end earlier (0 = not).

    rate, warm, decay: AdamW's peak learning rate, steps of linear warm-up before the cosine to
    zero, weight decay. clip: largest norm of the gradient. average: decay of the running average
    of the weights, which is what is checked and saved. check_every: steps between two checks,
    each of which writes a checkpoint.
    """

    seed: int = 1
    steps: int = 3000
    stop: int = 0
    rate: float = 1e-3
    warm: int = 200
    decay: float = 0.02
    clip: float = 1.0
    average: float = 0.998
    check_every: int = 250

    @property
    def last(self) -> int:
        return self.stop or self.steps


def rate_at(step: int, config: LoopConfig) -> float:
    """Factor on the learning rate at a step: linear up, then half a cosine down."""
    if step < config.warm:
        return (step + 1) / config.warm
    done = (step - config.warm) / max(1, config.steps - config.warm)
    return 0.5 * (1 + math.cos(math.pi * done))


class Loop:
    """One run into one folder. Make the model after it: it seeds torch.

    out: gets log.csv, curves.png, sample.png, checkpoint.pt and what `save` writes.
    resume: go on from checkpoint.pt if it is there.
    rng: the only source of randomness for data; it is in the checkpoint. Each process has its own.
    """

    def __init__(self, out: Path, config: LoopConfig, resume: bool = False):
        self.out, self.config = Path(out), config
        self.accelerator = Accelerator()
        set_seed(config.seed)
        self.rng = np.random.default_rng([config.seed, self.accelerator.process_index])
        self.out.mkdir(parents=True, exist_ok=True)
        self._resume = resume
        self._rows: list[dict[str, float]] = []
        self._best: dict[str, float] = {}
        self._seconds = 0.0

    @property
    def device(self) -> torch.device:
        return self.accelerator.device

    def run(
        self,
        model: nn.Module,
        step: Callable[[nn.Module, int], Terms],
        check: Callable[[nn.Module], dict[str, float]] | None = None,
        picture: Callable[[nn.Module, Path], None] | None = None,
        save: Callable[[nn.Module, Path], None] | None = None,
        also: dict | None = None,
    ) -> dict[str, float]:
        """Trains; returns the line of the log that was kept.

        step(model, number): the losses, among them "total". check(average): scores, the highest
        "score" is kept (the last, without one). picture(average, path): a sample to look at.
        save(average, folder): writes the weights. also: name -> other things with a state_dict
        that belong into the checkpoint.
        """
        config = self.config
        optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.decay)
        average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True
        ).to(self.device)
        # Not handed to accelerate: it would step once a process.
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: rate_at(n, config))
        model, optimiser = self.accelerator.prepare(model, optimiser)
        parts = {"model": self.accelerator.unwrap_model(model), "average": average,
                 "optimiser": optimiser, "schedule": schedule} | (also or {})  # fmt: skip
        first = self._restored(parts)
        began = time.perf_counter() - self._seconds
        for number in range(first, config.last):
            model.train()
            self._update(model, optimiser, step(model, number))
            schedule.step()
            average.update_parameters(parts["model"])
            if (number + 1) % config.check_every == 0 or number + 1 == config.last:
                self._seconds = time.perf_counter() - began
                self._look(number + 1, average, check, picture, save)
                self._keep(number + 1, parts)
        self.accelerator.wait_for_everyone()  # what the main process saved is there for all
        return self._best

    def _update(self, model, optimiser, terms: Terms) -> None:
        optimiser.zero_grad()
        self.accelerator.backward(terms["total"])
        norm = self.accelerator.clip_grad_norm_(model.parameters(), self.config.clip)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"The gradient is not finite; losses were {_plain(terms)}.")
        optimiser.step()
        self._rows.append(_plain(terms))

    def _look(self, done: int, average, check, picture, save) -> None:
        """One line in the log, the curves, a sample; the weights when they are the best yet."""
        means = {k: float(np.mean([r[k] for r in self._rows])) for k in self._rows[0]}
        self._rows = []
        # Checking must not change what comes after it, whatever it draws.
        state = torch.get_rng_state()
        model = average.module.eval()
        scores = check(model) if check else {}
        torch.set_rng_state(state)
        line = {"step": done, "seconds": round(self._seconds)} | means | scores
        if not self.accelerator.is_main_process:
            return
        append_line(self.out / "log.csv", line)
        draw_curves(self.out / "log.csv", self.out / "curves.png")
        if picture:
            picture(model, self.out / "sample.png")
        log.info(" ".join(f"{k} {v:.4g}" for k, v in line.items()))
        if scores.get("score", done) > self._best.get("score", -math.inf):
            self._best = {"score": float(done)} | line
            if save:
                save(model, self.out)

    def _keep(self, done: int, parts: dict) -> None:
        extra = {"done": done, "best": self._best, "seconds": self._seconds,
                 "config": asdict(self.config)}  # fmt: skip
        write_checkpoint(self._checkpoint, parts, self.rng, extra)

    def _restored(self, parts: dict) -> int:
        """The step to begin with: 0, or where the checkpoint ends."""
        if not (self._resume and self._checkpoint.exists()):
            (self.out / "log.csv").unlink(missing_ok=True)
            return 0
        extra = read_checkpoint(self._checkpoint, parts, self.rng, asdict(self.config))
        self._best, self._seconds = extra["best"], extra["seconds"]
        return extra["done"]

    @property
    def _checkpoint(self) -> Path:
        rank = self.accelerator.process_index
        return self.out / ("checkpoint.pt" if rank == 0 else f"checkpoint.{rank}.pt")


def _plain(terms: Terms) -> dict[str, float]:
    return {k: float(v.detach()) for k, v in terms.items()}


def append_line(path: Path, line: dict[str, float]) -> None:
    """Adds one row to a CSV with a header."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(line))
        if new:
            writer.writeheader()
        writer.writerow(line)
