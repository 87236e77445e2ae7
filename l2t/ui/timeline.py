"""Three transcripts along one time line, as HTML: place and width of a word are its times, its
strength is the confidence, and a line marks those that were not said."""

from difflib import SequenceMatcher
from html import escape
from typing import TYPE_CHECKING

from l2t.error_rates import error_rate

if TYPE_CHECKING:
    from l2t.lipreading import Reading, ReadWord
    from l2t.lipstudio import LipTake

WEAK = 0.25  # opacity of a word of no confidence


def timeline(take: "LipTake", said: str) -> str:
    """The readings of a take; said: what was really said, "" where it is not known."""
    rows = (("Sound alone", take.found.audio), ("Lips alone", take.found.lips),
            ("Sound and lips", take.found.both))  # fmt: skip
    words = said.lower().replace(".", "").split()
    body = "".join(_row(title, reading, take.speech.seconds, words) for title, reading in rows)
    truth = ""
    if words:
        truth = f"<p class='l2t-said'>Really said: <b>{escape(' '.join(words))}</b></p>"
    return f"<div class='l2t-lips'>{truth}{body}{_seconds(take.speech.seconds)}</div>"


def wrong(said: list[str], read: list[str]) -> list[bool]:
    """For each word that was read whether it was not said there; none is where nothing is known."""
    if not said:
        return [False] * len(read)
    marks = [True] * len(read)
    for block in SequenceMatcher(None, said, read, autojunk=False).get_matching_blocks():
        marks[block.b : block.b + block.size] = [False] * block.size
    return marks


def _row(title: str, reading: "Reading", seconds: float, said: list[str]) -> str:
    read = [word.text for word in reading.words]
    marks = wrong(said, read)
    spans = "".join(
        _word(word, seconds, mark) for word, mark in zip(reading.words, marks, strict=True)
    )
    note = f"{escape(reading.text) or 'nothing'}"
    if said:
        note += f" · {error_rate(said, read):.0%} of the words wrong"
    return (f"<section><h3>{escape(title)}</h3><div class='l2t-track'>{spans}</div>"
            f"<p class='l2t-transcript'>{note}</p></section>")  # fmt: skip


def _word(word: "ReadWord", seconds: float, mark: bool) -> str:
    left, wide = (100 * t / seconds for t in (word.start, word.end - word.start))
    strength = WEAK + (1 - WEAK) * word.confidence
    hint = f"{word.text}: {word.start:.2f} to {word.end:.2f} s, confidence {word.confidence:.2f}"
    style = f"left:{left:.2f}%;width:{max(0.0, min(wide, 100 - left)):.2f}%;--sure:{strength:.2f}"
    kind = "l2t-word l2t-wrong" if mark else "l2t-word"
    return (f"<span class='{kind}' style='{style}' title='{escape(hint)}'>{escape(word.text)}"
            f"<small>{word.confidence:.0%}</small></span>")  # fmt: skip


def _seconds(seconds: float) -> str:
    ticks = "".join(
        f"<li style='left:{100 * t / seconds:.2f}%'>{t} s</li>" for t in range(int(seconds) + 1)
    )
    return f"<ol class='l2t-ticks' aria-hidden='true'>{ticks}</ol>"
