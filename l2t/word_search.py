"""Finds the words in what a reader saw: Viterbi over a lexicon, time by time.

A word is its phones in a row; each lasts as long as it likes, a blank may come between two, and
silence may come between words.  A `Net` says which words may follow which: slot after slot (a
grammar) or one slot that leads back to itself (any words, or, with phones for words, any phones).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from l2t.models.lipreader import UNITS

BLANK, SILENCE = UNITS.index("blank"), UNITS.index("SIL")
Slot = Sequence[tuple[str, str]]  # (word, pronunciation "B IH N"); a word may come twice


@dataclass(frozen=True)
class Found:
    """A word and the frames `first` to `last` (inclusive) that show it."""

    word: str
    slot: int
    first: int
    last: int


class Net:
    """slots: the words of each; after slot k comes k + 1, or, with `loop`, the only slot again."""

    def __init__(self, slots: Sequence[Slot], loop: bool = False):
        if loop and len(slots) != 1:
            raise ValueError(f"a loop has one slot, found {len(slots)}")
        self.slots, self.loop = [tuple(slot) for slot in slots], loop
        self.words: list[tuple[str, int]] = []
        states, ends = [], []
        for number, slot in enumerate(self.slots):
            for word, sounds in slot:
                for place, phone in enumerate(sounds.split()):
                    here = len(states)
                    if place:  # a blank that follows the phone before it
                        states.append((BLANK, here - 1, -1, len(self.words)))
                    ahead = (here, here - 1) if place else (-1, -1)
                    states.append((UNITS.index(phone), *ahead, len(self.words)))
                ends.append(len(states) - 1)
                self.words.append((word, number))
        # Of each state: its unit, the state before it and the one before that (-1: none), its word.
        self.unit, self.before, self.skip, self.owner = np.array(states).T
        self.ends = np.array(ends)

    @cached_property
    def slot_of(self) -> np.ndarray:
        """Slot of each state."""
        return np.array([self.words[word][1] for word in self.owner])

    @cached_property
    def junctions(self) -> int:
        """Places between words: before each slot and after the last."""
        return 1 if self.loop else len(self.slots) + 1

    def search(self, scores: np.ndarray, penalty: float = 0.0) -> list[Found]:
        """The best words for log scores (frames, units); `penalty` is added for each word.

        Empty when there are too few frames for any.
        """
        steps = list(self._forward(scores, penalty))
        if not steps or not np.isfinite(steps[-1][2][-1]):
            return []
        return self._back([step[0] for step in steps], [step[1] for step in steps])

    def word_scores(self, scores: np.ndarray) -> np.ndarray:
        """Score of each word of the only slot if it fills all frames, (words,); -inf: cannot."""
        last = None
        for step in self._forward(scores, 0.0, gaps=False, once=True):
            last = step[3]
        return np.full(len(self.ends), -np.inf) if last is None else last[self.ends]

    def _forward(self, scores, penalty: float, gaps: bool = True, once: bool = False):
        """Yields for each frame: where each state came from, where each junction, and scores.

        From a state: >= 0 that state, < 0 junction ~value.  From a junction: >= 0 that state's
        word ended, -1 a gap.
        """
        states, first = np.arange(len(self.unit)), self.before < 0
        enter, end_slot = ~self.slot_of, self.slot_of[self.ends]
        sources = np.stack([states, np.where(first, enter, self.before),
                            np.where(self.skip < 0, states, self.skip)])  # fmt: skip
        next_junction = np.zeros_like(end_slot) if self.loop else end_slot + 1
        score = np.full(len(states), -np.inf)
        junction = np.full(self.junctions, -np.inf)
        junction[0] = 0.0
        gap_scores = np.logaddexp(scores[:, BLANK], scores[:, SILENCE])
        for frame, gap_score in zip(scores, gap_scores, strict=True):
            options = np.stack([score, np.where(first, junction[self.slot_of], score[self.before]),
                                np.where(self.skip < 0, -np.inf, score[self.skip])])  # fmt: skip
            choice = options.argmax(0)
            score = options[choice, states] + frame[self.unit]
            came = sources[choice, states]
            silent = junction + gap_score if gaps else np.full_like(junction, -np.inf)
            junction, left = silent, np.full(self.junctions, -1)
            for place in range(0 if self.loop else 1, 0 if once else self.junctions):
                enders = self.ends[next_junction == place]
                best = enders[score[enders].argmax()]
                if score[best] + penalty > junction[place]:
                    junction[place], left[place] = score[best] + penalty, best
            yield came, left, junction, score

    def _back(self, came: list[np.ndarray], left: list[np.ndarray]) -> list[Found]:
        found, place, frame = [], self.junctions - 1, len(came) - 1
        while frame >= 0:
            state = left[frame][place]
            if state < 0:  # a gap: the same junction one frame earlier
                frame -= 1
                continue
            last, word = frame, self.owner[state]
            while state >= 0:
                state = came[frame][state]
                frame -= 1
            place = ~state
            found.append(Found(*self.words[word], frame + 1, last))
        return found[::-1]
