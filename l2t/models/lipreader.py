"""LipReader: what is said, from the grey pictures of a mouth alone.

A 3D convolution over the pictures and a small residual network see the lips of five frames, four
temporal blocks put half a second around a frame together, and one linear layer says which phone
is being said.  It sees no further on purpose: a reader of whole sentences would learn the
corpus' grammar and fill in what the lips do not show.

Two pictures go in for each: the crop itself and what differs from its mean over the clip.  The
first is brought to mean 0 and deviation 1, so neither brightness nor contrast of a camera, a skin
or a renderer matters; the second knows little of whose mouth it is.

Idea: the 3D front and residual network of Stafylakis and Tzimiropoulos (Interspeech 2017), the
temporal convolutions of Martinez et al. (ICASSP 2020), CTC (Graves et al. 2006); sizes are ours.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from l2t.models.trained import trained

PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH",
    "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
UNITS = ("blank", *PHONES, "SIL")  # what a frame may show; ARPABET without stress
FPS = 25.0  # pictures a second
SIDE, SEEN = 96, 88  # pixels of a crop, and of its centre that is looked at
HALF = SEEN // 2  # pixels of the picture that the front sees


@dataclass(frozen=True)
class Search:
    """How words are searched for in what a reader sees; chosen on validation clips.

    prior: share of the units' log priors that is taken off: rare phones get a chance.
    words, phones: added to the log score for each word, or phone, where any may follow any.
    sharpness: of the confidence: factor on the differences of words' log scores.
    """

    prior: float = 0.3
    words: float = -2.0
    phones: float = -1.0
    sharpness: float = 0.3


@dataclass(frozen=True)
class LipReaderConfig:
    """Shape of a reader, and how its words are searched for.

    channels: of the front and of the three stages.  width: of the features.  blocks, kernel:
    temporal blocks and the frames that each one spans.  dropout: on the features in training.
    priors: log share of each unit among the training frames, () = unknown.
    """

    channels: tuple[int, ...] = (24, 32, 64, 128)
    width: int = 256
    blocks: int = 4
    kernel: int = 7
    dropout: float = 0.2
    priors: tuple[float, ...] = ()
    search: Search = Search()

    def __post_init__(self):
        check_priors(self.priors)

    @classmethod
    def from_dict(cls, values: dict) -> "LipReaderConfig":
        """From the JSON beside the weights; unknown keys (provenance notes) are left alone."""
        known = {f.name for f in fields(cls)}
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**kept | {"search": Search(**kept.get("search", {}))})


def check_priors(priors: tuple[float, ...]) -> None:
    """Raises ValueError unless there is one for each unit, or none."""
    if len(priors) not in (0, len(UNITS)):
        raise ValueError(f"there are {len(priors)} priors, not {len(UNITS)}, one for each unit")


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut; halves the picture when `stride` is 2."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(3))
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.norms[0](self.first(x)))
        return F.relu(self.norms[1](self.second(inner)) + self.norms[2](self.shortcut(x)))


class Temporal(nn.Module):
    """Each channel looks along time, then the channels of a frame are mixed; added to the input."""

    def __init__(self, width: int, kernel: int, dropout: float):
        super().__init__()
        self.along = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(self.norm(self.along(x.transpose(1, 2)).transpose(1, 2)))


class LipReader(nn.Module):
    """Mouths (batch, frames at 25 fps, 96, 96) in 0..1 to features and phones; see `prepared`.

    Differentiable in the pictures.
    """

    def __init__(self, config: LipReaderConfig | None = None):
        super().__init__()
        self.config = config or LipReaderConfig()
        c, width = self.config.channels, self.config.width
        self.front = nn.Conv3d(2, c[0], 5, (1, 2, 2), 2, bias=False)
        self.norm = nn.BatchNorm2d(c[0])
        self.stages = nn.Sequential(
            Residual(c[0], c[1], 1), Residual(c[1], c[2], 2), Residual(c[2], c[3], 2)
        )
        self.gather = nn.Sequential(nn.Linear(9 * c[3], width), nn.LayerNorm(width))
        self.drop = nn.Dropout(self.config.dropout)
        self.time = nn.Sequential(
            *(Temporal(width, self.config.kernel, self.config.dropout)
              for _ in range(self.config.blocks)),
        )  # fmt: skip
        # Features without a common part, so that the angle between two of them says something.
        self.centre = nn.BatchNorm1d(width, affine=False)
        self.head = nn.Linear(width, len(UNITS))

    def features(self, mouths: Tensor) -> Tensor:
        """What each frame shows, (batch, frames, width)."""
        batch, frames = mouths.shape[:2]
        rest = _some_stretch(batch, frames, mouths) if self.training else None
        maps = self.front(prepared(mouths, rest))  # (batch, channels, frames, 22, 22)
        maps = maps.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = F.max_pool2d(F.relu(self.norm(maps)), 3, 2, 1)
        maps = self.stages(maps)  # (batch * frames, channels, 3, 3)
        seen = self.gather(maps.flatten(1)).unflatten(0, (batch, frames))
        return self.centre(self.time(self.drop(seen)).flatten(0, 1)).unflatten(0, (batch, frames))

    def forward(self, mouths: Tensor) -> tuple[Tensor, Tensor]:
        """(features (batch, frames, width), log_probs (batch, frames, len(UNITS)))."""
        features = self.features(mouths)
        return features, self.head(self.drop(features)).log_softmax(-1)


def prepared(mouths: Tensor, rest: Tensor | None = None) -> Tensor:
    """(batch, frames, side, side) in 0..1 -> (batch, 2, frames, 44, 44): picture and difference.

    side: 88 or more, of which the centre of 88 pixels is halved, or 44, taken as halved already.
    rest: shares (batch, frames) of the frames in the mean that is taken off; None: all alike.
    """
    side = mouths.shape[-1]
    if mouths.shape[-2] != side or (side < SEEN and side != HALF):
        raise ValueError(
            f"mouths are {tuple(mouths.shape[-2:])} pixels; need squares of {HALF}, {SEEN} or more"
        )
    edge = (side - SEEN) // 2
    if side != HALF:
        mouths = F.avg_pool2d(mouths[..., edge : edge + SEEN, edge : edge + SEEN], 2)
    mean, spread = mouths.mean((1, 2, 3), True), mouths.std((1, 2, 3), keepdim=True)
    mouths = (mouths - mean) / (spread + 0.02)
    still = mouths.mean(1) if rest is None else torch.einsum("bt,bthw->bhw", rest, mouths)
    return torch.stack([mouths, 2 * (mouths - still[:, None])], 1)


def _some_stretch(batch: int, frames: int, like: Tensor) -> Tensor:
    """Shares (batch, frames) of a random third or more of the frames in a mean over time.

    In training the resting mouth is taken from there: how long a clip is, and how much of it is
    silence, must not matter.
    """
    length = (torch.rand(batch, 1) * 2 / 3 + 1 / 3) * frames
    first = torch.rand(batch, 1) * (frames - length)
    at = torch.arange(frames)
    share = ((at >= first.floor()) & (at <= first + length)).float()
    return (share / share.sum(1, keepdim=True)).to(like)


def reader_from(config: dict, tensors: dict[str, Tensor]) -> LipReader:
    """The trained reader, for inference, from the JSON and the tensors of its weights.

    Raises WeightsError when the two do not fit each other.
    """
    return trained(lambda: LipReader(LipReaderConfig.from_dict(config)), tensors, "lip reader")
