"""How late the mouth is against the voice, in parts of a frame, and how sure that is.

Three judges: the 2D expert on the mouth's pictures, the 3D expert on fitted weights, and where
there is neither the loudness against the lips' opening. An expert's distances at all shifts
(`l2t.sync.shift_distances`) are averaged over all clips of a video, because one recording has one
lag; a parabola through the lowest three gives parts of a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from l2t import sync
from l2t.loudness import normalise
from l2t.mel import log_mel
from l2t.models.syncnet3d import mouth_basis
from l2t.motion import FPS, Motion
from l2t.voice import levels
from training.data.mouths import FPS as FILM_FPS

APART = 4  # shifts nearer than this to the lowest belong to the same valley
SURE = 0.05  # the lowest valley lies deeper than any other by this share of the median distance
FLOOR_DB = -50.0  # below full scale: quieter sound is as good as none
STEADY = 0.005  # of the eyes' distance: a mouth that opens less than this does not move


@dataclass(frozen=True)
class Lag:
    """seconds: positive = the mouth is late; depth: how much deeper the valley is than the next
    one, as a share of the median; sure: deep enough to act upon; by: which judge said so."""

    seconds: float
    depth: float
    sure: bool
    by: str


def from_curves(curves: Sequence[np.ndarray], frames: Sequence[int], fps: float, by: str) -> Lag:
    """The lag of a video from one curve (2 reach + 1,) of mean distances a clip, NaN = unknown.

    frames: length of each clip, its weight. Column k stands for a mouth (reach - k) frames late.
    """
    curves = np.array(curves, np.float64)
    weight = np.array(frames, float)[:, None] * np.isfinite(curves)
    total = weight.sum(axis=0)
    curve = np.where(total > 0, np.nansum(curves * weight, axis=0) / np.maximum(total, 1), np.nan)
    if not np.isfinite(curve).any():
        return Lag(0.0, 0.0, False, by)
    best = int(np.nanargmin(curve))
    far = curve[np.abs(np.arange(len(curve)) - best) > APART]
    middle = float(np.nanmedian(curve))
    depth = float((np.nanmin(far) - curve[best]) / middle) if np.isfinite(far).any() else 0.0
    late = len(curve) // 2 - (best + bottom(curve, best))
    return Lag(late / fps, depth, depth >= SURE, by)


def bottom(curve: np.ndarray, at: int) -> float:
    """Where between its neighbours the lowest point of a curve lies, -0.5 .. 0.5 columns."""
    if not 0 < at < len(curve) - 1 or not np.isfinite(curve[at - 1 : at + 2]).all():
        return 0.0
    before, here, after = curve[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend > 1e-12 else 0.0


def by_weights(sounds: list, arkits: list, fps: float, template, expert) -> Lag:
    """By the 3D expert. sounds: (n,) at 16 kHz each; arkits: (frames, 52) each, at `fps`."""
    basis, curves = mouth_basis(template), []
    for samples, arkit in zip(sounds, arkits, strict=True):
        weights = Motion(arkit, fps).resampled(FPS).arkit
        moved = torch.einsum("fk,kpd->fpd", torch.from_numpy(weights), basis)
        heard, seen = sync.vectors(expert, normalise(samples), moved)
        curves.append(sync.shift_means(sync.shift_distances(seen, heard)))
    return from_curves(curves, [len(a) for a in arkits], FPS, "3D expert")


@torch.inference_mode()
def by_pictures(sounds: list, mouths: list, expert) -> Lag:
    """By the 2D expert. mouths: (frames, 96, 96) uint8 each, at 25 frames a second."""
    curves = []
    for samples, pictures in zip(sounds, mouths, strict=True):
        film = torch.from_numpy(pictures)[None].float() / 255
        mel = log_mel(torch.from_numpy(normalise(samples)), len(pictures), 4 * FILM_FPS)
        heard, seen = expert.hear(mel[None])[0], expert.see(film)[0]
        table = sync.shift_distances(seen.numpy(), heard.numpy())
        curves.append(sync.shift_means(table))
    return from_curves(curves, [len(m) for m in mouths], FILM_FPS, "2D expert")


def by_loudness(sounds: list, openings: list, fps: float) -> Lag:
    """By 1 - r of loudness and lip opening (frames,).

    Never sure: on three seconds it is often far off, and a wrong voice fits as well.
    """
    curves = []
    for samples, opening in zip(sounds, openings, strict=True):
        loud = loudness(samples, fps, len(opening))
        curves.append(1 - np.array(correlations(opening, loud, sync.REACH)))
    found = from_curves(curves, [len(o) for o in openings], fps, "loudness")
    return replace(found, sure=False)


def loudness(samples: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """Level of each frame in dB above `FLOOR_DB`, smoothed over about a frame, (frames,)."""
    level = np.maximum(levels(normalise(samples)) - FLOOR_DB, 0.0)
    level = np.convolve(np.pad(level, 2, mode="edge"), np.ones(5) / 5, "valid")
    own = (np.arange(len(level)) + 0.5) * 0.01
    return np.interp((np.arange(frames) + 0.5) / fps, own, level, right=0.0)


def correlations(opening: np.ndarray, loud: np.ndarray, reach: int) -> list[float]:
    """r of the two at each shift, (2 reach + 1,): column k has the mouth (reach - k) frames late.

    NaN where less than half overlaps or one of them stands still.
    """
    out, frames = [], len(opening)
    for late in range(reach, -reach - 1, -1):
        a, b = opening[max(late, 0) :], loud[max(-late, 0) :]
        n = min(len(a), len(b))
        if 2 * n < frames or n < 3 or a[:n].std() < STEADY or b[:n].std() < 1e-6:
            out.append(float("nan"))
        else:
            out.append(float(np.corrcoef(a[:n], b[:n])[0, 1]))
    return out
