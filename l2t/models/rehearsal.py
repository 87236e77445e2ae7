"""A short rehearsal of models that were just loaded: what they give must be numbers.

Finite weights are not enough: a scale of zero or a weight of 1e38 gives NaN for every recording,
which would otherwise be found out in the middle of somebody's take.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from l2t.mel import BANDS, PER_FRAME
from l2t.models.trained import MISFITS, misfit

if TYPE_CHECKING:
    from l2t.models.loading import Models

FRAMES = 8  # of motion, at 30 a second
SAMPLES = 4800  # at 16 kHz: 0.3 s


def check_models(models: "Models") -> None:
    """Let each model have one short look at a tone and a resting face. Raises WeightsError."""
    device = next(models.encoder.parameters()).device
    tone = torch.sin(torch.arange(SAMPLES, device=device) / 7)
    features = _rehearse("encoder", lambda: models.encoder(tone))
    check_student(models.student, "student", features)
    points = models.expert.config.points
    mel = torch.zeros(1, FRAMES * PER_FRAME, BANDS, device=device)
    rest = torch.zeros(1, FRAMES, points, 3, device=device)
    _rehearse("syncnet3d", lambda: models.expert.hear(mel) + models.expert.see(rest))
    if models.head is not None:
        latent = torch.ones(1, models.head.config.latent, device=device)
        heard = features[:, :FRAMES]
        _rehearse("posevae", lambda: models.head.decode(latent, models.head.sound(heard)))


def check_student(student: nn.Module, role: str, features: Tensor | None = None) -> None:
    """The same for a student alone; features (1, n, channels), None: those it calls average."""
    if features is None:
        features = student.feature_mean.expand(1, 2 * FRAMES, -1)
    style = torch.zeros(1, dtype=torch.long, device=features.device)
    _rehearse(role, lambda: student(features, FRAMES, style))


def _rehearse(role: str, act) -> Tensor:
    try:
        with torch.inference_mode():
            found = act()
    except MISFITS:
        raise misfit(role, "it cannot run") from None
    if not bool(torch.isfinite(found).all()):
        raise misfit(role, "it gives values that are no numbers")
    return found
