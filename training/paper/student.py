"""The student on a dataset's own vertices: the project's transformer with a linear head.

Layers, bands in time and the reading of features are those of `l2t.models.regressor`; what comes
out are z-scores of the dataset's basis, at its frame rate, in the style of a training subject.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from l2t.models.encoder import FEATURE_RATE
from l2t.models.regressor import DecoderLayer, RegressorConfig, at_times


@dataclass(frozen=True)
class VertexConfig:
    """channels: of the encoder's features; outputs: numbers a frame; fps: frames a second.

    styles: names of the training subjects. The rest as in RegressorConfig; `reach` counts frames
    of 30 fps at every rate (15 = half a second).
    """

    channels: int
    outputs: int
    fps: float
    styles: tuple[str, ...]
    width: int = 192
    heads: int = 4
    layers: int = 3
    ffn: int = 512
    reach: int = 15
    listen: float = 0.3
    dropout: float = 0.1

    def __post_init__(self):
        object.__setattr__(self, "styles", tuple(self.styles))

    def layer(self) -> RegressorConfig:
        names = ("width", "heads", "ffn", "reach", "listen", "dropout")
        return RegressorConfig(**{name: getattr(self, name) for name in names})


class VertexRegressor(nn.Module):
    """(batch, features, channels) at 50 Hz and a style -> (batch, frames, outputs) z-scores."""

    def __init__(self, config: VertexConfig):
        super().__init__()
        self.config = c = config
        self.register_buffer("feature_mean", torch.zeros(c.channels))
        self.register_buffer("feature_scale", torch.ones(c.channels))
        self.entry = nn.Sequential(nn.Dropout(c.dropout), nn.Linear(c.channels, c.width))
        self.near = nn.Conv1d(c.width, c.width, 5, padding=2)
        self.style = nn.Embedding(len(c.styles), c.width)  # a linear map of one-hot subjects
        nn.init.normal_(self.style.weight, std=0.02)
        self.layers = nn.ModuleList(DecoderLayer(c.layer()) for _ in range(c.layers))
        self.last_norm = nn.LayerNorm(c.width)
        self.head = nn.Linear(c.width, c.outputs)
        nn.init.zeros_(self.head.weight)  # starts from the mean face
        nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, frames: int, style: Tensor) -> Tensor:
        """features (batch, n, channels), style (batch,) whole numbers -> (batch, frames, outs)."""
        memory = self.entry((features - self.feature_mean) / self.feature_scale)
        memory = memory + nn.functional.gelu(self.near(memory.transpose(1, 2)).transpose(1, 2))
        memory = memory + self.style(style)[:, None]
        device = features.device
        times = (torch.arange(frames, device=device) + 0.5) / self.config.fps
        heard = torch.arange(memory.shape[1], device=device) / FEATURE_RATE
        x = at_times(memory, times * FEATURE_RATE)
        for layer in self.layers:
            bands = (
                layer.self_attention.band(times, times),
                layer.cross_attention.band(times, heard),
            )
            x = layer(x, memory, bands)
        return self.head(self.last_norm(x))


def in_styles(model: VertexRegressor, features: Tensor, frames: int, styles: list[int]) -> Tensor:
    """One clip (n, channels) in several styles -> (styles, frames, outputs)."""
    device = model.head.weight.device
    many = features.to(device)[None].expand(len(styles), -1, -1)
    with torch.inference_mode():
        return model(many, frames, torch.tensor(styles, device=device))
