"""SyncNet3D on a published dataset: batches to train it with, and its scores of a clip.

Two instances as in Learn2Talk, one for the loss and another that only measures; they are trained on
every second training clip each and share none.  Windows are 0.2 s: 6 frames at 30 fps, 5 at 25.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from l2t.mel import PER_FRAME, log_mel
from l2t.models.syncnet3d import SyncConfig, SyncNet3D
from l2t.sync import report, shift_distances
from l2t.voice import SAMPLE_RATE
from training.paper.basis import PointDecoder
from training.paper.prepare import Example
from training.sync_data import Spoiling, spoil_motion, spoil_sound
from training.train_syncnet import TrainConfig, fresh, load_expert, train

WINDOW_SECONDS = 0.2
MOVES = 0.01  # lips whose way is under this share of the training lips' do not move
ROLES = {"sync_loss": 0, "sync_measure": 1}  # which half of the training clips each one sees


@dataclass
class ClipBatches:
    """Endless batches (mel, lips, voiced) of clips, sped up, spoilt and cut anew each time.

    fps: of the motion. frames: length of a cut. rng: replaced by the training loop's.
    """

    examples: list[Example]
    decoder: PointDecoder
    fps: float
    batch: int = 16
    frames: int = 64
    spoiling: Spoiling = field(default_factory=Spoiling)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> (batch, frames * 4, 80), (batch, frames, points, 3), (batch, frames) bool."""
        count = min(self.batch, len(self.examples))
        picks = self.rng.choice(len(self.examples), count, replace=False)
        sound, z, known = zip(*(self._cut(self.examples[p]) for p in picks), strict=True)
        mel, voiced = spoil_sound(
            torch.from_numpy(np.stack(sound)), self.frames, self.spoiling, self.rng,
            PER_FRAME * self.fps,
        )  # fmt: skip
        with torch.no_grad():
            lips = self.decoder(torch.from_numpy(np.stack(z)))
        return mel, lips, voiced & torch.from_numpy(np.stack(known))

    def _cut(self, example: Example) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`frames` of motion from anywhere, at another speed, and the sound that goes with it."""
        speed, length = self.rng.uniform(*self.spoiling.speed), len(example.z)
        start = self.rng.uniform(0.0, max(0.0, length - self.frames * speed))
        steps = start + (np.arange(self.frames) + 0.5) * speed - 0.5
        place = np.clip(steps, 0, length - 1)
        low = np.minimum(place.astype(int), max(0, length - 2))
        part = (place - low).astype(np.float32)[:, None]
        z = (1 - part) * example.z[low] + part * example.z[np.minimum(low + 1, length - 1)]
        count = round(self.frames / self.fps * SAMPLE_RATE)
        at = start / self.fps * SAMPLE_RATE + (np.arange(count) + 0.5) * speed - 0.5
        sound = np.interp(at, np.arange(len(example.sound)), example.sound, right=0.0)
        z = spoil_motion(z.astype(np.float32), self.spoiling, self.rng)
        return sound.astype(np.float32), z, steps <= length - 0.5


def lip_places(lips: np.ndarray, points: int) -> np.ndarray:
    """At most `points` of the lip vertices, spread evenly over the mask's list."""
    return lips[np.linspace(0, len(lips) - 1, min(points, len(lips))).round().astype(int)]


def train_experts(
    examples: list[Example], decoder: PointDecoder, fps: float, out: Path, model: dict, how: dict,
    resume: bool = False,
) -> None:  # fmt: skip
    """Writes sync_loss and sync_measure (.json, .safetensors and a folder with the log) to `out`.

    model: fields of SyncConfig, how: of train_syncnet.TrainConfig; the second one's seed is one
    higher.
    """
    shape = {"points": len(decoder.mean) // 3, "window": round(WINDOW_SECONDS * fps)}
    for role, half in ROLES.items():
        config = TrainConfig(**how | {"seed": how.get("seed", 1) + half})
        mine = examples[half::2]
        batches = ClipBatches(mine, decoder, fps, config.batch, config.frames)
        batches.rng = np.random.default_rng(config.seed)
        expert = fresh(batches, SyncConfig(**shape | model), config.seed)
        notes = {"half": half, "clips": len(mine), "fps": fps}
        train(expert, batches, config, out / role, notes, resume)


@dataclass(frozen=True)
class Scores:
    """SyncNet's distance, confidence and offset (frames, positive = lips late); nan = undefined."""

    lse_d: float
    lse_c: float
    offset: float


def scored(
    expert: SyncNet3D, lips: torch.Tensor, sound: np.ndarray, voiced: np.ndarray, fps: float,
    spread: float,
) -> Scores:  # fmt: skip
    """Scores of lips (frames, points, 3) against a sound (n,) at 16 kHz.

    voiced: (frames,) bool. spread: the training lips' way (`PointDecoder.spread`): lips that move
    far less than that have no offset and no confidence.
    """
    samples = torch.from_numpy(np.ascontiguousarray(sound))[None]
    device = next(expert.parameters()).device
    with torch.inference_mode():
        heard = expert.hear(log_mel(samples.to(device), len(lips), PER_FRAME * fps))[0]
        seen = expert.see(lips[None].to(device))[0]
    way = float((lips - lips.mean(0)).square().sum(-1).mean().sqrt())
    table = shift_distances(seen.float().cpu().numpy(), heard.float().cpu().numpy())
    found = report(table, voiced, way > MOVES * spread)
    if found.offset_frames is None:
        return Scores(float("nan"), float("nan"), float("nan"))
    return Scores(found.lse_d, found.lse_c, float(found.offset_frames))


def load_experts(folder: Path) -> dict[str, SyncNet3D]:
    """Both instances by role."""
    return {role: load_expert(folder / role) for role in ROLES}
