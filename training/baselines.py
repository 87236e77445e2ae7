"""What the student must beat: the sound's energy, and small convolutional heads trained like it."""

import numpy as np
import torch
from torch import nn

from l2t.mel import log_mel
from l2t.motion import FPS, frame_count
from l2t.voice import SAMPLE_RATE


def energy_opening(samples: np.ndarray) -> np.ndarray:
    """Loudness as a mouth: RMS of each frame in dB above a floor of -50 dB, smoothed, (frames,)."""
    frames = frame_count(len(samples) / SAMPLE_RATE)
    width = int(2 * SAMPLE_RATE / FPS)
    centres = ((np.arange(frames) + 0.5) / FPS * SAMPLE_RATE).astype(int)
    padded = np.pad(samples.astype(np.float64), width)
    power = np.array([np.mean(padded[c + width // 2 : c + 3 * width // 2] ** 2) for c in centres])
    level = np.maximum(10 * np.log10(power + 1e-10) + 50, 0)
    return np.convolve(np.pad(level, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")


class OpeningHead(nn.Module):
    """Three dilated convolutions from features at 30 fps to the lip opening, (batch, frames)."""

    def __init__(self, channels: int, width: int = 128):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        layers = []
        for inputs, dilation in ((channels, 1), (width, 2), (width, 4)):
            layers += [nn.Conv1d(inputs, width, 3, padding=dilation, dilation=dilation), nn.GELU()]
        self.layers = nn.Sequential(*layers, nn.Conv1d(width, 1, 1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = (features - self.mean) / self.scale
        return self.layers(x.transpose(1, 2))[:, 0]


def mel_features(samples: np.ndarray) -> np.ndarray:
    """Log-mel as (frames, 4 * 80) float32: the four spectra of each frame side by side."""
    frames = frame_count(len(samples) / SAMPLE_RATE)
    mel = log_mel(torch.from_numpy(samples), frames).numpy()
    return mel.reshape(frames, -1)


def train_head(
    clips: list[tuple[np.ndarray, np.ndarray]], steps: int = 600, seed: int = 1
) -> OpeningHead:
    """clips: (features (frames, channels), opening (frames,)) of the training split."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = OpeningHead(clips[0][0].shape[1])
    sample = np.concatenate([f[::5] for f, _ in clips[::3]])
    head.mean.copy_(torch.from_numpy(sample.mean(0)))
    head.scale.copy_(torch.from_numpy(sample.std(0) + 1e-3))
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3)
    for _ in range(steps):
        rows = []
        for i in rng.integers(len(clips), size=16):
            features, opening = clips[i]
            n = min(len(features), len(opening))
            start = int(rng.integers(max(1, n - 80 + 1)))
            piece = slice(start, min(start + 80, n))
            rows.append((_fit(features[piece]), _fit(opening[piece, None])[:, 0]))
        x, y = (torch.from_numpy(np.stack(part)).float() for part in zip(*rows, strict=True))
        loss = (head(x) - 20 * y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return head.eval()


def _fit(rows: np.ndarray, count: int = 80) -> np.ndarray:
    return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])


@torch.no_grad()
def head_opening(head: OpeningHead, features: np.ndarray) -> np.ndarray:
    """The head's lip opening for one clip, (frames,), floored at closed lips."""
    out = head(torch.from_numpy(features)[None].float())[0].numpy() / 20
    return np.maximum(out, 0)
