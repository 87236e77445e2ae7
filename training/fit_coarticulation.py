"""Fits the coarticulation model to tracked faces.

    python -m training.fit_coarticulation --targets cache/targets/grid_s1.npz \
        --align cache/align/grid_s1.npz --out cache/targets/coarticulation.npz

Phone targets and dominance together by stochastic gradient on displacements of the lip and chin
landmarks, the gap between the lips above all, on the training clips of GRID's speaker s1. Phones
that GRID lacks and shapes that landmarks hide come from `training.data.articulation`;
`training.measure_coarticulation` measures the result on clips it has not seen.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.motion import frame_times
from training.data.articulation import WEAK, complete, relatives_of
from training.data.coarticulation import GROUP_OF, GROUPS, STATES, UNITS, Coarticulation
from training.data.coarticulation_clips import Clips, error_map, gap_per_weight, read_clips

log = logging.getLogger(__name__)
FIRST_WIDTH = 0.06  # s, of dominance before and after, to start from


def first_guess() -> dict[str, torch.Tensor]:
    """Parameters to start from: the same for every state; widths and strength as logarithms."""
    shape = len(STATES), len(GROUPS)
    width = float(np.log(FIRST_WIDTH))
    start = {
        "targets": torch.full((shape[0], len(UNITS)), 0.05), "strength": torch.zeros(shape),
        "before": torch.full(shape, width), "after": torch.full(shape, width),
        "shift": torch.full((shape[0], 2), 0.02),
    }  # fmt: skip
    return {name: value.requires_grad_() for name, value in start.items()}


def predict(p: dict, states, starts, ends, times) -> torch.Tensor:
    """Mouth units (C, F, K) by dominance; the torch twin of `coarticulation.blend`."""
    first = starts + p["shift"][states][..., 0]
    last = torch.maximum(ends + p["shift"][states][..., 1], first)
    early = (
        torch.relu(first[:, None] - times[:, None])[..., None] / p["before"].exp()[states][:, None]
    )
    late = torch.relu(times[:, None] - last[:, None])[..., None] / p["after"].exp()[states][:, None]
    pull = p["strength"].exp()[states][:, None] * torch.exp(-(early**2) - late**2) + 1e-9
    pull = pull * (starts > -50)[:, None, :, None]
    share = pull / pull.sum(dim=2, keepdim=True)
    targets = p["targets"][states]
    return torch.stack(
        [
            torch.einsum("cfs,cs->cf", share[..., g], targets[..., k])
            for k, g in enumerate(GROUP_OF)
        ],
        dim=-1,
    )


def fit(clips: Clips, errors: torch.Tensor, steps: int, batch: int = 60, seed: int = 0) -> dict:
    """Parameters after `steps` of Adam on random batches of clips."""
    p = first_guess()
    rates = {"targets": 0.03, "strength": 0.08, "before": 0.06, "after": 0.06, "shift": 0.004}
    groups = [{"params": [p[name]]} for name in rates]
    optimiser = torch.optim.Adam(groups, lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, list(rates.values()), steps)
    times = torch.tensor(frame_times(clips.units.shape[1]), dtype=torch.float32)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        pick = torch.tensor(rng.choice(len(clips.names), min(batch, len(clips.names)), False))
        units = predict(p, clips.states[pick], clips.starts[pick], clips.ends[pick], times)
        square = ((units - clips.units[pick]) @ errors).square().sum(-1) * clips.valid[pick]
        loss = square.sum() / clips.valid[pick].sum()
        # Rare phones stay near the usual widths and strengths.
        calm = sum(((p[n] - first) ** 2).sum() for n, first in
                   (("strength", 0.0), ("before", np.log(FIRST_WIDTH)),
                    ("after", np.log(FIRST_WIDTH))))  # fmt: skip
        optimiser.zero_grad()
        (loss + 2e-6 * calm + 1e-4 * (p["shift"] - 0.02).square().sum()).backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            p["targets"].clamp_(0, 1)
        if step % 50 == 49:
            log.info("step %d: error %.3e", step + 1, loss.item())
    return {name: value.detach().numpy() for name, value in p.items()}


def finish(p: dict[str, np.ndarray], seen: np.ndarray, gap: np.ndarray) -> Coarticulation:
    """The model from fitted parameters, with the phones that were not seen."""
    strength = relatives_of(np.exp(p["strength"]), seen)
    for state, factor in WEAK.items():
        if not seen[STATES.index(state)]:
            strength[STATES.index(state)] *= factor
    targets = complete(p["targets"], seen, gap)
    return Coarticulation(
        targets, strength, relatives_of(np.exp(p["before"]), seen),
        relatives_of(np.exp(p["after"]), seen), relatives_of(p["shift"], seen), gap,
        np.float32(0),
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Fit the coarticulation model to tracked faces.")
    parser.add_argument("--targets", type=Path, required=True, help="npz of training.data.targets")
    parser.add_argument("--align", type=Path, required=True, help="npz of training.data.align")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    template = FaceTemplate.load()
    train = read_clips(options.targets, options.align, "train")
    seen = np.bincount(train.states[train.starts > -50].numpy(), minlength=len(STATES))
    found = fit(train, error_map(template), options.steps)
    model = finish(found, seen, gap_per_weight(template))
    model.save(options.out)
    log.info("model with %d states in %s", len(STATES), options.out)


if __name__ == "__main__":
    main()
