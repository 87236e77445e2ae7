"""Speech to mouth motion, in windows: linear cost, bounded memory, no limit of length.

Windows of 12 s overlap by 2 s. Near its ends a window knows too little, so half a second is thrown
away there, and in the middle second of the overlap one window fades into the next:

    window k    ...-----------|-drop-|
    window k+1      |-drop-|-----------...
                           \\fade/              the two weights always add up to 1
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from l2t.errors import Cancelled
from l2t.models.loading import Models
from l2t.motion import ARKIT_NAMES, FPS, frame_count
from l2t.voice import SAMPLE_RATE, speech_mask

WINDOW, OVERLAP, DROP = 360, 60, 15  # frames at 30 fps
EDGE = 3  # frames of silence put before and after the speech: 0.1 s, 5 features
SAMPLES_PER_TENTH = SAMPLE_RATE // 10  # 3 frames = 5 features = 1600 samples
BEFORE, AFTER, RAMP = 6, 9, 4  # frames that a mouth may move before and after the voice, and fade
# Before the first words, and after a rest, people open their mouths earlier, to breathe in.
BREATH, REST = 18, 30  # frames before the voice; frames of silence that count as a rest

Listener = Callable[[torch.Tensor, int], np.ndarray]


def mouth_weights(
    models: Models,
    samples: np.ndarray,
    style: int,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    gated: bool = True,
) -> np.ndarray:
    """ARKit weights of the mouth, (frames, 52) float32 at 30 fps.

    samples: (n,) float32 at 16 kHz, loudness normalised. gated: rest in silence (`voice_gate`);
    False shows what the student alone does. Raises Cancelled between windows.
    """
    return mouth_and_sound(models, samples, style, progress, cancelled, gated)[0]


def mouth_and_sound(
    models: Models,
    samples: np.ndarray,
    style: int,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    gated: bool = True,
    listen: Listener | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """`mouth_weights`, and what `listen` makes of the same features, (frames, n) float32.

    listen: (features (m, channels), frames) -> (frames, n); None without it or without a voice.
    """
    frames = frame_count(len(samples) / SAMPLE_RATE)
    total = frames + 2 * EDGE
    out, sound = np.zeros((total, len(ARKIT_NAMES)), np.float32), None
    voiced = speech_mask(samples, FPS, frames)
    if not voiced.any():
        return out[:frames], None
    for first, last in windows(total):
        if cancelled and cancelled():
            raise Cancelled("The job was cancelled.")
        piece = _between(samples, first - EDGE, last - EDGE)
        made, heard = _one_window(models, piece, last - first, style, listen)
        weight = fade(first, last, total)[:, None]
        out[first:last] += weight * made
        if heard is not None:
            sound = np.zeros((total, heard.shape[1]), np.float32) if sound is None else sound
            sound[first:last] += weight * heard
        if progress:
            progress(last / total)
    out = out[EDGE : EDGE + frames]
    sound = None if sound is None else sound[EDGE : EDGE + frames]
    return (out * voice_gate(voiced)[:, None] if gated else out), sound


def windows(total: int) -> Iterator[tuple[int, int]]:
    """First and last + 1 frame of each window; starts are multiples of 3 frames (0.1 s)."""
    first = 0
    while True:
        last = min(first + WINDOW, total)
        yield first, last
        if last == total:
            return
        first += WINDOW - OVERLAP


def fade(first: int, last: int, total: int) -> np.ndarray:
    """Weight of each frame of a window, (last - first,): over all windows they add up to 1."""
    rise = (np.arange(last - first) - DROP + 0.5) / (OVERLAP - 2 * DROP)
    weight = np.ones(last - first)
    if first > 0:
        weight = np.clip(rise, 0, 1)
    if last < total:
        weight = weight * np.clip(rise[::-1], 0, 1)
    return weight.astype(np.float32)


def voice_gate(voiced: np.ndarray) -> np.ndarray:
    """Factor 0..1 a frame: 1 around the voice, faded to 0 in silence, (frames,) float32.

    The mouth rests when nobody speaks, whatever the microphone hums.
    """
    moving = np.zeros(len(voiced) + 2 * RAMP)
    edges = np.flatnonzero(np.diff(np.pad(voiced.astype(np.int8), 1)))
    last = -REST
    for start, end in edges.reshape(-1, 2):
        before = BREATH if start - last >= REST or last < 0 else BEFORE
        moving[max(0, start - before) + RAMP : end + AFTER + RAMP] = 1
        last = end
    moving[:RAMP], moving[-RAMP:] = moving[RAMP], moving[-RAMP - 1]
    kernel = np.hanning(2 * RAMP + 3)[1:-1]
    return np.convolve(moving, kernel / kernel.sum(), "valid").astype(np.float32)


def _between(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    """Sound of the frames first..last, silence outside of the recording."""
    start, end = first * SAMPLES_PER_TENTH // 3, -(-last * SAMPLES_PER_TENTH // 3)
    piece = np.zeros(end - start, np.float32)
    low, high = max(start, 0), min(end, len(samples))
    if high > low:
        piece[low - start : high - start] = samples[low:high]
    return piece


@torch.inference_mode()
def _one_window(
    models: Models, piece: np.ndarray, frames: int, style: int, listen: Listener | None
) -> tuple[np.ndarray, np.ndarray | None]:
    device = next(models.student.parameters()).device
    features = models.encoder(torch.from_numpy(piece)[None].to(device))
    styles = torch.tensor([style], device=device)
    made = models.student(features, frames, styles)[0].float().cpu().numpy()
    return made, listen(features[0], frames) if listen else None
