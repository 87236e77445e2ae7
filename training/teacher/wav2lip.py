"""A user's own Wav2Lip checkpoint as a teacher: one photo of a face speaks.

    teacher = Wav2LipTeacher(load_wav2lip(Path("wav2lip_gan.pth")), face, landmarks)

The log-mel is the published one (16 kHz, 50 ms windows every 12.5 ms, pre-emphasis 0.97, 80 bands
from 55 to 7600 Hz, -100 dB .. 0 dB re 20 dB brought to -4 .. 4). A picture hears the 0.2 s that it
was trained to hear: from one frame before its own start on.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from l2t.mel import filterbank
from training.teacher.protocol import FPS, SIDE, TeacherError, frames_of, to_bytes
from training.teacher.wav2lip_net import STEPS, Wav2Lip

N_FFT, HOP, MEL_RATE = 800, 200, 80.0  # samples; spectra a second
PREEMPHASIS, REFERENCE_DB, MIN_DB, LARGEST = 0.97, 20.0, -100.0, 4.0
ACROSS = 1.6  # side of a mouth crop in distances between the eyes
BATCH = 64
ACCEPTED = "accepted is a checkpoint of the published 96-pixel generator (wav2lip.pth)"


@dataclass(frozen=True)
class FacePoints:
    """Pixels (x, y) in the photo: the pupils, the one further left first, and the lips' middle."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    lips: tuple[float, float]


def load_wav2lip(path: Path) -> Wav2Lip:
    """The generator of a published checkpoint, frozen. Raises TeacherError."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TeacherError(f"There is no checkpoint {path.name}; {ACCEPTED}.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError):
        raise TeacherError(f"{path.name} holds no plain PyTorch tensors; {ACCEPTED}.") from None
    tensors = stored.get("state_dict", stored) if isinstance(stored, dict) else None
    if not isinstance(tensors, dict) or not tensors:
        raise TeacherError(f"{path.name} holds no parameters by name; {ACCEPTED}.")
    model = Wav2Lip()
    try:
        model.load_state_dict({str(k).removeprefix("module."): v for k, v in tensors.items()})
    except (RuntimeError, TypeError, AttributeError):
        raise TeacherError(
            f"{path.name} holds {len(tensors)} parameters that are not Wav2Lip's; {ACCEPTED}."
        ) from None
    return model.float().eval().requires_grad_(False)


def wav2lip_mel(samples: np.ndarray) -> torch.Tensor:
    """Log-mel of samples (n,) float32 at 16 kHz, (80, n // 200 + 1), in -4 .. 4."""
    sound = torch.from_numpy(np.asarray(samples, np.float32))
    sound = F.pad(sound, (0, max(0, N_FFT - len(sound))))  # reflection needs half a window
    sound = torch.cat([sound[:1], sound[1:] - PREEMPHASIS * sound[:-1]])
    window = torch.hann_window(N_FFT)
    spectrum = torch.stft(sound, N_FFT, HOP, window=window, pad_mode="reflect", return_complex=True)
    mel = filterbank(n_fft=N_FFT) @ spectrum.abs()
    decibel = 20 * torch.log10(mel.clamp_min(10 ** (MIN_DB / 20))) - REFERENCE_DB
    return (2 * LARGEST * (decibel - MIN_DB) / -MIN_DB - LARGEST).clamp(-LARGEST, LARGEST)


def mel_windows(samples: np.ndarray, frames: int) -> torch.Tensor:
    """What each picture hears, (frames, 1, 80, 16); beyond the ends the nearest whole window."""
    mel = wav2lip_mel(samples)
    mel = F.pad(mel, (0, max(0, STEPS - mel.shape[1])), value=-LARGEST)
    starts = ((torch.arange(frames) - 1) * (MEL_RATE / FPS)).long()
    starts = starts.clamp(0, mel.shape[1] - STEPS)
    return mel.unfold(1, STEPS, 1)[:, starts].transpose(0, 1)[:, None]


def mouth_crop(faces: torch.Tensor, points: FacePoints) -> torch.Tensor:
    """Grey mouths (n, 96, 96) of faces (n, channels, height, width): eyes level, lips centred."""
    grey = faces.mean(1, keepdim=True)
    high, wide = faces.shape[2:]
    x, y = np.subtract(points.right_eye, points.left_eye)
    half = ACROSS * float(np.hypot(x, y)) / 2
    cos, sin = half * x / np.hypot(x, y), half * y / np.hypot(x, y)
    # From the crop's -1 .. 1 to the photo's, whose pixel centres lie at (i + 0.5) / width.
    lips = 2 * (np.add(points.lips, 0.5)) / (wide, high) - 1
    affine = torch.tensor([
        [cos * 2 / wide, -sin * 2 / wide, lips[0]], [sin * 2 / high, cos * 2 / high, lips[1]]
    ], dtype=torch.float32)  # fmt: skip
    grid = F.affine_grid(affine[None].expand(len(faces), -1, -1), [len(faces), 1, SIDE, SIDE],
                         align_corners=False)  # fmt: skip
    return F.grid_sample(grey, grid, padding_mode="border", align_corners=False)[:, 0]


class Wav2LipTeacher:
    """A photo speaks.

    face: (height, width, 3) uint8 RGB, cut as a face detector does, chin included. points: where
    eyes and lips are in it.
    """

    title = "Wav2Lip checkpoint"

    def __init__(self, model: Wav2Lip, face: np.ndarray, points: FacePoints):
        if face.ndim != 3 or face.shape[2] != 3 or face.dtype != np.uint8:
            raise TeacherError(
                f"The face is {face.dtype} {face.shape}; need uint8 (height, width, 3) RGB."
            )
        self.model, self.points, self.size = model, points, face.shape[:2]
        photo = torch.from_numpy(face[..., ::-1].copy()).permute(2, 0, 1)[None] / 255.0
        photo = F.interpolate(photo, (SIDE, SIDE), mode="bilinear", antialias=True)
        masked = photo.clone()
        masked[:, :, SIDE // 2 :] = 0
        self.face = torch.cat([masked, photo], 1)

    @torch.inference_mode()
    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        windows, out = mel_windows(samples, frames_of(samples)), []
        for part in windows.split(BATCH):
            made = self.model(part, self.face.expand(len(part), -1, -1, -1))
            large = F.interpolate(made, self.size, mode="bilinear", antialias=True)
            out.append(mouth_crop(large, self.points).numpy())
        return to_bytes(np.concatenate(out))
