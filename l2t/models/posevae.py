"""PoseVAE: how a head moves while it speaks, drawn at random but in step with the voice.

A conditional variational autoencoder over windows of two seconds. The decoder hears the speech
frame by frame and gets one latent a window, which stands for everything the voice does not say.
After SadTalker's PoseVAE (arXiv 2211.12194), rotations only: the template turns about its neck.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

AXES = 3  # pitch, yaw, roll


@dataclass(frozen=True)
class PoseConfig:
    """frames: of a window, at 30 fps. channels: of the encoder's features; audio: what is kept of
    them a frame. latent: of a window. width: of the convolutions. scale: radians (pitch, yaw,
    roll) that count as one inside the model; set by training."""

    frames: int = 60
    channels: int = 768
    audio: int = 24
    latent: int = 16
    width: int = 96
    scale: tuple[float, float, float] = (0.01, 0.01, 0.01)

    def __post_init__(self):
        object.__setattr__(self, "scale", tuple(float(s) for s in self.scale))


class PoseVAE(nn.Module):
    """Windows of head rotation, residual to their own mean, and the speech under them."""

    def __init__(self, config: PoseConfig | None = None):
        super().__init__()
        self.config = c = config or PoseConfig()
        self.register_buffer("feature_mean", torch.zeros(c.channels))
        self.register_buffer("feature_scale", torch.ones(c.channels))
        self.listen = nn.Sequential(nn.Linear(c.channels, c.audio), nn.Tanh())
        self.encoder = _stack(AXES + c.audio, c.width)
        self.code = nn.Linear(c.width, 2 * c.latent)
        self.decoder = _stack(c.audio + c.latent + 2, c.width)
        self.head = nn.Conv1d(c.width, AXES, 1)

    def sound(self, features: Tensor) -> Tensor:
        """Features at 30 fps (batch, frames, channels) -> (batch, frames, audio)."""
        return self.listen((features - self.feature_mean) / self.feature_scale)

    def encode(self, pose: Tensor, sound: Tensor) -> tuple[Tensor, Tensor]:
        """pose (batch, frames, 3) in units of `scale` -> mean and log variance (batch, latent)."""
        hidden = self.encoder(torch.cat([pose, sound], -1).transpose(1, 2)).mean(-1)
        mean, log_variance = self.code(hidden).chunk(2, -1)
        return mean, log_variance.clamp(-8, 4)

    def decode(self, latent: Tensor, sound: Tensor) -> Tensor:
        """latent (batch, latent), sound (batch, frames, audio) -> pose (batch, frames, 3)."""
        frames = sound.shape[1]
        at = torch.linspace(-1, 1, frames, device=sound.device)
        place = torch.stack([at, at * at], -1).expand(len(sound), -1, -1)
        seen = torch.cat([sound, latent[:, None].expand(-1, frames, -1), place], -1)
        pose = self.head(self.decoder(seen.transpose(1, 2))).transpose(1, 2)
        return pose - pose.mean(1, keepdim=True)

    def forward(self, pose: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-> (pose made again, mean, log variance); the latent is drawn with torch's generator."""
        sound = self.sound(features)
        mean, log_variance = self.encode(pose, sound)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decode(latent, sound), mean, log_variance


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence from the standard normal, mean over the batch (nats)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean()


class _Residual(nn.Module):
    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation,
                              padding_mode="replicate")  # fmt: skip
        self.norm = nn.GroupNorm(4, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.gelu(self.norm(self.conv(x)))


def _stack(inputs: int, width: int) -> nn.Sequential:
    """Convolutions over time that see one and a half seconds to either side."""
    return nn.Sequential(
        nn.Conv1d(inputs, width, 1), *(_Residual(width, d) for d in (1, 2, 4, 8, 16))
    )
