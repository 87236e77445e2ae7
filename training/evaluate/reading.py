"""Lip reading as a judge: what the lip reader reads in rendered mouths, and in real photos.

GRID's clips are read under the corpus' grammar, under any order of its words, and as phones; the
viseme error counts phones that look alike as one.  Chance under the grammar is
`grid_grammar.chance_error()`.  Other speech has phones alone.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from l2t.error_rates import error_rate, viseme_error
from l2t.face import FaceTemplate
from l2t.grid_grammar import said
from l2t.lipreading import log_probs, read_scores
from l2t.manifest import read_manifest
from l2t.models.lipreader import FPS, LipReader, reader_from
from l2t.motion import Motion
from l2t.softrender.renderer import MouthRenderer
from l2t.weights import Weights, load_tensors
from training.data.mouths import load_mouths
from training.evaluate.clips import Clip
from training.files import load_parts

ROLE = "lipreader"
AT_ONCE = 25  # frames


class Reading:
    """A reader, the renderer whose pictures it reads, and the names of the clips that are read.

    names: None = all. What was once rendered is not rendered again: a frozen mouth is drawn once.
    """

    def __init__(self, reader: LipReader, template: FaceTemplate, names: set[str] | None = None):
        self.reader, self.names = reader, names
        self.renderer = MouthRenderer(template).eval()
        self._read: dict[bytes, np.ndarray] = {}

    def reads(self, clip: Clip) -> bool:
        return self.names is None or clip.name in self.names

    def of_motion(self, clip: Clip, arkit: np.ndarray) -> dict[str, float]:
        """Errors of reading a rendered motion (frames, 52) at 30 fps; nothing for other clips."""
        if not self.reads(clip):
            return {}
        key = arkit.tobytes()
        if key not in self._read:
            self._read[key] = log_probs(self.reader, self.draw(arkit))
        return self.errors(clip, self._read[key])

    def of_mouths(self, clip: Clip, mouths: np.ndarray) -> dict[str, float]:
        """Errors of reading pictures (frames, 96, 96) at 25 fps: photos, or a 2D teacher's."""
        return self.errors(clip, log_probs(self.reader, mouths))

    def draw(self, arkit: np.ndarray) -> torch.Tensor:
        """(frames, 52) at 30 fps -> (frames at 25 fps, 96, 96) grey in 0..1."""
        weights = torch.from_numpy(Motion(arkit).resampled(FPS).arkit)
        with torch.inference_mode():
            return torch.cat([self.renderer(part) for part in weights.split(AT_ONCE)])

    def errors(self, clip: Clip, scores: np.ndarray) -> dict[str, float]:
        """scores (frames, units) of a clip -> "viseme", and for GRID "wer" and "free"."""
        words = grid_words(clip)
        phones = said(" ".join(words)) if words else [p for p, *_ in clip.phones if p != "SIL"]

        def read(rules: str) -> list[str]:
            return read_scores(scores, self.reader.config, rules).text.split()

        out = {"viseme": viseme_error(phones, read("phones"))}
        if words:
            out["wer"] = error_rate(words, read("grid"))
            out["free"] = error_rate(words, read("words"))
        return out


def grid_words(clip: Clip) -> list[str]:
    """The words of a tracked GRID clip, as the reader spells them; none for other clips."""
    return clip.text.lower().replace(".", "").split() if clip.arkit is not None else []


def first_of_each(sets: Iterable[Sequence[Clip]], count: int) -> set[str]:
    """Names of the first `count` clips of every tracked set; others are not read."""
    return {c.name for clips in sets for c in clips[:count] if c.arkit is not None}


def read_films(
    clips: Sequence[Clip], film: Callable[[Clip], np.ndarray], reading: Reading
) -> list[dict[str, float]]:
    """Errors of reading film(clip), (frames, 96, 96) at 25 fps: of photos or of a 2D teacher's
    mouths; nothing for clips that are not read."""
    return [reading.of_mouths(c, film(c)) if reading.reads(c) else {} for c in clips]


def photos(cache: Path, label: str) -> Callable[[Clip], np.ndarray] | None:
    """The real mouths of tracked clips by clip; None where they are not packed."""
    if not (cache / "mouths" / f"{label}.npy").exists():
        return None
    names, mouths = load_mouths(cache, label)
    return lambda clip: mouths[names.index(clip.name)]


def load_reader(weights: Weights, folder: Path | None = None) -> LipReader | None:
    """The reader that measures: of a training run's folder, else of these weights, else None."""
    if folder is not None:
        return reader_from(*load_parts(folder, ROLE))
    if weights.folder is None or ROLE not in read_manifest(weights.folder).roles:
        return None
    return reader_from(*load_tensors(weights, ROLE))
