"""How well do mouth and voice agree?  SyncNet's scores on a mesh, and a confidence for each frame.

Scores follow Chung and Zisserman's SyncNet (as published in syncnet_python, restated for meshes by
Learn2Talk, arXiv 2404.12888), with two differences that are stated wherever a number is shown:
pairs that would need sound or motion from beyond the clip are left out (the reference pads them
with zeros, which biases short clips), and silence has no confidence instead of a number.

    D[i, k] = || mouth_i - sound_{i + k - 15} ||     k = 0 .. 30, Euclidean, i = frame of motion
    m[k]    = mean over valid i of D[i, k]
    LSE-D   = min m        LSE-C = median m - min m        offset = 15 - argmin m

Sign of the offset: positive = the mouth lags the sound by that many frames.
"""

import numpy as np
import torch

from l2t.mel import log_mel
from l2t.models.syncnet3d import SyncNet3D, mouth_basis
from l2t.motion import FPS, Motion
from l2t.sync_report import SyncReport
from l2t.voice import SAMPLE_RATE, speech_mask

REACH = 15  # frames a mouth may be early or late
SMOOTH = 9  # frames of the median filter on the per-frame margin
AROUND = 8  # frames before and after that a frame's confidence leans on
STILL = 1e-4  # metres: a mouth whose points move less than this (RMS) does not move
_BLOCK, _CONTEXT = 1800, 12  # frames embedded at once, and what the towers see around them


def score(speech, template, motion: Motion, expert: SyncNet3D) -> SyncReport:
    """The report on a take; motion at another frame rate than the expert's 30 is resampled.

    speech: `l2t.speech.Speech`, template: `l2t.face.FaceTemplate`.  The face's identity does not
    matter: the expert sees displacements from neutral.
    """
    if motion.fps != FPS:
        motion = motion.resampled(FPS)
    voiced = speech_mask(speech.samples, FPS, len(motion))
    displacement = torch.einsum(
        "fk,kpd->fpd", torch.from_numpy(motion.arkit), mouth_basis(template)
    )
    sound, mouth = vectors(expert, speech.samples, displacement)
    moves = float(displacement.sub(displacement.mean(0)).square().sum(-1).mean().sqrt()) > STILL
    return report(shift_distances(mouth, sound), voiced, moves, expert.config.calibration)


def vectors(
    expert: SyncNet3D, samples: np.ndarray, displacement: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of sound and mouth, (frames, size) float32 each.

    samples: (n,) float32 at 16 kHz; displacement: (frames, points, 3) metres.  Long takes go
    through in blocks with context on either side: the same numbers, in constant memory.
    """
    frames, step = len(displacement), SAMPLE_RATE * 3 // int(FPS)  # 3 frames = 1600 samples
    device = next(expert.parameters()).device
    heard, seen = [], []
    with torch.inference_mode():
        for start in range(0, frames, _BLOCK):
            low, high = max(0, start - _CONTEXT), min(frames, start + _BLOCK + _CONTEXT)
            piece = np.ascontiguousarray(samples[low // 3 * step : -(-high // 3) * step])
            mel = log_mel(torch.from_numpy(piece).to(device), high - low)
            keep = slice(start - low, min(frames, start + _BLOCK) - low)
            heard.append(expert.hear(mel[None])[0, keep].float().cpu().numpy())
            moved = displacement[None, low:high].to(device)
            seen.append(expert.see(moved)[0, keep].float().cpu().numpy())
    return np.concatenate(heard), np.concatenate(seen)


def shift_distances(mouth: np.ndarray, sound: np.ndarray, reach: int = REACH) -> np.ndarray:
    """D[i, k] = || mouth_i - sound_{i + k - reach} ||, (frames, 2 reach + 1) float32.

    NaN where the pair does not exist, and for shifts that leave less than half of the clip.
    """
    frames = len(mouth)
    table = np.full((frames, 2 * reach + 1), np.nan, np.float32)
    for k in range(2 * reach + 1):
        low, high = max(0, reach - k), min(frames, frames + reach - k)
        if 2 * (high - low) >= frames:
            pair = mouth[low:high] - sound[low + k - reach : high + k - reach]
            table[low:high, k] = np.linalg.norm(pair, axis=1)
    return table


def report(
    table: np.ndarray, voiced: np.ndarray, moves: bool = True, calibration: tuple = ()
) -> SyncReport:
    """The report on a table of distances; `moves` False = a still mouth: confidence 0."""
    frames, reach = len(table), table.shape[1] // 2
    undefined = np.full(frames, np.nan, np.float32)
    if not voiced.any():
        return SyncReport(FPS, None, None, None, None, undefined, undefined, voiced)
    means = shift_means(table)
    best = int(np.nanargmin(means))
    margin = raw_margin(table, best)
    sure = calibrated(played_margin(table), calibration) if moves else np.zeros(frames, np.float32)
    offset = reach - best if moves else None
    return SyncReport(
        fps=FPS,
        offset_frames=offset,
        offset_ms=None if offset is None else offset * 1000.0 / FPS,
        lse_d=float(means[best]),
        lse_c=float(np.nanmedian(means) - means[best]),
        confidence=np.where(voiced, sure, undefined),
        margin=np.where(voiced, margin, undefined),
        voiced=voiced,
    )


def shift_means(table: np.ndarray) -> np.ndarray:
    """m[k]: mean distance at each shift over the pairs that exist, NaN where there are none."""
    there = np.isfinite(table)
    count = there.sum(axis=0)
    total = np.where(there, table, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def frame_medians(table: np.ndarray) -> np.ndarray:
    """Median over the shifts that exist, per frame, (frames,): a fast nanmedian."""
    ordered = np.sort(table, axis=1)  # NaN come last
    count, rows = np.isfinite(table).sum(axis=1), np.arange(len(table))
    return (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2


def raw_margin(table: np.ndarray, column: int) -> np.ndarray:
    """Median over shifts minus the distance at one shift, per frame, median-filtered, (frames,).

    Where the frame's partner at that shift lies outside the clip, the nearest frame's value holds.
    """
    margin = frame_medians(table) - table[:, column]
    known = np.flatnonzero(np.isfinite(margin))
    margin = np.interp(np.arange(len(margin)), known, margin[known])
    half = SMOOTH // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(margin, half, mode="edge"), SMOOTH)
    return np.median(windows, axis=1).astype(np.float32)


def played_margin(table: np.ndarray) -> np.ndarray:
    """What the calibration reads, (frames,): how much better the mouth fits as played than moved.

    (median over shifts - distance at shift 0) / median over shifts, mean over +-AROUND frames.  At
    shift 0, not at the best one, so that a late mouth loses confidence; a ratio, so that it has no
    unit; over half a second, because single phones also fit by chance.
    """
    margin = raw_margin(table, table.shape[1] // 2)
    margin = margin / np.maximum(frame_medians(table), 1e-6)
    sums = np.concatenate([[0.0], np.cumsum(margin, dtype=np.float64)])
    at = np.arange(len(margin))
    low, high = np.maximum(at - AROUND, 0), np.minimum(at + AROUND + 1, len(margin))
    return ((sums[high] - sums[low]) / (high - low)).astype(np.float32)


def calibrated(margin: np.ndarray, calibration: tuple[float, ...]) -> np.ndarray:
    """Confidence 0..1, (frames,): 1 / (1 + exp(-(bias + slope * margin))).

    Without a fitted calibration (debug weights) a fixed gentle slope stands in.
    """
    bias, slope = calibration or (-2.0, 30.0)
    logits = np.clip(bias + slope * np.asarray(margin, np.float64), -30.0, 30.0)
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
