"""The generator of Wav2Lip (ACM Multimedia 2020), so that a user's own checkpoint can be a teacher.

Sizes and parameter names are the published ones (github.com/Rudrabha/Wav2Lip), so the published
checkpoints fit: 36,298,035 parameters. A face encoder halves a 96 px face six times, a sound
encoder brings 80 x 16 of log-mel to one vector, and a decoder doubles that back to a face, each
time joined by the face encoder's maps of the same size.
"""

import torch
from torch import nn

SIDE, BANDS, STEPS = 96, 80, 16  # pixels of a face; the log-mel heard for one picture
FACE = ((32, 2), (64, 3), (128, 2), (256, 2), (512, 1))  # channels and residuals, each half as wide
PAINT = ((512, 1), (512, 2), (384, 2), (256, 2), (128, 2), (64, 2))  # the same, growing


class Conv(nn.Module):
    """Convolution, batch normalisation, ReLU; `residual` adds the input, `grow` is transposed."""

    def __init__(
        self, inputs: int, outputs: int, size=3, stride=1, pad=1, residual=False, grow=False
    ):
        super().__init__()
        if grow:
            conv = nn.ConvTranspose2d(inputs, outputs, size, stride, pad, int(stride > 1))
        else:
            conv = nn.Conv2d(inputs, outputs, size, stride, pad)
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(outputs))
        self.residual = residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv_block(x)
        return torch.relu(out + x if self.residual else out)


def _residuals(channels: int, count: int) -> list[Conv]:
    return [Conv(channels, channels, residual=True) for _ in range(count)]


class Wav2Lip(nn.Module):
    """(log-mel (n, 1, 80, 16), faces (n, 6, 96, 96)) -> faces (n, 3, 96, 96) in 0..1.

    Channels of the faces: the face with its lower half black, then a reference face; BGR, 0..1.
    """

    def __init__(self):
        super().__init__()
        stages = [nn.Sequential(Conv(6, 16, 7, 1, 3))]
        for inputs, (outputs, count) in zip((16, 32, 64, 128, 256), FACE, strict=True):
            stages.append(nn.Sequential(Conv(inputs, outputs, 3, 2), *_residuals(outputs, count)))
        stages.append(nn.Sequential(Conv(512, 512, 3, 1, 0), Conv(512, 512, 1, 1, 0)))
        self.face_encoder_blocks = nn.ModuleList(stages)
        self.audio_encoder = nn.Sequential(
            Conv(1, 32), *_residuals(32, 2),
            Conv(32, 64, 3, (3, 1)), *_residuals(64, 2),
            Conv(64, 128, 3, 3), *_residuals(128, 2),
            Conv(128, 256, 3, (3, 2)), *_residuals(256, 1),
            Conv(256, 512, 3, 1, 0), Conv(512, 512, 1, 1, 0),
        )  # fmt: skip
        # What comes into each stage is what the one before gave and the encoder's map beside it.
        beside = (512, 512, 256, 128, 64, 32, 16)
        stages, inputs = [nn.Sequential(Conv(512, 512, 1, 1, 0))], 512 + beside[0]
        for number, (outputs, count) in enumerate(PAINT):
            first = Conv(inputs, outputs, 3, 2 if number else 1, 1 if number else 0, grow=True)
            stages.append(nn.Sequential(first, *_residuals(outputs, count)))
            inputs = outputs + beside[number + 1]
        self.face_decoder_blocks = nn.ModuleList(stages)
        self.output_block = nn.Sequential(Conv(inputs, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        maps = [faces]
        for stage in self.face_encoder_blocks:
            maps.append(stage(maps[-1]))
        x = self.audio_encoder(mel)
        for stage in self.face_decoder_blocks:
            x = torch.cat([stage(x), maps.pop()], dim=1)
        return self.output_block(x)
