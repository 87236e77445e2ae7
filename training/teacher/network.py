"""Our own 2D talking face: speech features and one photo of a mouth in, the mouth on film out.

In the manner of Wav2Lip (ACM Multimedia 2020): the photo says who, the sound says how, an expert
on synchrony trains along. What is different: it listens through the frozen speech encoder, so that
it follows voices it was not trained on; it hears a whole stretch and paints all its pictures, so
that neighbours fit together; and it paints the change of the photo, at half the resolution with
four values a pixel (the four pixels of the full picture), so that skin stays as sharp as it is.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

SIDE = 96  # pixels of a picture


@dataclass(frozen=True)
class PainterConfig:
    """Sizes. channels: of the speech features (50 Hz). width, blocks, kernel, dropout: of the ear.

    maps: channels at 6, 12, 24 and 48 pixels; all but the last divisible by 4.
    """

    channels: int = 768
    width: int = 160
    blocks: int = 4
    kernel: int = 5
    dropout: float = 0.1
    maps: tuple[int, ...] = (128, 96, 48, 24)

    def __post_init__(self):
        object.__setattr__(self, "maps", tuple(self.maps))


class Ear(nn.Module):
    """Features (batch, 2 frames, channels) at 50 Hz -> (batch, frames, width) at 25 fps.

    Frame i lies at (i + 0.5) / 25 s, where feature 2 i + 1 is.
    """

    def __init__(self, config: PainterConfig):
        super().__init__()
        w, k = config.width, config.kernel
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("scale", torch.ones(config.channels))
        self.inlet = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.channels, w))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.GELU(), nn.Conv1d(w, w, k, padding=k // 2), nn.GELU(),
                          nn.Dropout(config.dropout), nn.Conv1d(w, w, 1))
            for _ in range(config.blocks)
        )  # fmt: skip

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self.inlet((features - self.mean) / self.scale).transpose(1, 2)
        for block in self.blocks:
            x = x + block(x)
        return x[:, :, 1::2].transpose(1, 2)


class Photo(nn.Module):
    """One picture (batch, 1, 96, 96) -> maps at 48, 24, 12 and 6 pixels, as the painter's."""

    def __init__(self, maps: tuple[int, ...]):
        super().__init__()
        self.down = nn.ModuleList()
        inputs = 4
        for number, outputs in enumerate(reversed(maps)):
            self.down.append(nn.Conv2d(inputs, outputs, 3, 2 if number else 1, 1))
            inputs = outputs

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        x, out = F.pixel_unshuffle(picture, 2), []
        for layer in self.down:
            x = F.leaky_relu(layer(x), 0.1)
            out.append(x)
        return out


class MouthPainter(nn.Module):
    """(features (batch, 2 frames, channels), photo (batch, 96, 96) in 0..1) -> film in 0..1."""

    def __init__(self, config: PainterConfig | None = None):
        super().__init__()
        self.config = config = config or PainterConfig()
        self.ear = Ear(config)
        self.photo = Photo(config.maps)
        self.root = nn.Linear(config.width, config.maps[0] * 36)
        self.up = nn.ModuleList()
        inputs = config.maps[0]
        for outputs in config.maps:
            self.up.append(nn.ModuleList([nn.Conv2d(inputs, outputs, 3, 1, 1),
                                          nn.Conv2d(outputs, outputs, 3, 1, 1)]))  # fmt: skip
            inputs = outputs // 4
        self.head = nn.Conv2d(config.maps[-1], 4, 3, 1, 1)
        nn.init.zeros_(self.head.weight)  # begins as the photo itself
        nn.init.zeros_(self.head.bias)
        # The closed mouth of the man it was trained on, kept with the weights.
        self.register_buffer("neutral", torch.full((SIDE, SIDE), 0.5))

    def forward(
        self,
        features: torch.Tensor,
        photo: torch.Tensor,
        starts: torch.Tensor | None = None,
        frames: int = 0,
    ) -> torch.Tensor:
        """-> (batch, frames, 96, 96): all of the sound is heard, all of it or a part painted.

        starts: (batch,) first frame painted of each clip, `frames` how many; None: all of them.
        """
        heard = self.ear(features)
        if starts is not None:
            at = starts[:, None] + torch.arange(frames, device=starts.device)
            heard = heard.gather(1, at[..., None].expand(-1, -1, heard.shape[2]))
        batch, frames = heard.shape[:2]
        known = self.photo(photo[:, None])
        x = self.root(heard).reshape(batch * frames, -1, 6, 6)
        x = x.contiguous(memory_format=torch.channels_last)
        for number, (first, second) in enumerate(self.up):
            if number:
                x = F.pixel_shuffle(x, 2)
            who = known[-1 - number].repeat_interleave(frames, 0)
            x = F.leaky_relu(first(x) + who, 0.1)
            x = F.leaky_relu(second(x), 0.1)
        change = F.pixel_shuffle(self.head(x), 2).reshape(batch, frames, SIDE, SIDE)
        return photo[:, None] + change
