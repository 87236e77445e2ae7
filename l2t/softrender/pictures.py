"""Mouth pictures of a motion at the frame rate of the real ones."""

import numpy as np
import torch

from l2t.motion import FPS, frame_count, frame_times

CHUNK = 64  # frames drawn at a time: bounds the memory


def resampled(arkit: torch.Tensor, fps_out: float = 25.0, fps: float = FPS) -> torch.Tensor:
    """(..., frames, 52) at `fps` -> the same at `fps_out`, linear in time and differentiable.

    By time stamps (`l2t.motion.frame_times`); before the first and after the last frame the
    motion stands still.
    """
    frames = arkit.shape[-2]
    if not frames:
        return arkit
    place = frame_times(frame_count(frames / fps, fps_out), fps_out) * fps - 0.5
    place = torch.from_numpy(np.clip(place, 0, frames - 1)).to(arkit)
    low = place.floor().long().clamp(max=max(frames - 2, 0))
    high = (low + 1).clamp(max=frames - 1)
    share = (place - low)[:, None]
    return torch.lerp(arkit[..., low, :], arkit[..., high, :], share)


@torch.no_grad()
def mouth_pictures(renderer, arkit, fps_out: float = 25.0, fps: float = FPS) -> np.ndarray:
    """(frames, 52) weights at `fps` -> (frames at fps_out, size, size) uint8 grey.

    renderer: `MouthRenderer`; arkit: an array or a tensor.
    """
    rows = torch.as_tensor(arkit).to(renderer.neutral)
    drawn = [renderer(part) for part in resampled(rows, fps_out, fps).split(CHUNK)]
    pictures = torch.cat(drawn) if drawn else rows.new_zeros(0, renderer.size, renderer.size)
    return (pictures.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()
