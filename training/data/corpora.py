"""Readers of the speech corpora: which utterances there are, their sound, their split by speaker.

`speech/PART.tsv` has the columns id, corpus, speaker, split, file, start_s, end_s, text and
text_source; some parts keep many utterances in one file, so sound is always cut by start_s and
end_s. GRID keeps one clip a file, and the clip's name spells its sentence.
"""

import csv
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

SAMPLE_RATE = 16000  # Hz, what all parts are stored at
SPEECH_PARTS = ("librispeech", "excerpts", "kathleen", "speechocean762")
GRID_PARTS = ("grid_s1", "grid_s26")


@dataclass(frozen=True)
class Utterance:
    """One stretch of speech and what is said in it.

    id, corpus, speaker: names as in the corpus.
    split:  "train", "validation" or "test"; speakers never cross (GRID: one speaker, clips never).
    file:   sound file; `start`, `end` in seconds cut the utterance out of it.
    text:   what is said, as the corpus writes it.
    """

    id: str
    corpus: str
    speaker: str
    split: str
    file: Path
    start: float
    end: float
    text: str

    @property
    def seconds(self) -> float:
        return self.end - self.start


def speaker_split(speaker: str) -> str:
    """Train, validation or test (80/10/10 in expectation) from the sha256 of the speaker's name.

    It depends on nothing else, so a corpus that grows never moves a speaker.
    """
    bucket = int(hashlib.sha256(speaker.encode()).hexdigest()[:8], 16) % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")


def grid_split(index: int) -> str:
    """Split of a GRID clip by its index in the sorted names: 0 of 20 test, 10 validation."""
    return {0: "test", 10: "validation"}.get(index % 20, "train")


def read_part(data: Path, part: str) -> list[Utterance]:
    """Utterances of one part in the order of its file; `data` is the folder that holds speech/.

    Splits: librispeech by `speaker_split`; speechocean762 keeps the corpus' own test speakers and
    gives validation those training speakers whom `speaker_split` calls validation; excerpts (3
    speakers) and kathleen (1) are too few to divide and are all train. GRID: `grid_split` for s1,
    all test for s26.
    """
    if part in GRID_PARTS:
        return _read_grid(data / part)
    with (data / "speech" / f"{part}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [_utterance(data / "speech", part, row) for row in rows]


def _utterance(folder: Path, part: str, row: dict[str, str]) -> Utterance:
    split = row["split"]
    if part == "librispeech":
        split = speaker_split(row["speaker"])
    elif part == "speechocean762" and split == "train":
        split = "validation" if speaker_split(row["speaker"]) == "validation" else "train"
    return Utterance(
        id=row["id"], corpus=row["corpus"], speaker=row["speaker"], split=split,
        file=folder / row["file"], start=float(row["start_s"]), end=float(row["end_s"]),
        text=row["text"],
    )  # fmt: skip


_GRID_CODE = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    None,  # the letter itself
    {"1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
     "8": "eight", "9": "nine", "z": "zero"},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)  # fmt: skip


def grid_sentence(name: str) -> str:
    """The sentence that a GRID clip's six-letter name spells: 'bbaf2n' -> 'bin blue at F. two now'.

    The letter is written 'F.' so that the reader of text takes it as the letter's name.
    """
    if len(name) != len(_GRID_CODE):
        raise ValueError(f"a GRID name has six letters, got {name!r}")
    pairs = zip(_GRID_CODE, name, strict=True)
    return " ".join(f"{c.upper()}." if code is None else code[c] for code, c in pairs)


def _read_grid(folder: Path) -> list[Utterance]:
    names = sorted(path.stem for path in folder.glob("*.npz"))
    speaker = folder.name.removeprefix("grid_")
    return [
        Utterance(
            id=name, corpus=folder.name, speaker=speaker,
            split=grid_split(index) if speaker == "s1" else "test",
            file=folder / f"{name}.opus", start=0.0, end=float("inf"), text=grid_sentence(name),
        )
        for index, name in enumerate(names)
    ]  # fmt: skip


def load_audio(utterance: Utterance) -> np.ndarray:
    """Sound of one utterance, (samples,) float32 in -1..1 at 16 kHz.

    Reads utterances of the same file fastest in a row. Raises ValueError on another sample rate.
    """
    sound = _load_file(utterance.file)
    first = round(utterance.start * SAMPLE_RATE)
    last = len(sound) if utterance.end == float("inf") else round(utterance.end * SAMPLE_RATE)
    return sound[first:last]


@lru_cache(maxsize=2)
def _load_file(path: Path) -> np.ndarray:
    import soundfile

    sound, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or sound.ndim != 1:
        raise ValueError(f"{path.name}: {rate} Hz, {sound.shape}; need mono at {SAMPLE_RATE} Hz")
    return sound
