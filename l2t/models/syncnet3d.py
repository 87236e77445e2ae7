"""SyncNet3D: does this mouth move to this sound?  Two towers into one space, one vector a frame.

The audio tower listens to about a quarter of a second of log-mel around the frame, the motion
tower looks at 0.2 s (6 frames) of the mouth's vertices; matching sound and motion land close
together in Euclidean distance.  The vectors are not normalised: their length says how much there
is to see and hear, so silence and a half-open mouth at rest do not count like a plosive.

Idea: Chung and Zisserman's SyncNet (ACCV workshops 2016), put on meshes by Learn2Talk (arXiv
2404.12888).  All convolutions are unpadded over time and the input is padded with silence and
with a held mouth instead, so a recording cut into overlapping blocks gives the same vectors.
"""

from dataclasses import asdict, dataclass, fields

import torch
from torch import nn
from torch.nn import functional as F

from l2t.mel import BANDS, PER_FRAME, compress
from l2t.models.trained import trained


@dataclass(frozen=True)
class SyncConfig:
    """Shape of an expert, and how its raw margin reads for people.

    points: mouth vertices in the motion input (lip landmarks, then chin landmarks).
    window: frames of motion seen at once (6 = 0.2 s at 30 fps).
    components: principal directions of the mouth's displacement that enter the motion tower.
    channels, width, motion_width, size: widths of the towers and of the shared space.
    dropout: on the towers' hidden layers while training.
    calibration: (bias, slope) of the logistic map in `l2t.sync`; () = none fitted.
    """

    points: int = 45
    window: int = 6
    components: int = 20
    channels: int = 16
    width: int = 192
    motion_width: int = 192
    size: int = 128
    dropout: float = 0.1
    calibration: tuple[float, ...] = ()

    def __post_init__(self):
        if len(self.calibration) not in (0, 2):
            raise ValueError(f"the calibration is {len(self.calibration)} numbers, not 2")

    @classmethod
    def from_dict(cls, values: dict) -> "SyncConfig":
        """From the JSON beside the weights; unknown keys (provenance notes) are left alone."""
        known = {f.name for f in fields(cls)}
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**kept)

    def to_dict(self) -> dict:
        return asdict(self)


class AudioTower(nn.Module):
    """Log-mel (batch, frames * 4, 80) -> (batch, frames, size)."""

    CONTEXT = 39  # mel frames heard for one vector: 0.325 s

    def __init__(self, config: SyncConfig):
        super().__init__()
        c, w = config.channels, config.width
        self.picture = nn.Sequential(
            *_conv2(1, c, (5, 5), (2, 2)),
            *_conv2(c, c, (3, 3), (1, 2)),
            *_conv2(c, 2 * c, (3, 3), (1, 2)),
        )
        with torch.no_grad():
            high = self.picture.eval()(torch.zeros(1, 1, 64, BANDS)).shape[-1]
        self.picture.train()
        drop = nn.Dropout(config.dropout)
        self.time = nn.Sequential(
            *_conv1(2 * c * high, w, 3, 1), drop,
            *_conv1(w, w, 4, 2), drop,
            *_conv1(w, w, 3, 1), drop,
            *_conv1(w, w, 3, 1), drop,
            nn.Conv1d(w, config.size, 1),
        )  # fmt: skip

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        spare = self.CONTEXT - PER_FRAME
        silence = float(compress(torch.zeros(())))
        mel = F.pad(mel, (0, 0, spare // 2, spare - spare // 2), value=silence)
        # Channels last: the small convolutions run almost twice as fast on a CPU.
        picture = mel[:, None].contiguous(memory_format=torch.channels_last)
        maps = self.picture(picture)  # (batch, channels, time, height)
        return self.time(maps.transpose(2, 3).flatten(1, 2)).transpose(1, 2)


class MotionTower(nn.Module):
    """Mouth displacements in metres (batch, frames, points, 3) -> (batch, frames, size).

    A fixed whitened projection on the principal directions of the training motion comes first;
    it is linear in the vertices, so the expert can sit in a loss on vertices.
    """

    def __init__(self, config: SyncConfig):
        super().__init__()
        inputs, w = config.points * 3, config.motion_width
        self.window = config.window
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("directions", torch.zeros(inputs, config.components))
        drop = nn.Dropout(config.dropout)
        self.layers = nn.Sequential(
            *_conv1(config.components, w, config.window, 1), drop,
            *_conv1(w, w, 1, 1), drop,
            *_conv1(w, w, 1, 1), drop,
            nn.Conv1d(w, config.size, 1),
        )  # fmt: skip

    def fit_projection(self, displacement: torch.Tensor) -> None:
        """Set the projection from motion (frames, points, 3): principal directions, unit variance.

        Directions below 3 % of the strongest one's deviation are noise of the tracker and stay
        small instead of being blown up.
        """
        flat = displacement.flatten(1).double()
        mean = flat.mean(0)
        _, values, rows = torch.linalg.svd(flat - mean, full_matrices=False)
        spread = values / max(len(flat) - 1, 1) ** 0.5
        keep = self.directions.shape[1]
        scaled = rows[:keep].T / (spread[:keep] + 0.03 * spread[0])
        self.mean.copy_(mean)
        self.directions.zero_()
        self.directions[:, : scaled.shape[1]] = scaled.to(self.directions)

    def forward(self, displacement: torch.Tensor) -> torch.Tensor:
        seen = (displacement.flatten(2) - self.mean) @ self.directions
        left = self.window // 2
        seen = F.pad(seen.transpose(1, 2), (left, self.window - 1 - left), mode="replicate")
        return self.layers(seen).transpose(1, 2)


class SyncNet3D(nn.Module):
    """The pair of towers; `hear` and `see` give un-normalised vectors, one a frame of 30 fps."""

    def __init__(self, config: SyncConfig | None = None):
        super().__init__()
        self.config = config or SyncConfig()
        self.audio = AudioTower(self.config)
        self.motion = MotionTower(self.config)

    def forward(self, mel: torch.Tensor, displacement: torch.Tensor):
        """Both at once, as training wants it: (heard, seen)."""
        return self.hear(mel), self.see(displacement)

    def hear(self, mel: torch.Tensor) -> torch.Tensor:
        """Log-mel (batch, frames * 4, 80) of `l2t.mel` -> (batch, frames, size)."""
        return self.audio(mel)

    def see(self, displacement: torch.Tensor) -> torch.Tensor:
        """Vertices minus neutral, metres (batch, frames, points, 3) -> (batch, frames, size)."""
        return self.motion(displacement)


def expert_from(config: dict, tensors: dict[str, torch.Tensor]) -> SyncNet3D:
    """The trained expert, for inference, from the JSON and the tensors of its weights.

    Raises WeightsError when the two do not fit each other.
    """
    return trained(lambda: SyncNet3D(SyncConfig.from_dict(config)), tensors, "sync expert")


def mouth_points(template) -> torch.Tensor:
    """Vertex ids of the motion input, (45,): the template's 40 lip and 5 chin landmarks."""
    lips, chin = torch.as_tensor(template.lip_landmarks), torch.as_tensor(template.chin_landmarks)
    return torch.cat([lips.long(), chin.long()])


def mouth_basis(template) -> torch.Tensor:
    """Displacement of the motion input for each ARKit weight, (52, 45, 3) float32 metres."""
    return torch.as_tensor(template.basis(mouth_points(template).numpy()), dtype=torch.float32)


def _conv2(inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int]) -> list:
    """Convolution over (time, mel), padded over mel only."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, (0, kernel[1] // 2), bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]


def _conv1(inputs: int, outputs: int, kernel: int, stride: int) -> list:
    """Unpadded convolution over time."""
    conv = nn.Conv1d(inputs, outputs, kernel, stride, bias=False)
    return [conv, nn.BatchNorm1d(outputs), nn.ReLU()]
