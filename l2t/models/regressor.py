"""The student: speech features in, ARKit weights at 30 frames a second out.

A non-autoregressive transformer decoder: one query a frame attends to its neighbours and, in a band
around its own time, to the speech features. Attention never reaches further than its band, so the
cost grows linearly with length and a long take can be made in windows.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from l2t.models.encoder import FEATURE_RATE
from l2t.motion import ARKIT_NAMES, FPS


@dataclass(frozen=True)
class RegressorConfig:
    """channels: of the encoder's features; width, heads, layers, ffn: of the decoder.

    reach:  frames to each side that self-attention sees (0.5 s at 15).
    listen: seconds to each side that cross-attention hears.
    styles: names of the speaking styles, the first is the default.
    shapes: names of the ARKit weights it drives; all others stay zero.
    """

    channels: int = 768
    width: int = 192
    heads: int = 4
    layers: int = 3
    ffn: int = 512
    reach: int = 15
    listen: float = 0.3
    dropout: float = 0.1
    styles: tuple[str, ...] = ("natural",)
    shapes: tuple[str, ...] = ARKIT_NAMES

    def __post_init__(self):
        for name in ("styles", "shapes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        unknown = set(self.shapes) - set(ARKIT_NAMES)
        if unknown or self.width % self.heads:
            raise ValueError(f"unknown shapes {sorted(unknown)} or width not divisible by heads")


class BandAttention(nn.Module):
    """Attention of frames to times near their own, with a learned bias by distance in time."""

    def __init__(self, width: int, heads: int, reach: float, dropout: float, knots: int = 31):
        super().__init__()
        self.heads, self.reach, self.dropout, self.knots = heads, reach, dropout, knots
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(heads, knots))

    def band(self, times: Tensor, memory_times: Tensor) -> Tensor:
        """Additive mask (heads, frames, memory): learned bias inside the band, -inf outside."""
        away = (memory_times[None] - times[:, None]) / self.reach  # -1..1 inside the band
        place = (away.clamp(-1, 1) + 1) / 2 * (self.knots - 1)
        low = place.floor().long().clamp(max=self.knots - 2)
        part = place - low
        bias = self.bias[:, low] * (1 - part) + self.bias[:, low + 1] * part
        # The nearest memory step stays visible even if none lies in the band.
        nearest = away.abs() <= away.abs().min(dim=1, keepdim=True).values
        return bias.masked_fill(~((away.abs() <= 1.0) | nearest)[None], -math.inf)

    def forward(self, x: Tensor, memory: Tensor, band: Tensor) -> Tensor:
        batch, frames, width = x.shape

        def split(t: Tensor) -> Tensor:
            return t.view(batch, t.shape[1], self.heads, -1).transpose(1, 2)

        key, value = self.key_value(memory).chunk(2, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(
            split(self.query(x)), split(key), split(value), attn_mask=band[None],
            dropout_p=self.dropout if self.training else 0.0,
        )  # fmt: skip
        return self.out(mixed.transpose(1, 2).reshape(batch, frames, width))


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention to the speech, feed-forward; each behind a layer norm."""

    def __init__(self, c: RegressorConfig):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(c.width) for _ in range(3))
        self.self_attention = BandAttention(c.width, c.heads, c.reach / FPS, c.dropout)
        self.cross_attention = BandAttention(c.width, c.heads, c.listen, c.dropout)
        self.feed = nn.Sequential(
            nn.Linear(c.width, c.ffn), nn.GELU(), nn.Dropout(c.dropout), nn.Linear(c.ffn, c.width)
        )

    def forward(self, x: Tensor, memory: Tensor, bands: tuple[Tensor, Tensor]) -> Tensor:
        y = self.norms[0](x)
        x = x + self.self_attention(y, y, bands[0])
        x = x + self.cross_attention(self.norms[1](x), memory, bands[1])
        return x + self.feed(self.norms[2](x))


class FrameDecoder(nn.Module):
    """Speech features to one vector a frame, in any frame rate and speaking style.

    config: channels, width, layers, styles, dropout are read; layer: of each `DecoderLayer`.
    outputs: of the linear head, whose weights begin at zero.
    """

    def __init__(self, config, layer: RegressorConfig, outputs: int):
        super().__init__()
        self.config = c = config
        self.register_buffer("feature_mean", torch.zeros(c.channels))
        self.register_buffer("feature_scale", torch.ones(c.channels))
        self.entry = nn.Sequential(nn.Dropout(c.dropout), nn.Linear(c.channels, c.width))
        self.near = nn.Conv1d(c.width, c.width, 5, padding=2)
        self.style = nn.Embedding(len(c.styles), c.width)  # a linear map of one-hot styles
        nn.init.normal_(self.style.weight, std=0.02)
        self.layers = nn.ModuleList(DecoderLayer(layer) for _ in range(c.layers))
        self.last_norm = nn.LayerNorm(c.width)
        self.head = nn.Linear(c.width, outputs)
        nn.init.zeros_(self.head.weight)

    def decoded(self, features: Tensor, frames: int, style: Tensor, fps: float) -> Tensor:
        """features (batch, n, channels) at 50 Hz, style (batch,) -> (batch, frames, outputs)."""
        x = (features - self.feature_mean) / self.feature_scale
        memory = self.entry(x)
        memory = memory + nn.functional.gelu(self.near(memory.transpose(1, 2)).transpose(1, 2))
        memory = memory + self.style(style)[:, None]
        device = features.device
        times = (torch.arange(frames, device=device) + 0.5) / fps
        memory_times = torch.arange(memory.shape[1], device=device) / FEATURE_RATE
        x = at_times(memory, times * FEATURE_RATE)
        for layer in self.layers:
            bands = (
                layer.self_attention.band(times, times),
                layer.cross_attention.band(times, memory_times),
            )
            x = layer(x, memory, bands)
        return self.head(self.last_norm(x))


class Regressor(FrameDecoder):
    """(batch, features, channels) at 50 Hz and a style -> (batch, frames, 52) weights in 0..1."""

    def __init__(self, config: RegressorConfig):
        super().__init__(config, config, len(config.shapes))
        nn.init.constant_(self.head.bias, -3.0)  # starts from a face nearly at rest
        places = torch.tensor([ARKIT_NAMES.index(name) for name in config.shapes])
        self.register_buffer("places", places, persistent=False)

    def forward(self, features: Tensor, frames: int, style: Tensor) -> Tensor:
        """features (batch, n, channels), style (batch,) whole numbers -> (batch, frames, 52)."""
        weights = torch.sigmoid(self.decoded(features, frames, style, FPS))
        # A little beyond both ends and clipped, so that rest is exactly rest.
        weights = (weights * 1.04 - 0.02).clamp(0.0, 1.0)
        out = weights.new_zeros(*weights.shape[:2], len(ARKIT_NAMES))
        return out.index_copy(2, self.places, weights)


def at_times(values: Tensor, positions: Tensor) -> Tensor:
    """values (batch, n, channels) read between its steps at `positions` (frames,); ends held."""
    positions = positions.clamp(0, values.shape[1] - 1)
    low = positions.floor().long().clamp(max=max(0, values.shape[1] - 2))
    high = (low + 1).clamp(max=values.shape[1] - 1)
    part = (positions - low)[None, :, None]
    return values[:, low] * (1 - part) + values[:, high] * part
