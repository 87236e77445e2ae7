"""Hears and sees at once: phones from noisy sound, and a gate that weighs ears against eyes.

The audio branch is a small head on the frozen speech encoder; like the lip reader it gives a
probability of each phone in each frame at 25 frames a second, from half a second around it.  The
gate looks at how sure either is, how far they agree and how the sound seems, and raises each to a
power of its own before they are multiplied: where the noise drowns the voice, the lips decide.

Idea: late fusion with stream weights that follow the reliability of each (Potamianos et al.,
Proceedings of the IEEE 91(9), 2003); sizes are ours.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from l2t.models.lipreader import UNITS, Search, Temporal, check_priors
from l2t.models.trained import trained

RATE_RATIO = 2  # the encoder's features a frame: 50 Hz to 25 Hz
CLUES = 5  # numbers a frame that say how sure both are
AROUND = 25  # frames over which the gate also takes means: a second


@dataclass(frozen=True)
class AVSRConfig:
    """Shape, and how words are searched for in what was heard, and in both together.

    channels: of the encoder's features.  width, blocks, kernel, dropout: as in the lip reader.
    heard: numbers about the sound that the gate sees.  priors: log share of each unit, () unknown.
    """

    channels: int = 768
    width: int = 144
    blocks: int = 3
    kernel: int = 9
    dropout: float = 0.2
    heard: int = 4
    priors: tuple[float, ...] = ()
    search: Search = Search()

    def __post_init__(self):
        check_priors(self.priors)

    @classmethod
    def from_dict(cls, values: dict) -> "AVSRConfig":
        """From the JSON beside the weights; unknown keys (notes) are left alone."""
        known = {f.name for f in fields(cls)}
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**kept | {"search": Search(**kept.get("search", {}))})


class AVSR(nn.Module):
    """Features of sound, and the lip reader's log probabilities, to log probabilities of units."""

    def __init__(self, config: AVSRConfig | None = None):
        super().__init__()
        self.config = c = config or AVSRConfig()
        self.calm = nn.LayerNorm(c.channels)
        self.gather = nn.Sequential(
            nn.Linear(RATE_RATIO * c.channels, c.width), nn.GELU(), nn.LayerNorm(c.width)
        )
        self.drop = nn.Dropout(c.dropout)
        self.time = nn.Sequential(
            *(Temporal(c.width, c.kernel, c.dropout) for _ in range(c.blocks)),
            nn.LayerNorm(c.width),
        )
        self.head = nn.Linear(c.width, len(UNITS))
        self.listen = nn.Linear(c.width, c.heard)
        self.gate = nn.Sequential(
            nn.Linear(2 * (CLUES + c.heard), 16), nn.GELU(), nn.Linear(16, 2)
        )

    def hear(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, n at 50 Hz, channels) -> inner state (batch, frames, width), log probabilities
        (batch, frames, units) at 25 frames a second; an odd last feature is doubled."""
        if features.shape[1] % RATE_RATIO:
            features = torch.cat([features, features[:, -1:]], 1)
        pairs = self.calm(features).unflatten(1, (-1, RATE_RATIO)).flatten(2)
        inner = self.time(self.drop(self.gather(pairs)))
        return inner, self.head(self.drop(inner)).log_softmax(-1)

    def fuse(self, inner: Tensor, heard: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities of both together, and the powers (batch, frames, 2) of ears and eyes.

        inner, heard: as `hear` gives them; seen: the lip reader's, as long.
        """
        clues = torch.cat([_clues(heard, seen), torch.tanh(self.listen(inner))], -1)
        powers = F.softplus(self.gate(torch.cat([clues, _around(clues)], -1)) + 0.5)
        both = powers[..., :1] * heard + powers[..., 1:] * seen
        return both.log_softmax(-1), powers

    def forward(self, features: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(log probabilities of the sound alone, of both; of the sound again where nothing is
        seen)."""
        inner, heard = self.hear(features)
        if seen is None:
            return heard, heard
        return heard, self.fuse(inner, heard, seen)[0]


def _clues(heard: Tensor, seen: Tensor) -> Tensor:
    """Entropies, largest probabilities and overlap of two distributions, (batch, frames, 5)."""
    p, q = heard.exp(), seen.exp()
    return torch.stack(
        [-(p * heard).sum(-1), -(q * seen).sum(-1), p.amax(-1), q.amax(-1),
         (0.5 * (heard + seen)).exp().sum(-1)], -1,
    )  # fmt: skip


def _around(clues: Tensor) -> Tensor:
    """Means over `AROUND` frames, at the edges over those that are there."""
    flat = clues.transpose(1, 2)
    mean = F.avg_pool1d(flat, AROUND, 1, AROUND // 2, count_include_pad=False)
    return mean.transpose(1, 2)


def avsr_from(config: dict, tensors: dict[str, Tensor]) -> AVSR:
    """The trained model, for inference, from the JSON and the tensors of its weights.

    Raises WeightsError when the two do not fit each other.
    """
    return trained(lambda: AVSR(AVSRConfig.from_dict(config)), tensors, "recogniser")
