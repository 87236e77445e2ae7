"""How well a mouth on film follows a sound, by SyncNet2D; and how late a film is.

Scores are those of `l2t.sync` at 25 fps: D[i, k] = || mouth_i - sound_(i + k - 15) ||, over voiced
frames only. A lag is positive when the mouth comes after the sound.
"""

from dataclasses import dataclass

import numpy as np
import torch

from l2t.loudness import normalise
from l2t.mel import log_mel
from l2t.sync import REACH, shift_distances, shift_means
from l2t.voice import SAMPLE_RATE, speech_mask
from training.models.syncnet2d import FPS, MEL_RATE, SyncNet2D

BLOCK = 1500  # frames judged with one mean picture: a minute
STILL = 0.015  # share of the contrast: a film that changes less does not move
GRAIN = 4  # pixels a side that are averaged first, so that grain is no motion


@dataclass(frozen=True)
class MouthSync:
    """lag: frames at 25 fps, positive = the mouth is late; None without voice or motion.

    lse_d, lse_c: SyncNet's distance and confidence in this expert's units, NaN without a voice.
    confidence: 0..1, how much nearer the best shift is than the median shift, as a share of the
    latter; 0 without voice or motion.
    """

    lag: int | None
    lse_d: float
    lse_c: float
    confidence: float


def vectors(expert: SyncNet2D, samples: np.ndarray, mouths: np.ndarray):
    """Vectors of sound and mouth, (frames, size) float32 each.

    samples: (n,) float32 at 16 kHz; mouths: (frames, side, side) uint8 at 25 fps.
    """
    samples, heard, seen = normalise(samples), [], []
    device = next(expert.parameters()).device
    with torch.inference_mode():
        for start in range(0, len(mouths), BLOCK):
            film = torch.from_numpy(np.ascontiguousarray(mouths[start : start + BLOCK]))
            first = round(start / FPS * SAMPLE_RATE)
            sound = samples[first : first + round(len(film) / FPS * SAMPLE_RATE)]
            mel = log_mel(torch.from_numpy(sound).to(device), len(film), MEL_RATE)
            heard.append(expert.hear(mel[None])[0].float().cpu().numpy())
            seen.append(expert.see(film.to(device)[None] / 255.0)[0].float().cpu().numpy())
    return np.concatenate(heard), np.concatenate(seen)


def moves(mouths: np.ndarray) -> bool:
    """Whether a film (frames, side, side) changes by more than STILL of its contrast."""
    side = mouths.shape[1] // GRAIN
    small = mouths[:, : side * GRAIN, : side * GRAIN].astype(np.float32)
    small = small.reshape(-1, side, GRAIN, side, GRAIN).mean((2, 4))
    return float(small.std(0).mean()) > STILL * max(float(small.mean(0).std()), 1e-6)


def judge(mouth: np.ndarray, sound: np.ndarray, voiced: np.ndarray, moving: bool) -> MouthSync:
    """Scores of vectors (frames, size) of a mouth and a sound; voiced: (frames,) of the sound."""
    frames = min(len(mouth), len(sound), len(voiced))
    table = shift_distances(mouth[:frames], sound[:frames])
    table[~voiced[:frames]] = np.nan
    means = shift_means(table)
    if not np.isfinite(means).any():
        return MouthSync(None, float("nan"), float("nan"), 0.0)
    best, middle = int(np.nanargmin(means)), float(np.nanmedian(means))
    sure = middle - float(means[best])
    return MouthSync(
        lag=REACH - best if moving else None, lse_d=float(means[best]), lse_c=sure,
        confidence=sure / max(middle, 1e-6) if moving else 0.0,
    )  # fmt: skip


def mouth_sync(expert: SyncNet2D, mouths: np.ndarray, samples: np.ndarray) -> MouthSync:
    """Scores of a film (frames, side, side) uint8 at 25 fps against samples (n,) at 16 kHz."""
    if not len(mouths):
        return MouthSync(None, float("nan"), float("nan"), 0.0)
    sound, mouth = vectors(expert, samples, mouths)
    voiced = speech_mask(normalise(samples), FPS, len(mouths))
    return judge(mouth, sound, voiced, moves(mouths))


def estimate_lag(
    expert: SyncNet2D, mouths: np.ndarray, samples: np.ndarray
) -> tuple[int | None, float]:
    """Frames at 25 fps by which the mouth is late (negative: early), and the confidence, 0..1.

    None and 0 when nobody speaks or the mouth does not move.
    """
    found = mouth_sync(expert, mouths, samples)
    return found.lag, found.confidence
