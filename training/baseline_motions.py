"""Motions that need no network: what a student must beat on every figure that means something.

All are fitted on tracked training clips: (frames, 52) weights at 30 fps, sound at 16 kHz.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.models.encoder import FEATURE_RATE
from l2t.motion import frame_count, frame_times
from l2t.mtm import smooth
from l2t.voice import SAMPLE_RATE
from training.baselines import energy_opening
from training.data.corpora import grid_split
from training.data.packs import read_pack


@dataclass(frozen=True)
class MeanMouth:
    """The mean training clip: it knows the corpus' rhythm and hears nothing. mean: (frames, 52)."""

    mean: np.ndarray

    @staticmethod
    def fit(arkit: list[np.ndarray]) -> "MeanMouth":
        frames = min(len(a) for a in arkit)
        return MeanMouth(np.mean([a[:frames] for a in arkit], axis=0).astype(np.float32))

    def motion(self, samples: int) -> np.ndarray:
        """The mean clip, again and again, as long as `samples` of sound."""
        return np.resize(self.mean, (frame_count(samples / SAMPLE_RATE), self.mean.shape[1]))

    def still(self, samples: int) -> np.ndarray:
        """The mean of all frames and no movement: what LVE forgives most."""
        rows = frame_count(samples / SAMPLE_RATE)
        return np.repeat(self.mean.mean(axis=0, keepdims=True), rows, axis=0)


@dataclass(frozen=True)
class EnergyMouth:
    """Each weight follows the loudness of its frame: weight = a + b * level, least squares."""

    start: np.ndarray
    slope: np.ndarray

    @staticmethod
    def fit(sounds: list[np.ndarray], arkit: list[np.ndarray]) -> "EnergyMouth":
        levels, rows = [], []
        for samples, weights in zip(sounds, arkit, strict=True):
            level = energy_opening(samples)
            frames = min(len(level), len(weights))
            levels.append(level[:frames])
            rows.append(weights[:frames])
        level, weights = np.concatenate(levels), np.concatenate(rows).astype(np.float64)
        away = level - level.mean()
        slope = away @ (weights - weights.mean(0)) / max(float(away @ away), 1e-9)
        return EnergyMouth(weights.mean(0) - slope * level.mean(), slope)

    def motion(self, samples: np.ndarray) -> np.ndarray:
        made = self.start + self.slope * energy_opening(samples)[:, None]
        return np.clip(made, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Retrieval:
    """For each frame the mouth of the training frame that sounds most alike, then smoothed.

    Frames are compared by principal components of the frozen encoder's features in `WINDOW` s
    around them. mean, axes: (channels,), (channels, kept) of the components; keys (n, wide);
    mouths (n, 52).
    """

    mean: np.ndarray
    axes: np.ndarray
    keys: np.ndarray
    mouths: np.ndarray

    KEPT, WINDOW = 48, (-0.12, -0.06, 0.0, 0.06, 0.12)

    @staticmethod
    def fit(pack: Path, targets: Path, every: int = 1) -> "Retrieval":
        """From grid_s1's packed features and fitted weights, training clips only."""
        with np.load(targets, allow_pickle=False) as file:
            names, arkit = file["names"].tolist(), file["arkit"]
        packed = read_pack(pack)
        pairs = [(packed[name][0], arkit[i]) for i, name in enumerate(names)
                 if grid_split(i) == "train" and name in packed]  # fmt: skip
        return Retrieval.of(pairs[::every])

    @staticmethod
    def of(pairs: list[tuple[np.ndarray, np.ndarray]]) -> "Retrieval":
        """From (features (n, channels) at 50 Hz, weights (frames, 52)) of training clips."""
        sample = np.concatenate([f[::5] for f, _ in pairs[:: 1 + len(pairs) // 300]])
        sample = sample.astype(np.float32)
        mean = sample.mean(0)
        _, vectors = np.linalg.eigh(np.cov((sample - mean).T))
        axes = vectors[:, ::-1][:, : Retrieval.KEPT].astype(np.float32)
        keys, mouths = [], []
        for features, weights in pairs:
            frames = min(len(weights), int(len(features) * 30 / FEATURE_RATE))
            keys.append(windows((features.astype(np.float32) - mean) @ axes, frames))
            mouths.append(weights[:frames])
        return Retrieval(mean, axes, np.concatenate(keys), np.concatenate(mouths))

    def motion(self, features: np.ndarray, samples: int) -> np.ndarray:
        """features (n, channels) of `samples` of sound -> (frames, 52) weights."""
        own = windows((features - self.mean) @ self.axes, frame_count(samples / SAMPLE_RATE))
        size = np.square(self.keys).sum(1)
        # The square of the query does not change which key is nearest.
        nearest = [np.argmin(size - 2 * (part @ self.keys.T), axis=1)
                   for part in np.array_split(own, max(1, len(own) // 128))]  # fmt: skip
        made = self.mouths[np.concatenate(nearest)]
        return np.stack([smooth(column) for column in made.T], axis=1).astype(np.float32)


def windows(parts: np.ndarray, frames: int) -> np.ndarray:
    """Components (n, kept) at 50 Hz around every frame, side by side: (frames, wide)."""
    times = frame_times(frames)[:, None] + np.array(Retrieval.WINDOW)
    at = np.clip(np.round(times * FEATURE_RATE).astype(int), 0, len(parts) - 1)
    return parts[at].reshape(frames, -1)
