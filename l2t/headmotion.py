"""A head that moves while it speaks: PoseVAE's windows joined, smoothed, calm where nobody speaks.

The lips are never touched: rotations go into `Motion.head`, glances into the eyes' own weights.
"""

import numpy as np
import torch

from l2t.models.encoder import FEATURE_RATE
from l2t.models.posevae import PoseVAE
from l2t.models.regressor import at_times
from l2t.motion import ARKIT_NAMES, FPS, Motion, frame_times

SMOOTH, DEGREE = 13, 3  # frames and order of the Savitzky-Golay filter
LIMIT = np.radians([12.0, 15.0, 8.0])  # pitch, yaw, roll that a head keeps to
CALM = 0.35  # share of the movement that stays in silence
FADE = 15  # frames from speech to silence

GAZE_EVERY_S, GAZE_SPREAD, GAZE_LEAST_S = 2.2, 0.6, 0.5  # time between two glances, log-normal
GAZE_SIZE = 0.12  # of the eyes' own weights: glances near the viewer's face
_LEFT = [ARKIT_NAMES.index(n) for n in ("eyeLookOutLeft", "eyeLookInRight")]
_RIGHT = [ARKIT_NAMES.index(n) for n in ("eyeLookInLeft", "eyeLookOutRight")]
_UP = [ARKIT_NAMES.index(n) for n in ("eyeLookUpLeft", "eyeLookUpRight")]
_DOWN = [ARKIT_NAMES.index(n) for n in ("eyeLookDownLeft", "eyeLookDownRight")]
_EYES = sorted([*_LEFT, *_RIGHT, *_UP, *_DOWN])


def head_motion(
    model: PoseVAE, features: torch.Tensor, voiced: np.ndarray, seed: int, strength: float = 1.0
) -> np.ndarray:
    """Rotations (frames, 3) float32 in radians: pitch, yaw, roll about a head that looks ahead.

    features: (n, channels) of the encoder at 50 Hz; voiced: (frames,) bool; strength: 1 = as far
    as the people it learned from, 0 = still. The same seed gives the same movement.
    """
    return movement_of(model, heard(model, features, len(voiced)), voiced, seed, strength)


@torch.inference_mode()
def heard(model: PoseVAE, features: torch.Tensor, frames: int) -> np.ndarray:
    """What the model keeps of features (n, channels) at 50 Hz, (frames, audio) float32."""
    times = torch.from_numpy(frame_times(frames)) * FEATURE_RATE
    return model.sound(at_times(features[None].float(), times.to(features)))[0].cpu().numpy()


@torch.inference_mode()
def movement_of(
    model: PoseVAE, sound: np.ndarray, voiced: np.ndarray, seed: int, strength: float
) -> np.ndarray:
    """`head_motion` of what was `heard`, (frames, audio)."""
    from scipy.signal import savgol_filter  # most of a second of import that only moving heads need

    frames, size = len(voiced), model.config.frames
    step = size // 2
    count = max(1, -(-(frames - step) // step))
    beyond = max(0, step * (count + 1) - frames)
    sound = np.pad(sound.astype(np.float32), ((0, beyond), (0, 0)), mode="edge")
    pieces = np.stack([sound[k * step : k * step + size] for k in range(count)])
    pieces = torch.from_numpy(pieces).to(model.feature_mean.device)
    draw = torch.Generator().manual_seed(seed)
    latent = torch.randn(count, model.config.latent, generator=draw).to(pieces)
    made = model.decode(latent, pieces).double().cpu().numpy()
    joined = overlapped(made, step)[:frames] * np.array(model.config.scale)
    if frames > SMOOTH:
        joined = savgol_filter(joined, SMOOTH, DEGREE, axis=0)
    moved = strength * joined * calm(voiced)[:, None]
    return (LIMIT * np.tanh(moved / LIMIT)).astype(np.float32)


def overlapped(windows: np.ndarray, step: int) -> np.ndarray:
    """(count, 2 step, n) faded into each other with weights that add up to 1, (.., n)."""
    count, size, width = windows.shape
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(step) + 0.5) / step)
    weight = np.concatenate([rise, rise[::-1]])[:, None]
    out = np.zeros(((count + 1) * step, width))
    for k, window in enumerate(windows):
        share = weight.copy()
        if k == 0:
            share[:step] = 1
        if k == count - 1:
            share[step:] = 1
        out[k * step : k * step + size] += share * window
    return out


def calm(voiced: np.ndarray) -> np.ndarray:
    """Factor a frame: 1 where somebody speaks, `CALM` in silence, (frames,)."""
    kernel = np.hanning(2 * FADE + 3)[1:-1]
    padded = np.pad(voiced.astype(float), FADE, mode="edge")
    return CALM + (1 - CALM) * np.convolve(padded, kernel / kernel.sum(), "valid")


def with_movement(motion: Motion, head: np.ndarray, seed: int) -> Motion:
    """The same motion with a head (frames, 3) that turns, and eyes that go with it."""
    arkit = motion.arkit.copy()
    looks = glances(len(motion), head, seed)[:, _EYES]
    arkit[:, _EYES] = np.clip(arkit[:, _EYES] + looks, 0, 1)
    return Motion(arkit, motion.fps, head)


def glances(frames: int, head: np.ndarray, seed: int) -> np.ndarray:
    """Weights of the eyes, (frames, 52): small glances, and eyes that stay with the viewer.

    head: (frames, 3) radians; the eyes turn against the head, as ours do when we look at someone.
    """
    rng = np.random.default_rng(seed)
    across, up = np.zeros(frames), np.zeros(frames)
    at = 0
    while at < frames:
        across[at:], up[at:] = rng.normal(0, GAZE_SIZE, 2) * (1.0, 0.6)
        wait = GAZE_EVERY_S * np.exp(GAZE_SPREAD * rng.standard_normal())
        at += int(max(GAZE_LEAST_S, wait) * FPS)
    across = across + head[:, 1] / np.radians(30)  # full weight turns an eye by about 30 degrees
    up = up + head[:, 0] / np.radians(25)
    out = np.zeros((frames, len(ARKIT_NAMES)), np.float32)
    for ids, curve in ((_RIGHT, across), (_LEFT, -across), (_UP, up), (_DOWN, -up)):
        out[:, ids] = np.clip(curve, 0, 0.6)[:, None]
    return out
