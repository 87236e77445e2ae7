"""Contrastive losses on the Euclidean distance of un-normalised sound and mouth vectors.

`pair_loss` is Hadsell's margin form (CVPR 2006) as SyncNet uses it; `frame_loss` puts every pair
of a batch to use (InfoNCE, arXiv 1807.03748, on minus the distance); `clip_loss` and
`rank_loss` work on what the metrics work on, mean distances of whole clips at every shift.
"""

import torch
from torch.nn import functional as F

NEAR = 2  # frames: so close in time that a pair is neither right nor wrong


def distances(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Euclidean distances of all pairs, (..., n, size) x (..., m, size) -> (..., n, m)."""
    square = a.square().sum(-1)[..., :, None] + b.square().sum(-1)[..., None, :]
    return (square - 2.0 * a @ b.transpose(-1, -2)).clamp_min(1e-8).sqrt()


def pair_loss(distance: torch.Tensor, match: torch.Tensor, margin: float = 5.0) -> torch.Tensor:
    """E = 1/(2N) sum y d^2 + (1 - y) max(margin - d, 0)^2; distance (N,), match y in {0, 1}."""
    y = match.to(distance)
    return 0.5 * (y * distance.square() + (1 - y) * F.relu(margin - distance).square()).mean()


def all_pairs(sound: torch.Tensor, mouth: torch.Tensor) -> torch.Tensor:
    """Distances of every frame's sound to every frame's mouth in a batch.

    (clips, frames, size) twice -> (clips, frames, clips, frames): [i, s, j, t] is sound s of
    clip i against mouth t of clip j.
    """
    clips, frames, size = sound.shape
    table = distances(sound.reshape(-1, size), mouth.reshape(-1, size))
    return table.reshape(clips, frames, clips, frames)


def frame_loss(table: torch.Tensor, voiced: torch.Tensor) -> torch.Tensor:
    """Each voiced frame must find its partner among all frames of the batch, both ways.

    table: of `all_pairs`; voiced: (clips, frames) bool.  Negatives are the same clip at other
    times (more than NEAR frames away) and all other clips.
    """
    clips, frames = table.shape[:2]
    at = torch.arange(clips * frames, device=table.device)
    gap = (at[:, None] - at[None, :]).abs()
    same = (at[:, None] // frames) == (at[None, :] // frames)
    logits = -table.reshape(clips * frames, clips * frames)
    logits = logits.masked_fill(same & (gap > 0) & (gap <= NEAR), float("-inf"))
    keep = voiced.reshape(-1)
    if not keep.any():
        return table.new_zeros(())
    there = F.cross_entropy(logits[keep], at[keep])
    back = F.cross_entropy(logits.T[keep], at[keep])
    return 0.5 * (there + back)


def shift_means(table: torch.Tensor, reach: int) -> torch.Tensor:
    """Mean distance of every clip's sound to every clip's mouth at every shift.

    table: of `all_pairs` -> (clips, clips, 2 reach + 1): [i, j, k] compares the sound of clip i at
    frame t + k - reach with the mouth of clip j at frame t, over valid t only.
    """
    shifts = range(-reach, reach + 1)
    return torch.stack([table.diagonal(-s, 1, 3).mean(-1) for s in shifts], dim=-1)


def clip_loss(means: torch.Tensor, scale: float = 8.0) -> torch.Tensor:
    """The clip's own mouth at shift 0 must beat all shifts of all clips' mouths, and vice versa.

    means: of `shift_means`.  scale turns mean distances into logits: a mean over many frames
    varies little.  One frame off is neither right nor wrong.
    """
    clips, reach = len(means), means.shape[-1] // 2
    own = torch.eye(clips, dtype=torch.bool, device=means.device)
    near = torch.zeros(2 * reach + 1, dtype=torch.bool, device=means.device)
    near[[reach - 1, reach + 1]] = True
    logits = (-scale * means).masked_fill(own[..., None] & near, float("-inf"))
    target = torch.arange(clips, device=means.device) * (2 * reach + 1) + reach
    there = F.cross_entropy(logits.flatten(1), target)
    back = F.cross_entropy(logits.transpose(0, 1).flatten(1), target)
    return 0.5 * (there + back)


def rank_loss(means: torch.Tensor, scale: float = 4.0) -> torch.Tensor:
    """LSE-C of each matching pair must exceed LSE-C of every wrong pair: a smooth 1 - AUC.

    means: of `shift_means`; mean of log(1 + exp(scale (C_wrong - C_own))), C = median - minimum.
    """
    sure = means.median(-1).values - means.amin(-1)
    wrong = sure[~torch.eye(len(sure), dtype=torch.bool, device=sure.device)]
    return F.softplus(scale * (wrong[None, :] - sure.diagonal()[:, None])).mean()
