"""How many words of free English speech Whisper's decoder gets wrong, clean and under babble.

    python -m training.evaluate_free_speech --data data [--count 40]

Needs openai/whisper-tiny.en in the Hub's cache (`hf download`, or `training.extract_whisper`).
Clips: the English examples, and for each of `count` LibriSpeech speakers the first utterance of 2
to 10 s; LibriSpeech's texts here were made by a machine, so a low error is agreement with it.
Babble: six voices at once of other LibriSpeech speakers, levels as in the tab (`l2t.noise`).
"""

import argparse
import csv
import re
from pathlib import Path

import numpy as np

from l2t.error_rates import edits
from l2t.free_speech import MODEL, available, transcribe
from l2t.noise import add_noise, babble
from l2t.speech import load_speech

LEVELS = (None, 5.0, 0.0, -5.0)  # dB of the voice over the babble; None: no noise
VOICES, SEED = 24, 1


def words(text: str) -> list[str]:
    """In small letters and without punctuation."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower().replace("\u2019", "'"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def examples(data: Path) -> list[tuple[np.ndarray, str]]:
    folder = data / "examples"
    english = [row for row in rows(folder / "examples.tsv") if row["language"] == "English"]
    return [(_sound(next(folder.glob(f"{row['name']}.*"))), row["text"]) for row in english]


def librispeech(data: Path) -> list[tuple[np.ndarray, str]]:
    """Each speaker's first utterance that the tab would take, speakers in order of their number."""
    listed = rows(data / "speech" / "librispeech.tsv")
    first = {row["speaker"]: row for row in reversed(listed) if 2 <= _seconds(row) <= 10}
    chosen = [first[speaker] for speaker in sorted(first, key=int)]
    return [(_sound(data / "speech" / row["file"]), row["text"]) for row in chosen]


def word_error(clips: list, level: float | None, voices: list[np.ndarray]) -> tuple[int, int]:
    """(edits, words said) of all clips together."""
    rng = np.random.default_rng(SEED)
    wrong = total = 0
    for samples, text in clips:
        noise = None if level is None else babble(len(samples), rng, voices)
        read = transcribe(add_noise(samples, noise, level or 0.0))
        wrong, total = wrong + edits(words(text), words(read or "")), total + len(words(text))
    return wrong, total


def _seconds(row: dict[str, str]) -> float:
    return float(row["end_s"]) - float(row["start_s"])


def _sound(path: Path) -> np.ndarray:
    return load_speech(path).samples


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=40)
    args = parser.parse_args(argv)
    if not available():
        parser.error(f"{MODEL} is not in the Hub's cache")
    spoken = librispeech(args.data)
    voices = [sound for sound, _ in spoken[-VOICES:]]
    sets = {"examples": examples(args.data), "LibriSpeech": spoken[: args.count]}
    print("| words wrong | " + " | ".join("clean" if x is None else f"{x:+g} dB" for x in LEVELS))
    for name, clips in sets.items():
        found = [word_error(clips, level, voices) for level in LEVELS]
        shares = " | ".join(f"{wrong / total:.3f} ({wrong})" for wrong, total in found)
        print(f"| {name}, {len(clips)} clips, {found[0][1]} words | {shares} |")


if __name__ == "__main__":
    main()
