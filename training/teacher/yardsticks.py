"""Mouths that a teacher is held against: real lips above, simple tricks below."""

from collections.abc import Mapping

import numpy as np

from l2t.loudness import normalise
from l2t.voice import levels
from training.data.mouths import to_length
from training.teacher.own import Ears
from training.teacher.protocol import FPS, TeacherError, frames_of, to_bytes

LOUD_DB, RANGE_DB = -18.0, 25.0  # dBFS of a recording at the product's loudness: mouth fully open
CONTEXT = (-6, -3, 0, 3, 6)  # features (50 Hz) around a frame that are compared
DIRECTIONS = 48  # principal ones of the features


class RealLips:
    """The real mouths, by clip name: the upper bound. films: (frames, 96, 96) uint8 each."""

    title = "real lips"

    def __init__(self, films: Mapping[str, np.ndarray]):
        self.films = films

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        if name not in self.films:
            raise TeacherError(f"There are no real lips for {name!r}.")
        return to_length(np.asarray(self.films[name]), frames_of(samples))


class StillMouth:
    """One picture, (96, 96) uint8, whatever is said."""

    def __init__(self, picture: np.ndarray, title: str = "frozen mouth"):
        self.picture, self.title = picture, title

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        return np.repeat(self.picture[None], frames_of(samples), 0)


class EnergyMouth:
    """Fades between a closed and an open mouth, (96, 96) uint8 each, with the loudness."""

    title = "audio energy"

    def __init__(self, closed: np.ndarray, opened: np.ndarray):
        self.closed, self.opened = closed / 255.0, opened / 255.0

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        frames = frames_of(samples)
        steps = levels(normalise(samples))  # every 10 ms
        smooth = np.convolve(steps, np.ones(5) / 5, "same")
        times = (np.arange(frames) + 0.5) / FPS
        level = np.interp(times, (np.arange(len(steps)) + 0.5) / 100, smooth)
        share = np.clip((level - LOUD_DB + RANGE_DB) / RANGE_DB, 0, 1)[:, None, None]
        return to_bytes((1 - share) * self.closed + share * self.opened)


class NearestMouth:
    """For each frame the real picture whose sound was most like this one.

    features: (2 frames, channels) at 50 Hz, and films: (frames, 96, 96) uint8, of the same clips.
    """

    title = "nearest neighbour"

    def __init__(self, ears: Ears, features: list[np.ndarray], films: list[np.ndarray]):
        self.ears, self.films = ears, films
        sample = np.concatenate([f[::4].astype(np.float32) for f in features])
        self.mean, self.scale = sample.mean(0), sample.std(0) + 1e-3
        scaled = (sample - self.mean) / self.scale
        _, self.rows = np.linalg.eigh(scaled.T @ scaled)
        self.keys = np.concatenate([self._keys(f) for f in features])
        self.squares = (self.keys**2).sum(1)
        self.where = [(i, j) for i, f in enumerate(features) for j in range(len(f) // 2)]

    def _keys(self, features: np.ndarray) -> np.ndarray:
        """What is compared, (frames, keys)."""
        scaled = (features.astype(np.float32) - self.mean) / self.scale
        small = scaled @ self.rows[:, -DIRECTIONS:]
        at = 2 * np.arange(len(features) // 2)[:, None] + 1 + np.array(CONTEXT)
        return small[np.clip(at, 0, len(small) - 1)].reshape(len(at), -1)

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`."""
        keys = self._keys(self.ears(samples, name))
        best = np.argmin(self.squares - 2 * keys @ self.keys.T, axis=1)
        pairs = [self.where[b] for b in best]
        return np.stack([self.films[i][j] for i, j in pairs])
