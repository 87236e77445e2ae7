"""Speech that teachers are compared on: its sound, what is said in it, real lips if there are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.grid_grammar import said
from training.data.align import load_alignments
from training.data.corpora import GRID_PARTS, grid_split, load_audio, read_part
from training.data.mouths import load_mouths
from training.lip_errors import words_of


@dataclass(frozen=True)
class Voice:
    """One recording. samples: (n,) float32 at 16 kHz. phones: what is said, without silence."""

    name: str
    samples: np.ndarray
    phones: tuple[str, ...]


def grid_voices(data: Path, part: str, split: str) -> list[Voice]:
    """Clips of grid_s1 (of a split) or of grid_s26 (all); their names spell what is said."""
    return [
        Voice(u.id, load_audio(u), tuple(said(words_of(u.id))))
        for index, u in enumerate(read_part(data, part))
        if part == "grid_s26" or grid_split(index) == split
    ]


def speech_voices(data: Path, cache: Path, part: str, names: set[str] | None = None) -> list[Voice]:
    """Aligned utterances of a part of speech/; names: take only these."""
    there = {u.id: u for u in read_part(data, part)}
    return [
        Voice(a.id, load_audio(there[a.id]), tuple(p for p in a.phones if p != "SIL"))
        for a in load_alignments(cache / "align" / f"{part}.npz")
        if names is None or a.id in names
    ]


def real_films(cache: Path, part: str) -> dict[str, np.ndarray]:
    """Real mouths by clip name; none for speech without a face."""
    if part not in GRID_PARTS:
        return {}
    names, films = load_mouths(cache, part)
    return dict(zip(names, films, strict=True))
