"""From clips to training examples: sound, features of the frozen encoder, motion in the basis."""

import logging
from dataclasses import dataclass, fields

import numpy as np
import torch

from l2t.models.encoder import FEATURE_RATE, SpeechEncoder
from l2t.voice import SAMPLE_RATE, speech_mask
from training.paper.basis import Basis, fit_basis
from training.paper.clips import Clip, Corpus

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """One clip ready to train on.

    sound: (n,) float32 at 16 kHz. features: (n, channels) float32 at 50 Hz. z: (frames, size) of
    the basis (half precision for direct vertices). voiced: (frames,) bool. style: place of the
    subject among the training subjects, -1 = not one of them.
    """

    name: str
    style: int
    sound: np.ndarray
    features: np.ndarray
    z: np.ndarray
    voiced: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Crops of examples as tensors; what lies beyond a clip is held and masked out.

    sound (batch, samples), features (batch, n, channels), z (batch, frames, size), mask and voiced
    (batch, frames) bool, style (batch,).
    """

    sound: torch.Tensor
    features: torch.Tensor
    z: torch.Tensor
    mask: torch.Tensor
    voiced: torch.Tensor
    style: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(getattr(self, f.name).to(device) for f in fields(self)))


def basis_of(corpus: Corpus, components: int) -> Basis:
    """The basis of the training subjects' displacements from their own faces at rest."""
    basis = fit_basis((corpus.displacement(c) for c in corpus.split("train")), components)
    log.info("basis: %d numbers a frame, %.2f %% of the training motion's variance",
             basis.size, 100 * basis.explained)  # fmt: skip
    return basis


def prepared(
    corpus: Corpus, clips: list[Clip], basis: Basis, encoder: SpeechEncoder
) -> list[Example]:
    """Examples of the clips, cut to what both vertices and sound have."""
    return [_example(corpus, clip, basis, encoder) for clip in clips]


def _example(corpus: Corpus, clip: Clip, basis: Basis, encoder: SpeechEncoder) -> Example:
    layout, sound = corpus.layout, clip.hear()
    z = basis.project(corpus.displacement(clip))
    frames = max(1, min(len(z), int(len(sound) / SAMPLE_RATE * layout.fps)))
    if basis.directions is None:
        z = z.astype(np.float16)
    style = layout.styles.index(clip.subject) if clip.subject in layout.styles else -1
    return Example(
        clip.name, style, sound, features_of(encoder, sound), z[:frames],
        speech_mask(sound, layout.fps, frames),
    )  # fmt: skip


def features_of(encoder: SpeechEncoder, sound: np.ndarray) -> np.ndarray:
    """(n,) at 16 kHz -> (n // 320, channels) float32; sentences are far below the limit of 30 s."""
    limit = int(encoder.max_seconds * SAMPLE_RATE)
    device = next(encoder.parameters()).device
    return encoder(torch.from_numpy(sound[:limit])[None].to(device))[0].float().cpu().numpy()


def draw(
    examples: list[Example], count: int, frames: int, fps: float, rng: np.random.Generator
) -> Batch:
    """`count` random crops of `frames` frames, each beginning on the grid of 50 Hz and fps."""
    grid = next(n for n in range(1, 61) if (n * FEATURE_RATE / fps).is_integer())
    rows = []
    for pick in rng.integers(len(examples), size=count):
        spare = max(0, len(examples[pick].z) - frames)
        rows.append(crop(examples[pick], int(rng.integers(spare // grid + 1)) * grid, frames, fps))
    columns = [torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)]
    style = torch.tensor([max(0, int(n)) for n in columns.pop()])
    return Batch(*columns, style)


def crop(example: Example, start: int, frames: int, fps: float) -> tuple[np.ndarray, ...]:
    """sound, features, z, mask, voiced, style of `frames` frames from frame `start` on."""
    at = start + np.arange(frames)
    inside = at < len(example.z)
    held = np.minimum(at, len(example.z) - 1)
    first = round(start / fps * SAMPLE_RATE)
    count = round(frames / fps * SAMPLE_RATE)
    sound = np.zeros(count, np.float32)
    piece = example.sound[first : first + count]
    sound[: len(piece)] = piece
    steps = round(start / fps * FEATURE_RATE) + np.arange(int(np.ceil(frames / fps * FEATURE_RATE)))
    features = example.features[np.minimum(steps, len(example.features) - 1)]
    z = example.z[held].astype(np.float32)
    return sound, features, z, inside, example.voiced[held] & inside, np.int64(example.style)
