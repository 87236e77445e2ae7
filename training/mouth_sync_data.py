"""Pairs of sound and filmed mouth for SyncNet2D, cut, bent and spoilt anew each batch.

One man's face is all there is to learn from, so what a face looks like is bent as far as it goes:
mirrored, turned, stretched, moved, other light; the sound goes through the same mill as
SyncNet3D's. Sound and film are sped up and down together.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from training.data.corpora import grid_split
from training.data.mouths import load_mouths
from training.models.syncnet2d import FPS, MEL_RATE, SIDE
from training.sync_data import LEVEL, RATE, Spoiling, spoil_sound
from training.sync_sources import halved, sound_of


@dataclass(frozen=True)
class Film:
    """One clip: samples (n,) int16 at 16 kHz, mouths (frames, side, side) uint8 at 25 fps."""

    name: str
    samples: np.ndarray
    mouths: np.ndarray


@dataclass(frozen=True)
class Bending:
    """How far pictures are bent: ranges drawn from uniformly, per clip.

    scale: factor on the size, each axis a bit more (`stretch`, +- relative). turn: +- radians.
    move: +- share of the half side. light: +- exponent on e of the grey curve. noise: largest
    standard deviation of grain, 0..1 grey.
    """

    scale: tuple[float, float] = (0.8, 1.25)
    stretch: float = 0.12
    turn: float = 0.15
    move: float = 0.12
    light: float = 0.35
    noise: float = 0.03


def pooled(mouths: np.ndarray) -> np.ndarray:
    """Crops (frames, 96, 96) uint8 -> (frames, 48, 48) uint8, four pixels to one."""
    frames, side = len(mouths), mouths.shape[1]
    step = side // SIDE
    blocks = mouths.reshape(frames, SIDE, step, SIDE, step).astype(np.uint16)
    return ((blocks.sum((2, 4)) + step * step // 2) // (step * step)).astype(np.uint8)


def grid_films(
    data: Path, cache: Path, part: str, split: str, half: int | None = None, small: bool = True
) -> list[Film]:
    """Clips of grid_s1 (by split, every second one by `half`) or all of grid_s26.

    small: pictures pooled to 48 px, what the expert sees.
    """
    names, mouths = load_mouths(cache, part)
    chosen = [i for i in range(len(names)) if part == "grid_s26" or grid_split(i) == split]
    return [
        Film(names[i], sound_of(data / part / f"{names[i]}.opus"),
             pooled(mouths[i]) if small else np.asarray(mouths[i]))
        for i in halved(chosen, half)
    ]  # fmt: skip


def cut(film: Film, start: float, frames: int, speed: float) -> tuple[np.ndarray, np.ndarray]:
    """Sound and film from frame `start`, `speed` times as fast.

    -> samples (frames / 25 * 16000,) float32, mouths (frames, side, side) float32 in 0..1; between
    two pictures both are mixed, beyond the ends there is silence and a held picture.
    """
    at = (start / FPS) * RATE + (np.arange(round(frames / FPS * RATE)) + 0.5) * speed - 0.5
    sound = np.interp(at, np.arange(len(film.samples)), film.samples / 32768.0, left=0, right=0)
    steps = np.clip(start + (np.arange(frames) + 0.5) * speed - 0.5, 0, len(film.mouths) - 1)
    low = steps.astype(int)
    high, share = np.minimum(low + 1, len(film.mouths) - 1), (steps - low)[:, None, None]
    mixed = (1 - share) * film.mouths[low] + share * film.mouths[high]
    return sound.astype(np.float32), (mixed / 255.0).astype(np.float32)


def bend(mouths: torch.Tensor, how: Bending, rng: np.random.Generator) -> torch.Tensor:
    """Another face and camera doing the same, (batch, frames, side, side) in and out."""
    count = len(mouths)

    def draw(low: float, high: float) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, count).astype(np.float32))

    size = draw(*how.scale)
    wide, high = size * (1 + draw(-how.stretch, how.stretch)), size
    wide = torch.where(draw(0, 1) < 0.5, -wide, wide)  # mirrored
    turn = draw(-how.turn, how.turn)
    cos, sin = torch.cos(turn), torch.sin(turn)
    move = draw(-how.move, how.move), draw(-how.move, how.move)
    affine = torch.stack([
        torch.stack([cos * wide, -sin * high, move[0]], -1),
        torch.stack([sin * wide, cos * high, move[1]], -1),
    ], 1)  # fmt: skip
    grid = F.affine_grid(affine, [count, 1, *mouths.shape[2:]], align_corners=False)
    out = F.grid_sample(mouths, grid, padding_mode="border", align_corners=False)
    curve = torch.exp(draw(-how.light, how.light))[:, None, None, None]
    grain = draw(0, how.noise)[:, None, None, None]
    noise = torch.from_numpy(rng.standard_normal(out.shape, dtype=np.float32))
    return out.clamp(1e-4, 1) ** curve + grain * noise


def draw_batch(
    films: list[Film],
    rng: np.random.Generator,
    batch: int,
    frames: int,
    spoiling: Spoiling,
    bending: Bending | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """-> log-mel (batch, frames * 4, 80), mouths (batch, frames, side, side), voiced (.., frames).

    bending None: the pictures as they are.
    """
    cuts = []
    for pick in rng.choice(len(films), batch, replace=False):
        film = films[pick]
        speed = rng.uniform(*spoiling.speed) if rng.random() < 0.6 else 1.0
        spare = len(film.mouths) - frames * speed
        cuts.append(cut(film, rng.uniform(min(0.0, spare), max(0.0, spare)), frames, speed))
    sound = torch.from_numpy(np.stack([c[0] for c in cuts]))
    level = sound.square().mean(1, keepdim=True).sqrt()
    sound = sound * (LEVEL / (1.5 * level).clamp_min(1e-4))
    # Torch draws part of the noise: from the loop's generator, so that a resumed run is the same.
    torch.manual_seed(int(rng.integers(math.pow(2, 31))))
    mel, voiced = spoil_sound(sound, frames, spoiling, rng, MEL_RATE)
    mouths = torch.from_numpy(np.stack([c[1] for c in cuts]))
    return mel, mouths if bending is None else bend(mouths, bending, rng), voiced
