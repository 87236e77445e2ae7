"""Lipread loss: the student's rendered mouth must read like the 2D teacher's.

    L = 1 - mean over frames of cos(reader(render(student)), reader(teacher))

as Learn2Talk (arXiv 2404.12888) uses it after SPECTRE (arXiv 2207.11094). Renderer and reader are
frozen; gradients go through both into the motion and no further.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.guides import Read, read_between


class LipreadLoss(nn.Module):
    """renderer: (n, 52) -> (n, 96, 96) in 0..1; reader: with `features(mouths)`.

    clips, frames: how much of a batch is rendered a step, which is what the loss costs.
    edge: frames at both ends of a stretch that are rendered as context but not compared.
    """

    def __init__(self, renderer, reader, clips: int = 3, frames: int = 32, edge: int = 4):
        super().__init__()
        self.renderer, self.reader = renderer, reader
        self.clips, self.frames, self.edge = clips, frames, edge
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> "LipreadLoss":
        return super().train(False)

    def forward(self, made: Tensor, read: Read, rng) -> Tensor:
        """made (batch, frames, 52) at 30 fps -> a scalar in 0..2; 0 when no teacher is known.

        rng: numpy Generator that chooses the stretch.
        """
        count = min(self.frames, read.places.shape[1])
        first = int(rng.integers(read.places.shape[1] - count + 1))
        stretch = slice(first, first + count)
        # Of a clip shorter than the crop the end is not known; the rest of it still counts.
        whole = torch.nonzero(read.known[:, stretch].all(1))[: self.clips, 0]
        if not len(whole):
            return made.sum() * 0.0
        motion = read_between(made[whole], read.places[whole, stretch])
        mouths = self.renderer(motion.flatten(0, 1)).unflatten(0, motion.shape[:2])
        seen = self.reader.features(mouths)
        inner = slice(self.edge, count - self.edge)
        wanted = read.features[whole, stretch].to(seen)
        return 1 - F.cosine_similarity(seen[:, inner], wanted[:, inner], dim=-1).mean()
