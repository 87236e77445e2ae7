"""What the frozen experts know of a training clip, read from packs made once.

The student's extra losses need, beside a crop, what the sync expert hears there (`heard`, made by
`training.data.sounds`) and what the lip reader sees in the teacher's mouth (`read`, made by
`training.teacher.targets`). Only clean copies have them: noise and other speeds are for the ear.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from l2t.motion import FPS
from training.data.packs import STEP_FRAMES
from training.data.sources import Source

TEACHER_FPS = 25.0


@dataclass(frozen=True)
class Heard:
    """vectors (batch, frames, size) of the sync expert's audio tower; voiced (batch, frames)
    bool, False where nothing is known."""

    vectors: Tensor
    voiced: Tensor

    def to(self, device) -> "Heard":
        return Heard(self.vectors.to(device), self.voiced.to(device))


@dataclass(frozen=True)
class Read:
    """features (batch, n, width) of the teacher's mouth at 25 fps; places (batch, n): where in
    the crop, in its frames of 30 fps; known (batch, n) bool."""

    features: Tensor
    places: Tensor
    known: Tensor

    def to(self, device) -> "Read":
        return Read(self.features.to(device), self.places.to(device), self.known.to(device))


class Pack:
    """name -> rows of one npz: features (total, width), starts (clips + 1,), names; voiced too."""

    def __init__(self, path: Path):
        with np.load(path, allow_pickle=False) as file:
            self.features, self.starts = file["features"], file["starts"]
            self.voiced = file.get("voiced")
            names = file["names"].tolist()
        self._at = {name: i for i, name in enumerate(names)}

    def rows(self, name: str) -> slice | None:
        at = self._at.get(name)
        return None if at is None else slice(int(self.starts[at]), int(self.starts[at + 1]))


class Shelf:
    """The packs of a run. sounds, lips: corpus -> Pack; styles: those that follow the teacher."""

    def __init__(self, sounds: dict[str, Pack], lips: dict[str, Pack], styles: tuple[str, ...]):
        self.sounds, self.lips, self.styles = sounds, lips, styles

    def of(self, drawn: list[tuple[Source, str, int]], frames: int):
        """Heard and Read of (source, name, start in tenths of a second); None where not kept."""
        heard = self._heard(drawn, frames) if self.sounds else None
        return heard, self._read(drawn, frames) if self.lips else None

    def _heard(self, drawn, frames: int) -> Heard:
        width = next(iter(self.sounds.values())).features.shape[1]
        vectors = np.zeros((len(drawn), frames, width), np.float32)
        voiced = np.zeros((len(drawn), frames), bool)
        for row, (source, name, start) in enumerate(drawn):
            pack = self.sounds.get(source.corpus) if source.copy == 0 else None
            at = pack.rows(name) if pack else None
            if at is None:
                continue
            piece = slice(at.start + start * STEP_FRAMES, at.stop)
            made = pack.features[piece][:frames]
            vectors[row, : len(made)] = made
            voiced[row, : len(made)] = pack.voiced[piece][:frames]
        return Heard(torch.from_numpy(vectors), torch.from_numpy(voiced))

    def _read(self, drawn, frames: int) -> Read:
        count = int(frames * TEACHER_FPS / FPS) - 1
        width = next(iter(self.lips.values())).features.shape[1]
        features = np.zeros((len(drawn), count, width), np.float32)
        places = np.zeros((len(drawn), count), np.float32)
        known = np.zeros((len(drawn), count), bool)
        for row, (source, name, start) in enumerate(drawn):
            follows = source.copy == 0 and source.style in self.styles
            pack = self.lips.get(source.corpus) if follows else None
            at = pack.rows(name) if pack else None
            first, places[row] = teacher_frames(start, count)
            if at is None:
                continue
            made = pack.features[at][first : first + count]
            features[row, : len(made)], known[row, : len(made)] = made, True
        return Read(*(torch.from_numpy(a) for a in (features, places, known)))


def teacher_frames(start: int, count: int) -> tuple[int, np.ndarray]:
    """First frame at 25 fps whose middle lies in a crop that begins after `start` tenths of a
    second, and the places (count,) of it and the following ones in the crop's 30 fps frames."""
    first = int(np.ceil(start * TEACHER_FPS / 10 - 0.5))
    times = (first + np.arange(count) + 0.5) / TEACHER_FPS - start / 10
    return first, (times * FPS - 0.5).astype(np.float32)


def read_between(values: Tensor, places: Tensor) -> Tensor:
    """values (batch, frames, n) read at `places` (batch, m), linear in time; the ends are held."""
    places = places.clamp(0, values.shape[1] - 1)
    low = places.floor().long().clamp(max=values.shape[1] - 2)
    part = (places - low)[..., None]
    wide = (-1, -1, values.shape[2])

    def pick(at: Tensor) -> Tensor:
        return values.gather(1, at[..., None].expand(*wide))

    return pick(low) * (1 - part) + pick(low + 1) * part
