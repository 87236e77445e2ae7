"""Compares teachers by what can be read off their lips and how they keep step, and picks one.

As in Learn2Talk (arXiv 2404.12888): among several 2D networks the best by lip-reading error and
sync score becomes the student's teacher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from l2t.error_rates import error_rate, viseme_error
from l2t.lipreading import log_probs, read_scores
from l2t.metrics import bootstrap_interval
from l2t.models.lipreader import LipReader
from training.lip_errors import words_of
from training.models.syncnet2d import SyncNet2D
from training.mouth_sync import mouth_sync
from training.teacher.protocol import Teacher
from training.teacher.voices import Voice

# column -> whether more is better
COLUMNS = {"words": False, "phones": False, "visemes": False, "LSE-D": False, "LSE-C": True,
           "confidence": True, "in step": True}  # fmt: skip
DECIDING = ("phones", "LSE-C")


@dataclass(frozen=True)
class Comparison:
    """scores[teacher's title][column]: one value a clip, nan where it is undefined."""

    voices: str
    scores: dict[str, dict[str, np.ndarray]]

    def mean(self, title: str, column: str) -> tuple[float, float, float]:
        """Mean of clip values and its 95 % bootstrap interval."""
        return bootstrap_interval(self.scores[title][column])


def clip_scores(
    mouths: np.ndarray, voice: Voice, reader: LipReader, expert: SyncNet2D, grid: bool
) -> dict[str, float]:
    """All columns of one clip. grid: its name spells a sentence of the GRID corpus."""
    sync = mouth_sync(expert, mouths, voice.samples)
    row = {"LSE-D": sync.lse_d, "LSE-C": sync.lse_c, "confidence": sync.confidence,
           "in step": float(sync.lag is not None and abs(sync.lag) <= 1)}  # fmt: skip
    seen = log_probs(reader, mouths)
    read = read_scores(seen, reader.config, "phones").text.split()
    row["phones"] = error_rate(voice.phones, read)
    row["visemes"] = viseme_error(voice.phones, read) if voice.phones else float("nan")
    row["words"] = float("nan")
    if grid:
        words = read_scores(seen, reader.config, "grid").text.split()
        row["words"] = error_rate(words_of(voice.name).split(), words)
    return row


def compare(
    title: str,
    teachers: Sequence[Teacher],
    voices: Sequence[Voice],
    reader: LipReader,
    expert: SyncNet2D,
    grid: bool,
    progress: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Every teacher on every voice."""
    scores = {}
    for teacher in teachers:
        rows = [
            clip_scores(teacher.mouths(v.samples, v.name), v, reader, expert, grid) for v in voices
        ]
        scores[teacher.title] = {c: np.array([r[c] for r in rows]) for c in COLUMNS}
        progress(f"{title}: {teacher.title}")
    return Comparison(title, scores)


def best_teacher(found: Comparison, titles: Sequence[str]) -> str:
    """The title with the lowest mean rank by DECIDING columns, the first of them where ranks tie.

    titles: who may be chosen; those that were not compared on these voices are left out. Raises
    ValueError when that leaves none.
    """
    there = [t for t in titles if t in found.scores]
    if not there:
        raise ValueError(f"no teacher was compared on {found.voices}")

    def worse(title: str, column: str) -> float:
        """A number that grows with how bad; undefined is worst."""
        value = found.mean(title, column)[0]
        return np.inf if np.isnan(value) else -value if COLUMNS[column] else value

    def place(title: str) -> tuple[float, float]:
        behind = [sum(worse(t, c) < worse(title, c) for t in there) for c in DECIDING]
        return float(np.mean(behind)), worse(title, DECIDING[0])

    return min(there, key=place)


def table(found: Comparison) -> str:
    """Markdown: one row a teacher, mean of clip values with the 95 % interval."""
    heads = list(COLUMNS)
    lines = [f"| {found.voices} | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for title in found.scores:
        cells = []
        for column in heads:
            mean, low, high = found.mean(title, column)
            cells.append("-" if np.isnan(mean) else f"{mean:.3f} ({low:.3f} .. {high:.3f})")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
