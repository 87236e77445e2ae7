"""Forced alignment: when each phone of a known text is said (pocketsphinx, 10 ms steps).

Two passes. Words first, with wide beams, which also chooses among pronunciations and finds the
pauses; then the chosen phones, each as a one-phone "word", because the decoder's own phone pass
fails on many utterances. The decoder's lattice search stays off (`bestpath`): it may end before
the last word, and took half of the alignments with it. An utterance is dropped, not patched, when
the decoder fails or when its result is not plausible (`alignments.reason_to_drop`).

    python -m training.data.align --data data --out cache/align [PART ...]

writes PART.npz for each part as it finishes; `load_alignments` reads one.
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from training.data.alignments import Alignment, load_alignments, reason_to_drop, save_alignments
from training.data.corpora import SAMPLE_RATE, Utterance, load_audio, read_part
from training.data.phone_edges import (
    FRAME,
    MIN_FRAMES,
    Span,
    cover,
    drift,
    keep_in_words,
    trim_noise,
)
from training.data.pronounce import LETTER_NAMES, PHONES, pronunciation, spoken_words

__all__ = ["Aligner", "AlignmentError", "align_all", "align_utterance", "load_alignments"]
log = logging.getLogger(__name__)

DECODER = {"lm": None, "bestpath": False, "beam": 1e-150, "wbeam": 1e-120, "pbeam": 1e-150}
SCORE_SCALE = 1024  # the decoder shifts its log scores right by ten bits
PAD = 10  # frames of faint noise around the sound: many recordings begin and end on a word
# The British speaker of GRID says some words otherwise than the American dictionary.
GRID_WORDS = {
    **{f"{letter}.": sounds for letter, sounds in LETTER_NAMES.items()},
    "z.": "Z EH D", "again": "AH G EH N", "zero": "Z IH R OW", "white": "W AY T",
}  # fmt: skip


class AlignmentError(Exception):
    """The decoder found no path through the text."""


class Aligner:
    """Aligns text to sound with one decoder, rebuilt after each failure.

    own_words: pronunciations (word -> "P IY") that go before the decoder's dictionary.
    """

    def __init__(self, own_words: dict[str, str] | None = None):
        self._own = own_words or {}
        self._decoder = None

    def align(self, samples: np.ndarray, words: list[str]) -> tuple[list, float, float]:
        """Phones of `words` in (samples,) float32 sound at 16 kHz.

        Returns [(phone, start s, end s), ...] without gaps, the drift between the passes and the
        mean frame score. Raises AlignmentError; the next call starts afresh.
        """
        try:
            return self._align(samples, words)
        except (RuntimeError, ValueError, AlignmentError) as error:
            self._decoder = None
            raise AlignmentError(str(error)) from error

    def _align(self, samples: np.ndarray, words: list[str]) -> tuple[list, float, float]:
        padded = _padded(samples)
        pcm = (np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes()
        spoken = self._decode(pcm, [self._known(word) for word in words])
        chosen = [self._decoder_now().lookup_word(word.name).split() for word in spoken]
        names = [f"_{phone}" for sounds in chosen for phone in sounds]
        found = [Span(s.name[1:], s.first, s.last, s.score) for s in self._decode(pcm, names)]
        score = sum(s.score for s in found) / sum(s.last - s.first for s in found)
        firsts = np.cumsum([0] + [len(sounds) for sounds in chosen])[:-1].tolist()
        found = keep_in_words(found, spoken, firsts)
        apart = drift(found, spoken, firsts)
        found = trim_noise(found, _level(padded))
        return cover(found, PAD, round(len(samples) / SAMPLE_RATE / FRAME)), apart, score

    def _decode(self, pcm: bytes, names: list[str]) -> list[Span]:
        """When each of the names is said, with log scores; pauses are left out."""
        decoder = self._decoder_now()
        decoder.set_align_text(" ".join(names))
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            raise AlignmentError("no path")
        found = [
            Span(s.word, s.start_frame, s.end_frame + 1, SCORE_SCALE * float(np.log(s.ascore)))
            for s in decoder.seg() or ()
            if not s.word.startswith("<")
        ]
        if [span.name.split("(")[0] for span in found] != names:
            raise AlignmentError("the path does not cover the text")
        return found

    def _decoder_now(self):
        if self._decoder is None:
            from pocketsphinx import Decoder

            self._decoder = Decoder(loglevel="FATAL", **DECODER)
            for phone in PHONES[1:]:
                self._decoder.add_word(f"_{phone}", phone, phone == PHONES[-1])
        return self._decoder

    def _known(self, word: str) -> str:
        """The name under which the decoder's dictionary holds `word`, added to it if need be."""
        decoder = self._decoder_now()
        if word not in self._own and "." not in word and decoder.lookup_word(word):
            return word
        name = f"own_{word.replace('.', '_').replace(chr(39), '_')}"
        if decoder.lookup_word(name) is None:
            sounds = self._own.get(word) or pronunciation(word, decoder.lookup_word)
            if sounds is None:
                raise AlignmentError(f"cannot pronounce {word!r}")
            decoder.add_word(name, sounds, True)
        return name


def _padded(samples: np.ndarray) -> np.ndarray:
    rim = np.random.default_rng(0).normal(0, 1e-4, round(PAD * FRAME * SAMPLE_RATE))
    return np.concatenate([rim, samples, rim])


def _level(samples: np.ndarray) -> np.ndarray:
    """Loudness of each decoder frame in dB, (frames,)."""
    step = round(FRAME * SAMPLE_RATE)
    frames = np.resize(samples, (len(samples) // step, step))
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-8)


def align_utterance(aligner: Aligner, utterance: Utterance) -> Alignment:
    """Phone times of one utterance; raises AlignmentError when the decoder fails."""
    words = spoken_words(utterance.text)
    if not words:
        raise AlignmentError("no words")
    timed, apart, score = aligner.align(load_audio(utterance), words)
    lengths = np.array([end - start for phone, start, end in timed if phone != "SIL"])
    return Alignment(
        id=utterance.id, speaker=utterance.speaker, split=utterance.split,
        phones=tuple(phone for phone, *_ in timed),
        starts=np.array([start for _, start, _ in timed], np.float32),
        ends=np.array([end for *_, end in timed], np.float32),
        hurried=float(np.mean(lengths < (MIN_FRAMES + 0.5) * FRAME)), drift=apart, score=score,
    )  # fmt: skip


def align_all(utterances: Iterable[Utterance]) -> tuple[list[Alignment], Counter]:
    """Alignments that can be trusted, and how many were dropped for which reason."""
    aligners = {True: Aligner(GRID_WORDS), False: Aligner()}
    kept, dropped = [], Counter()
    for utterance in utterances:
        try:
            found = align_utterance(aligners[utterance.corpus.startswith("grid")], utterance)
        except AlignmentError as error:
            log.debug("%s: %s", utterance.id, error)
            dropped["failed"] += 1
            continue
        if reason := reason_to_drop(found):
            dropped[reason] += 1
        else:
            kept.append(found)
    return kept, dropped


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="When each phone of the speech corpora is said.")
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/ and grid_s1/")
    parser.add_argument("--out", type=Path, required=True, help="folder for one npz a part")
    parser.add_argument("parts", nargs="*", help="default: grid_s1 librispeech excerpts kathleen")
    parser.add_argument("--limit", type=int, help="utterances a part, for a trial")
    parser.add_argument("--every", type=int, default=1, help="take every n-th utterance only")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts or ["grid_s1", "librispeech", "excerpts", "kathleen"]:
        began = time.monotonic()
        kept, dropped = align_all(read_part(options.data, part)[:: options.every][: options.limit])
        save_alignments(options.out / f"{part}.npz", kept)
        hours = sum(float(a.ends[-1]) for a in kept) / 3600
        log.info("%s: %d kept (%.2f h), dropped %s, %.0f s", part, len(kept), hours,
                 dict(dropped) or "none", time.monotonic() - began)  # fmt: skip


if __name__ == "__main__":
    main()
