"""Sync loss: the student's mouth must fit the sound in the ears of a frozen sync expert.

The expert's own training asks each frame of sound to find its mouth (`contrastive`); here the
expert and the sound are fixed and the mouth is what moves. Two forms:

    "distance"     mean of d^2 over voiced frames, the positive half of SyncNet's contrastive loss
                   (as Learn2Talk, arXiv 2404.12888, describes its own)
    "contrast"     the right mouth must also be nearer than mouths at other times and of other
                   clips: a mouth that fits everything a little gains nothing
"""

import torch
from torch import Tensor, nn

from l2t.models.syncnet3d import SyncNet3D, mouth_basis
from l2t.sync import REACH
from training.guides import Heard
from training.losses.contrastive import all_pairs, clip_loss, frame_loss, shift_means

FORMS = ("distance", "contrast")


class SyncLoss(nn.Module):
    """expert: frozen, in inference mode whatever the trainer does; template: a FaceTemplate."""

    def __init__(self, expert: SyncNet3D, template, form: str = "contrast"):
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"unknown form {form!r} of the sync loss; known: {', '.join(FORMS)}")
        self.form = form
        self.expert = expert.eval().requires_grad_(False)
        self.register_buffer("basis", mouth_basis(template), persistent=False)

    def train(self, mode: bool = True) -> "SyncLoss":
        return super().train(False)

    def forward(self, made: Tensor, heard: Heard) -> Tensor:
        """made (batch, frames, 52) ARKit weights -> a scalar; 0 where nothing is voiced.

        Clips of which nothing is known are left out altogether.
        """
        rows = heard.voiced.any(1)
        voiced = heard.voiced[rows]
        if not len(voiced):
            return made.sum() * 0.0
        mouth = self.expert.see(torch.einsum("bfk,kpd->bfpd", made[rows], self.basis))
        sound = heard.vectors[rows].to(mouth)
        if self.form == "distance":
            square = (mouth - sound).square().sum(-1)
            return (square * voiced).sum() / voiced.sum()
        table = all_pairs(sound, mouth)
        return frame_loss(table, voiced) + clip_loss(shift_means(table, REACH))
