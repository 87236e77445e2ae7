"""The student on a dataset's own vertices: the project's transformer with a linear head.

Layers, bands in time and the reading of features are those of `l2t.models.regressor`; what comes
out are z-scores of the dataset's basis, at its frame rate, in the style of a training subject.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from l2t.models.regressor import FrameDecoder, RegressorConfig


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


class VertexRegressor(FrameDecoder):
    """(batch, features, channels) at 50 Hz and a style -> (batch, frames, outputs) z-scores."""

    def __init__(self, config: VertexConfig):
        super().__init__(config, config.layer(), config.outputs)
        nn.init.zeros_(self.head.bias)  # starts from the mean face

    def forward(self, features: Tensor, frames: int, style: Tensor) -> Tensor:
        """features (batch, n, channels), style (batch,) whole numbers -> (batch, frames, outs)."""
        return self.decoded(features, frames, style, self.config.fps)


def in_styles(model: VertexRegressor, features: Tensor, frames: int, styles: list[int]) -> Tensor:
    """One clip (n, channels) in several styles -> (styles, frames, outputs)."""
    device = model.head.weight.device
    many = features.to(device)[None].expand(len(styles), -1, -1)
    with torch.inference_mode():
        return model(many, frames, torch.tensor(styles, device=device))
