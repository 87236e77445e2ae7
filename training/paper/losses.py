"""The student's losses on a published dataset: vertices, the lips' sync, and a hook for a third."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from l2t.mel import PER_FRAME, log_mel
from l2t.models.syncnet3d import SyncNet3D
from training.losses.balance import weighed
from training.paper.basis import Basis, PointDecoder
from training.paper.prepare import Batch

# (made (batch, frames, size) z-scores, the batch) -> a scalar, such as a lipread loss.
Hook = Callable[[Tensor, Batch], Tensor]


class VertexLoss(nn.Module):
    """Squared error of all vertices and of their velocity, over the training motion's variance.

    With orthonormal directions, sum over vertices of |error|^2 = sum over k of (scale_k e_k)^2, so
    the mean face has a loss of about 1 in any unit.  Terms as in FaceFormer (MSE) and SelfTalk (the
    same weight for velocity); what lies outside the basis is a constant and left out.
    """

    def __init__(self, basis: Basis, velocity: float = 1.0):
        super().__init__()
        weight = torch.from_numpy(basis.scale).square()
        self.register_buffer("weight", weight / weight.sum(), persistent=False)
        self.velocity = velocity

    def forward(self, made: Tensor, truth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """made, truth (batch, frames, size) z-scores; mask (batch, frames) bool."""
        error = made - truth
        step = error[:, 1:] - error[:, :-1]
        terms = {
            "vertices": _mean(error.square() @ self.weight, mask),
            "velocity": _mean(step.square() @ self.weight, mask[:, 1:] & mask[:, :-1]),
        }
        return terms | {"total": terms["vertices"] + self.velocity * terms["velocity"]}


class LipSync(nn.Module):
    """Mean squared distance of sound and lips at shift 0 in the space of a frozen expert.

    The attracting half of the expert's margin loss, over every window (0.2 s) of lips that is
    centred on a voiced frame.  Gradients reach the lips only.
    """

    def __init__(self, expert: SyncNet3D, decoder: PointDecoder, fps: float):
        super().__init__()
        self.expert = expert.eval().requires_grad_(False)
        self.decoder, self.fps = decoder, fps

    def train(self, mode: bool = True) -> "LipSync":
        return super().train(False)

    def forward(self, made: Tensor, batch: Batch) -> Tensor:
        with torch.no_grad():
            mel = log_mel(batch.sound, made.shape[1], PER_FRAME * self.fps)
            sound = self.expert.hear(mel)
        gap = (self.expert.see(self.decoder(made)) - sound).square().sum(-1)
        return _mean(gap, batch.voiced)


class PaperLosses:
    """All terms of a step; the sync and lipread weights are shares of the reconstruction's pull.

    A weight of 0.3 means a gradient on the motion with 0.3 times the norm of the reconstruction's,
    because the lambdas of Learn2Talk belong to losses of another scale.  first: step from which
    the two count: the reconstruction settles before.
    """

    def __init__(self, vertices: VertexLoss, extras: dict[str, tuple[Hook, float]], first: int):
        self.vertices, self.first = vertices, first
        self.extras = {name: pair for name, pair in extras.items() if pair[1] > 0}
        self.norms: dict[str, float] = {}

    def __call__(self, made: Tensor, batch: Batch, number: int) -> dict[str, Tensor]:
        terms = self.vertices(made, batch.z, batch.mask)
        if number < self.first or not self.extras:
            return terms | {name: torch.zeros(()) for name in self.extras}
        pulls = {name: (loss(made, batch), weight) for name, (loss, weight) in self.extras.items()}
        whole = weighed(made, terms["total"], pulls, self.norms)
        return terms | {name: value for name, (value, _) in pulls.items()} | {"total": whole}

    def state_dict(self) -> dict:
        return {"norms": dict(self.norms)}

    def load_state_dict(self, state: dict) -> None:
        self.norms = dict(state["norms"])


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
