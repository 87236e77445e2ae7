"""SyncNet2D: does this mouth on film move to this sound?  The sibling of SyncNet3D for pictures.

The audio tower is SyncNet3D's, listening to a mel spectrogram in step with 25 pictures a second;
the picture tower looks at five frames (0.2 s) of grey mouth crops. As in Chung and Zisserman's
SyncNet (ACCV workshops 2016) the five frames are the channels of the first convolution; the
vectors are not normalised, as in Learn2Talk (arXiv 2404.12888).

What a face looks like must not matter, only how it moves: the clip's mean picture is taken off and
the rest divided by the clip's contrast. So a still picture is exactly zero.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from l2t.models.syncnet3d import AudioTower
from training.files import load_parts

FPS = 25.0  # frames a second of the pictures
SIDE = 48  # pixels, what the tower sees of a 96 px crop
MEL_RATE = 4 * FPS  # spectra a second
MARGIN = 4  # pixels cut off at each border of the 48: hair, cheeks, a network's mark


@dataclass(frozen=True)
class Sync2DConfig:
    """Shape of an expert.

    channels, width: of the audio tower (as in SyncNet3D, whose tower can be its start).
    size: of the shared space. window: frames of film seen at once (5 = 0.2 s).
    pictures: channels of the picture tower's four convolutions, each halving the side.
    dropout: on hidden layers while training.
    """

    channels: int = 16
    width: int = 192
    size: int = 128
    window: int = 5
    pictures: tuple[int, ...] = (24, 32, 48, 64)
    dropout: float = 0.1

    def __post_init__(self):
        object.__setattr__(self, "pictures", tuple(self.pictures))


class PictureTower(nn.Module):
    """Mouths (batch, frames, side, side), any grey scale -> (batch, frames, size)."""

    def __init__(self, config: Sync2DConfig):
        super().__init__()
        self.window = config.window
        layers, inputs = [], config.window
        for outputs in config.pictures:
            conv = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        self.look = nn.Sequential(*layers)
        side = SIDE - 2 * MARGIN
        for _ in config.pictures:
            side = -(-side // 2)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(config.dropout),
            nn.Linear(inputs * side * side, config.size, bias=False),
            nn.BatchNorm1d(config.size), nn.ReLU(), nn.Linear(config.size, config.size),
        )  # fmt: skip

    def forward(self, mouths: torch.Tensor) -> torch.Tensor:
        batch, frames = mouths.shape[:2]
        seen = plain_motion(shrunk(mouths))
        left = self.window // 2
        at = torch.arange(-left, frames + self.window - 1 - left, device=seen.device)
        windows = seen[:, at.clamp(0, frames - 1)].unfold(1, self.window, 1)
        windows = windows.flatten(0, 1).permute(0, 3, 1, 2)  # five frames as channels
        maps = self.look(windows.contiguous(memory_format=torch.channels_last))
        return self.head(maps.contiguous()).unflatten(0, (batch, frames))


def shrunk(mouths: torch.Tensor) -> torch.Tensor:
    """The middle of crops of any size, (..., side, side) -> (..., 40, 40)."""
    if mouths.shape[-1] != SIDE:
        flat = mouths.flatten(0, -3)[:, None]
        mouths = F.adaptive_avg_pool2d(flat, SIDE)[:, 0].unflatten(0, mouths.shape[:-2])
    return mouths[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def plain_motion(mouths: torch.Tensor) -> torch.Tensor:
    """Pictures (batch, frames, side, side) without the mean picture, over the clip's contrast.

    The contrast is the mean picture's standard deviation over its pixels.
    """
    mean = mouths.mean(1, keepdim=True)
    contrast = mean.flatten(2).std(-1).clamp_min(1e-6)[..., None, None]
    return (mouths - mean) / contrast * 4.0


class SyncNet2D(nn.Module):
    """The pair of towers; `hear` and `see` give un-normalised vectors, one a frame of 25 fps."""

    def __init__(self, config: Sync2DConfig | None = None):
        super().__init__()
        self.config = config or Sync2DConfig()
        self.audio = AudioTower(self.config)
        self.pictures = PictureTower(self.config)

    def hear(self, mel: torch.Tensor) -> torch.Tensor:
        """Log-mel at MEL_RATE (batch, frames * 4, 80) -> (batch, frames, size)."""
        return self.audio(mel)

    def see(self, mouths: torch.Tensor) -> torch.Tensor:
        """Grey mouths (batch, frames, side, side) float, any scale -> (batch, frames, size)."""
        return self.pictures(mouths)

    def forward(self, mel: torch.Tensor, mouths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both at once: the vectors of sound and mouth."""
        return self.hear(mel), self.see(mouths)


def load_expert2d(path: Path) -> SyncNet2D:
    """The expert in PATH.json and PATH.safetensors, frozen, for inference."""
    config, tensors = load_parts(path.parent, path.name)
    expert = SyncNet2D(Sync2DConfig(**config))
    expert.load_state_dict(tensors)
    return expert.eval().requires_grad_(False)
