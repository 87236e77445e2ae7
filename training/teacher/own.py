"""Our own 2D talking face as a teacher, and how it hears."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from l2t.loudness import normalise
from l2t.models.encoder import SpeechEncoder
from training.data.packs import read_pack
from training.files import load_parts
from training.teacher.lessons import fitted
from training.teacher.network import MouthPainter, PainterConfig
from training.teacher.protocol import TeacherError, frames_of, to_bytes

BLOCK = 150  # frames painted at once


class Ears:
    """Speech features at 50 Hz, from packs where a clip is known by name, else computed.

    encoder: the frozen speech encoder; None when every clip is in `packed`.
    """

    def __init__(
        self, encoder: SpeechEncoder | None = None, packed: Mapping[str, np.ndarray] | None = None
    ):
        self.encoder, self.packed = encoder, packed or {}

    def __call__(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """(2 frames, channels) float32 of samples (n,) at 16 kHz. Raises TeacherError."""
        if name in self.packed:
            features = self.packed[name]
        elif self.encoder is None:
            raise TeacherError(f"There are no features of {name!r} and no encoder to make them.")
        elif len(samples) > 16000 * self.encoder.max_seconds:
            raise TeacherError(
                f"The recording lasts {len(samples) / 16000:.0f} s; "
                f"accepted are up to {self.encoder.max_seconds:.0f} s."
            )
        else:
            features = self.encoder(torch.from_numpy(normalise(samples)))[0].cpu().numpy()
        return fitted(features, frames_of(samples)).astype(np.float32)


def packed_features(paths: list[Path]) -> dict[str, np.ndarray]:
    """Clean features (n, channels) float16 of all clips of some packs, by name."""
    return {name: found[0] for path in paths for name, found in read_pack(path).items()}


def load_painter(folder: Path) -> MouthPainter:
    """The network in FOLDER/painter.json and .safetensors, frozen. Raises TeacherError."""
    try:
        config, tensors = load_parts(folder, "painter")
        painter = MouthPainter(PainterConfig(**config))
        painter.load_state_dict(tensors)
    except FileNotFoundError:
        raise TeacherError(
            f"There is no painter.json with painter.safetensors in {folder}; "
            "python -m training.train_teacher makes them."
        ) from None
    return painter.eval().requires_grad_(False)


class OwnTeacher:
    """Paints the change of a photo; the neutral one that is kept with the weights by default."""

    title = "own network"

    def __init__(self, painter: MouthPainter, ears: Ears, photo: np.ndarray | None = None):
        self.painter, self.ears = painter, ears
        neutral = painter.neutral if photo is None else torch.from_numpy(photo).float()
        self.photo = neutral[None]

    @torch.inference_mode()
    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        features = torch.from_numpy(self.ears(samples, name))[None]
        frames, out = features.shape[1] // 2, []
        with torch.autocast(self.photo.device.type, torch.bfloat16):
            for start in range(0, frames, BLOCK):
                count = min(BLOCK, frames - start)
                at = torch.tensor([start])
                out.append(self.painter(features, self.photo, at, count)[0].float().numpy())
        return to_bytes(np.concatenate(out))
