"""Batches for the student: crops of many sources, and what the experts know of each crop."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.data.packs import Example, cut, draw_start
from training.data.sources import Source
from training.guides import Heard, Read, Shelf

Sources = list[tuple[Source, list[Example]]]


@dataclass(frozen=True)
class Batch:
    """features (batch, n, channels) at 50 Hz; arkit (batch, frames, 52); valid (batch, frames);
    style (batch,). heard, read: what the sync expert hears and the teacher's lips say, or None."""

    features: Tensor
    arkit: Tensor
    valid: Tensor
    style: Tensor
    heard: Heard | None = None
    read: Read | None = None

    def to(self, device: torch.device) -> "Batch":
        moved = {k: v.to(device) for k, v in vars(self).items() if v is not None}
        return Batch(**moved)


def draw_batch(
    sources: Sources, size: int, frames: int, rng: np.random.Generator, shelf: Shelf | None = None
) -> Batch:
    """One batch of `size` crops of `frames` frames, drawn by the sources' shares."""
    shares = np.array([source.share for source, _ in sources])
    rows, styles, drawn = [], [], []
    for pick in rng.choice(len(sources), size=size, p=shares / shares.sum()):
        source, examples = sources[pick]
        example = examples[rng.integers(len(examples))]
        start = draw_start(example, frames, rng)
        rows.append(cut(example, frames, start))
        styles.append(example.style)
        drawn.append((source, example.name, start))
    features, arkit, valid = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
    known = shelf.of(drawn, frames) if shelf else (None, None)
    return Batch(features, arkit, valid, torch.tensor(styles), *known)
