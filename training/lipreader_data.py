"""What the lip reader learns from: windows of mouths, and which phone each of their frames shows.

Windows are cut anywhere in a clip, played a little slower or faster, and seen through another
camera: turned, scaled, shifted, mirrored, lit from elsewhere, blurred, with a stretch blanked out.
Photos and renders of the same clip are cut alike but seen through different cameras, so what they
share is what the lips do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from l2t.models.lipreader import FPS, HALF, SEEN, SIDE, UNITS
from training.data.align import load_alignments

UNKNOWN = -1  # unit of a frame beyond the clip: no loss there


@dataclass(frozen=True)
class Sentence:
    """One clip's phones: `row` in the packs, units (n,) as indices of UNITS, times in seconds."""

    name: str
    row: int
    units: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True)
class Spoiling:
    """How far a window may be from the clip; uniform within these limits.

    turn: radians; scale, shift: shares of the picture; shade: change of light across it; gamma:
    in octaves; noise: deviation; speed: shares; blank: frames; blur: odds.
    """

    turn: float = 0.1
    scale: float = 0.12
    shift: float = 0.08
    shade: float = 0.3
    gamma: float = 0.6
    noise: float = 0.015
    speed: float = 0.15
    blank: int = 5
    blur: float = 0.3


@dataclass(frozen=True)
class Batch:
    """mouths: (domains * batch, frames, 44, 44) in 0..1, all clips of one domain after another.

    units: (batch, frames) the unit shown, UNKNOWN beyond the clip; targets, lengths: the sequence
    of units that begin and end about there, (batch, longest) and (batch,), for CTC.
    """

    mouths: Tensor
    units: Tensor
    targets: Tensor
    lengths: Tensor


def load_sentences(align: Path, names: Sequence[str], split: str) -> list[Sentence]:
    """The aligned clips of a split, as rows of a pack in the order of `names`.

    align: PART.npz of `training.data.align`; clips that it dropped are left out.
    """
    rows = {name: row for row, name in enumerate(names)}
    return [
        Sentence(a.id, rows[a.id], np.array([UNITS.index(p) for p in a.phones]), a.starts, a.ends)
        for a in load_alignments(align)
        if a.split == split and a.id in rows
    ]


def units_at(sentence: Sentence, times: np.ndarray) -> np.ndarray:
    """Unit said at each time, (times,); UNKNOWN before the first and after the last."""
    index = np.searchsorted(sentence.starts, times, side="right") - 1
    inside = (index >= 0) & (times < sentence.ends[-1])
    return np.where(inside, sentence.units[np.maximum(index, 0)], UNKNOWN)


def units_between(sentence: Sentence, first: float, last: float) -> np.ndarray:
    """Units whose middle lies between two times, in their order."""
    middle = (sentence.starts + sentence.ends) / 2
    return sentence.units[(middle >= first) & (middle < last)]


class Batches:
    """Draws windows of `frames` frames from clips that every one of `packs` holds in the same row.

    packs: one (clips, frames, 96, 96) uint8 array a domain.
    """

    def __init__(
        self,
        sentences: list[Sentence],
        packs: Sequence[np.ndarray],
        batch: int = 16,
        frames: int = 40,
        spoiling: Spoiling | None = None,
    ):
        self.sentences, self.packs, self.batch, self.frames = sentences, packs, batch, frames
        self.spoiling = spoiling or Spoiling()

    def draw(self, rng: np.random.Generator) -> Batch:
        """The next batch; all chance comes from `rng`."""
        drawn = [self._window(rng) for _ in range(self.batch)]
        picked, units, targets = zip(*drawn, strict=True)
        rows = [one.row for one, _ in picked]
        cuts = [frames for _, frames in picked]
        seen = []
        for pack in self.packs:
            raw = np.stack([pack[row][cut] for row, cut in zip(rows, cuts, strict=True)])
            seen.append(spoil(torch.from_numpy(raw).float() / 255, self.spoiling, rng))
        lengths = torch.tensor([len(t) for t in targets])
        padded = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(t) for t in targets], batch_first=True
        )
        return Batch(torch.cat(seen), torch.from_numpy(np.stack(units)), padded, lengths)

    def _window(self, rng: np.random.Generator):
        """((sentence, frames of the clip (frames,)), units (frames,), units for CTC)."""
        one = self.sentences[rng.integers(len(self.sentences))]
        total = self.packs[0].shape[1]
        speed = 1 + rng.uniform(-1, 1) * self.spoiling.speed
        # Most windows hold speech: silence at both ends is more than half of a clip.
        spoken = np.flatnonzero(one.units != UNITS.index("SIL"))
        low = one.starts[spoken[0]] * FPS - 0.3 * self.frames
        high = one.ends[spoken[-1]] * FPS - 0.7 * self.frames * speed
        start = rng.uniform(min(low, high), max(low, high))
        at = start + np.arange(self.frames) * speed
        units = units_at(one, (at + 0.5) / FPS)
        units[(at < -0.5) | (at >= total)] = UNKNOWN
        cut = np.clip(np.round(at).astype(int), 0, total - 1)
        inside = at[0] / FPS, (at[-1] + 1) / FPS
        return (one, cut), units, units_between(one, *inside)


def spoil(mouths: Tensor, how: Spoiling, rng: np.random.Generator) -> Tensor:
    """Mouths (batch, frames, 96, 96) as another camera sees them, (batch, frames, 44, 44)."""
    batch = len(mouths)

    def some(limit: float, *shape: int) -> Tensor:
        return torch.from_numpy(rng.uniform(-limit, limit, (batch, *shape))).float()

    angle, size = some(how.turn), (1 + some(how.scale)) * SEEN / SIDE
    mirror = torch.from_numpy(rng.choice([-1.0, 1.0], batch)).float()
    cos, sin, shift = angle.cos() * size, angle.sin() * size, some(2 * how.shift, 2)
    rows = [cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]]
    theta = torch.stack(rows, 1).view(batch, 2, 3)
    grid = F.affine_grid(theta, [batch, 1, SEEN, SEEN], align_corners=False)
    seen = F.grid_sample(mouths, grid, padding_mode="border", align_corners=False)
    seen = F.avg_pool2d(seen, 2)
    across = torch.linspace(-1, 1, HALF)
    light = some(how.shade, 1, 1, 1) * across + some(how.shade, 1, 1, 1) * across[:, None]
    seen = (seen * (1 + light)).clamp(1e-3, 1) ** (2.0 ** some(how.gamma, 1, 1, 1))
    blurred = torch.from_numpy(np.flatnonzero(rng.random(batch) < how.blur))
    if len(blurred):
        seen[blurred] = F.avg_pool2d(seen[blurred], 3, 1, 1, count_include_pad=False)
    noise = torch.from_numpy(rng.standard_normal(seen.shape, np.float32))
    seen = seen + noise * some(how.noise, 1, 1, 1).abs()
    for clip in seen:  # a blink of the camera: the mean picture for a few frames
        length = int(rng.integers(how.blank + 1))
        first = int(rng.integers(len(clip) - length + 1))
        clip[first : first + length] = clip.mean(0)
    return seen
