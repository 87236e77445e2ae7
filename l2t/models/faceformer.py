"""The baseline: an autoregressive decoder in the manner of FaceFormer (arXiv 2112.05329).

One transformer decoder layer makes one frame after another. A frame is made from all frames made
before it, with a bias that grows by whole periods into the past, and from the speech at its own
time; its weights go back in as the next frame's input. Positions repeat every period, so that
takes may be longer than those it was trained on. Same features in and weights out as the student.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from l2t.models.encoder import FEATURE_RATE
from l2t.models.regressor import at_times
from l2t.motion import ARKIT_NAMES, FPS


@dataclass(frozen=True)
class FaceFormerConfig:
    """channels: of the encoder's features; width, heads, ffn: of the decoder layer.

    period: frames after which positions repeat and by which the bias on the past grows a step.
    styles, shapes: as the student's. kind: tells this configuration from the student's.
    """

    channels: int = 768
    width: int = 128
    heads: int = 4
    ffn: int = 256
    period: int = int(FPS)
    dropout: float = 0.1
    styles: tuple[str, ...] = ("natural",)
    shapes: tuple[str, ...] = ARKIT_NAMES
    kind: str = "faceformer"

    def __post_init__(self):
        for name in ("styles", "shapes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        unknown = set(self.shapes) - set(ARKIT_NAMES)
        if unknown or self.width % (2 * self.heads):
            raise ValueError(f"unknown shapes {sorted(unknown)} or width not divisible by 2 heads")


def periodic_positions(period: int, width: int) -> Tensor:
    """Sines and cosines of `period` positions, (period, width); frame i takes row i % period."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(period)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).reshape(period, width)


def past_bias(frames: int, heads: int, period: int) -> Tensor:
    """What attention adds for a frame 0, 1, .. frames - 1 back: -slope * floor(back / period).

    (heads, frames); the slopes fall geometrically from head to head, 2^-2, 2^-4, ... for four
    heads (Press, Smith, Lewis 2021).
    """
    slopes = 2.0 ** (-8.0 / heads * torch.arange(1, heads + 1))
    return -slopes[:, None] * (torch.arange(frames) // period)


class FaceFormer(nn.Module):
    """(batch, features, channels) at 50 Hz and a style -> (batch, frames, 52) weights.

    While training the weights are as the output layer gives them; in evaluation mode they are
    clipped to 0..1 on the way out (what goes back in never is).
    """

    def __init__(self, config: FaceFormerConfig):
        super().__init__()
        self.config = c = config
        self.register_buffer("feature_mean", torch.zeros(c.channels))
        self.register_buffer("feature_scale", torch.ones(c.channels))
        self.entry = nn.Linear(c.channels, c.width)
        self.style = nn.Embedding(len(c.styles), c.width)
        self.query_key_value = nn.Linear(c.width, 3 * c.width)
        self.self_out = nn.Linear(c.width, c.width)
        self.heard_value = nn.Linear(c.width, c.width)
        self.heard_out = nn.Linear(c.width, c.width)
        self.feed = nn.Sequential(nn.Linear(c.width, c.ffn), nn.ReLU(), nn.Linear(c.ffn, c.width))
        self.norms = nn.ModuleList(nn.LayerNorm(c.width) for _ in range(3))
        self.head = nn.Linear(c.width, len(c.shapes))
        nn.init.zeros_(self.head.weight)  # starts from a face at rest
        nn.init.zeros_(self.head.bias)
        self.back = nn.Linear(len(c.shapes), c.width)
        self.dropout = nn.Dropout(c.dropout)
        positions = periodic_positions(c.period, c.width)
        self.register_buffer("positions", positions, persistent=False)
        places = torch.tensor([ARKIT_NAMES.index(name) for name in c.shapes])
        self.register_buffer("places", places, persistent=False)

    def forward(self, features: Tensor, frames: int, style: Tensor) -> Tensor:
        """features (batch, n, channels), style (batch,) whole numbers -> (batch, frames, 52)."""
        heard = self.hear(features, frames)
        always = self._always(frames, style)
        bias = past_bias(frames, self.config.heads, self.config.period).to(heard)
        bias = bias.flip(1)[:, None]  # oldest first, like the keys
        cache: tuple[Tensor, Tensor] | None = None
        back, rows = 0.0, []
        for i in range(frames):
            x, cache = self.attend(back + always[:, i], cache, bias[:, :, frames - 1 - i :])
            x = self.norms[1](x + heard[:, i])
            row = self.head(self.norms[2](x + self.feed(x)))
            back = self.back(row)
            rows.append(row)
        weights = torch.stack(rows, dim=1)
        if not self.training:
            weights = weights.clamp(0.0, 1.0)
        out = weights.new_zeros(len(weights), frames, len(ARKIT_NAMES))
        return out.index_copy(2, self.places, weights)

    def hear(self, features: Tensor, frames: int) -> Tensor:
        """What each frame takes from the speech, (batch, frames, width).

        A frame may attend to the speech of its own time alone (the diagonal mask), so the
        attention's softmax is over one key and always 1: what remains is value and output.
        """
        x = (features - self.feature_mean) / self.feature_scale
        times = (torch.arange(frames, device=features.device) + 0.5) / FPS
        speech = self.dropout(at_times(self.entry(x), times * FEATURE_RATE))
        return self.heard_out(self.heard_value(speech))

    def _always(self, frames: int, style: Tensor) -> Tensor:
        """Style and position of every step, (batch, frames, width)."""
        step = torch.arange(frames, device=style.device) % self.config.period
        return self.dropout(self.style(style)[:, None] + self.positions[step])

    def attend(self, x: Tensor, cache: tuple[Tensor, Tensor] | None, bias: Tensor):
        """One step of attention to all steps so far: (batch, width) and the longer cache.

        Keys and values of earlier steps never change, so keeping them is exact.
        """
        batch, heads = len(x), self.config.heads
        query, key, value = (
            part.view(batch, heads, 1, -1) for part in self.query_key_value(x).chunk(3, dim=1)
        )
        if cache is not None:
            key, value = torch.cat([cache[0], key], dim=2), torch.cat([cache[1], value], dim=2)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias[None])
        return self.norms[0](x + self.self_out(mixed.reshape(batch, -1))), (key, value)
