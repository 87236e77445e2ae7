"""Repairs of the edges that a decoder gives to phones said alone, in its 10 ms frames.

A `Span` list holds the phones in order; pauses are the gaps between them. Decoded without their
neighbours, stops take room noise for closure and closure for silence; the word pass and the
loudness of the sound know better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

FRAME = 0.01  # s, the decoder's step
MIN_FRAMES = 3  # the shortest a three-state phone can be
STOPS = {"P", "B", "T", "D", "K", "G", "CH", "JH"}
LONG_START = 0.12  # s: a first phone longer than this is looked at by `trim_noise`
LEAD = 0.05  # s a phone begins before its sound rises (closure, soft onset)
QUIET = 5  # frames below half the range of levels that make a silence


@dataclass(frozen=True)
class Span:
    """A phone or word and its frames: first .. last, last not included."""

    name: str
    first: int
    last: int
    score: float = 0.0


def keep_in_words(phones: Sequence[Span], words: Sequence[Span], firsts: Sequence[int]) -> list:
    """Phones moved back that ran from their word into a pause, and no pauses inside words.

    firsts: index of each word's first phone. A pause inside a word is the closure of the stop that
    follows, or else the tail of the phone before it.
    """
    out = list(phones)
    bounds = [*firsts, len(out)]
    for k, word in enumerate(words):
        head, tail = bounds[k], bounds[k + 1] - 1
        if k == 0 or words[k - 1].last < word.first:
            limit = min(word.first, out[head].last - MIN_FRAMES)
            out[head] = replace(out[head], first=max(out[head].first, limit))
        if k + 1 == len(words) or words[k + 1].first > word.last:
            limit = max(word.last, out[tail].first + MIN_FRAMES)
            out[tail] = replace(out[tail], last=min(out[tail].last, limit))
        for left, right in pairwise(range(head, tail + 1)):
            if out[right].name in STOPS:
                out[right] = replace(out[right], first=out[left].last)
            else:
                out[left] = replace(out[left], last=out[right].first)
    return out


def trim_noise(phones: Sequence[Span], level: np.ndarray) -> list[Span]:
    """First phones after a pause begin with the sound, not with the noise of the room.

    level: (frames,) dB. The decoder lets a stop or a fricative swallow up to half a second of
    room noise. A first phone over `LONG_START` begins `LEAD` before the last of `QUIET` or
    more quiet frames.
    """
    floor, top = np.percentile(level, (10, 95))
    below = level < floor + 0.5 * (top - floor)
    quiet = np.convolve(below, np.ones(QUIET), "same") > QUIET - 0.5
    out: list[Span] = []
    for span in phones:
        after_pause = not out or out[-1].last < span.first
        if after_pause and (span.last - span.first) * FRAME > LONG_START:
            still = np.flatnonzero(quiet[span.first : span.last])
            if len(still):
                onset = span.first + int(still[-1]) + QUIET // 2 - round(LEAD / FRAME)
                latest = span.last - 2 * MIN_FRAMES
                span = replace(span, first=max(span.first, min(onset, latest)))
        out.append(span)
    return out


def drift(phones: Sequence[Span], words: Sequence[Span], firsts: Sequence[int]) -> float:
    """Share of words whose start lies over 0.1 s apart in the two passes, 0..1.

    Words after a pause do not count: there both passes are unsure, see `trim_noise`.
    """
    steps = [
        abs(phones[i].first - word.first) * FRAME
        for i, word in zip(firsts, words, strict=True)
        if i and phones[i - 1].last == phones[i].first
    ]
    return float(np.mean(np.array(steps) > 0.1)) if steps else 0.0


def cover(phones: Sequence[Span], pad: int, frames: int) -> list[tuple[str, float, float]]:
    """[(phone, start s, end s)] without gaps over 0..frames, pauses as SIL.

    pad: frames that were put before the sound for the decoder, taken off here.
    """
    out: list[tuple[str, float, float]] = []
    clock = 0
    for span in [*phones, Span("SIL", frames + pad, frames + pad)]:
        first, last = (min(max(edge - pad, clock), frames) for edge in (span.first, span.last))
        if first > clock:
            out.append(("SIL", clock * FRAME, first * FRAME))
        if last > first:
            out.append((span.name, first * FRAME, last * FRAME))
        clock = max(first, last)
    return out
