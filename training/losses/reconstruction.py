"""Reconstruction loss of the student: vertices, their velocity and the gap between the lips."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ReconstructionWeights:
    """Factors of the terms; lengths in millimetres.

    lips, face:  squared error of lip landmarks and chin, of the mouth's surroundings.
    velocity:    squared error of frame-to-frame movement of both.
    gap:         squared error of the inner-lip gap; `closed` multiplies it where the lips touch.
    weights:     squared error of the ARKit weights (keeps combinations natural that the
                 vertices alone cannot tell apart).
    """

    lips: float = 1.0
    face: float = 0.3
    velocity: float = 1.0
    gap: float = 1.0
    closed: float = 3.0
    weights: float = 2.0


class ReconstructionLoss(nn.Module):
    """Compares two sequences of ARKit weights on the template's vertices.

    template: a FaceTemplate; the map from weights to vertices is linear, so the loss works on
    differences of weights and never needs a whole face.
    """

    touch = 0.6  # mm of gap under which lips count as closed

    def __init__(self, template, options: ReconstructionWeights | None = None):
        super().__init__()
        self.options = options or ReconstructionWeights()
        lips = np.concatenate([template.lip_landmarks, template.chin_landmarks])
        around = np.asarray(template.region("mouth"))[::8]
        self.register_buffer("lips", self._map(template, lips), persistent=False)
        self.register_buffer("face", self._map(template, around), persistent=False)
        upper, lower = template.lip_landmarks[[24, 25, 26]], template.lip_landmarks[[36, 35, 34]]
        gap = (template.basis(upper) - template.basis(lower))[:, :, 1] * 1e3
        self.register_buffer("gap", torch.from_numpy(gap.astype(np.float32)), persistent=False)

    @staticmethod
    def _map(template, ids: np.ndarray) -> Tensor:
        """(52, n * 3) millimetres a weight."""
        return torch.from_numpy(template.basis(ids).reshape(52, -1).astype(np.float32) * 1e3)

    def forward(self, made: Tensor, truth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """made, truth (batch, frames, 52); mask (batch, frames) bool -> terms and their `total`."""
        error = made - truth
        both = mask[:, 1:] & mask[:, :-1]
        step = error[:, 1:] - error[:, :-1]
        opened = truth @ self.gap
        weight = 1.0 + (self.options.closed - 1.0) * (opened < self.touch)
        terms = {
            "lips": _mean((error @ self.lips).square().mean(-1), mask),
            "face": _mean((error @ self.face).square().mean(-1), mask),
            "velocity": _mean((step @ self.lips).square().mean(-1), both),
            "gap": _mean(((error @ self.gap).square() * weight).mean(-1), mask),
            "weights": _mean(error.square().sum(-1), mask),
        }
        terms["total"] = sum(getattr(self.options, name) * value for name, value in terms.items())
        return terms


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
