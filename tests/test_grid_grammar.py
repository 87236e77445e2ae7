"""GRID's sentences: 51 words, each pronounceable, chance by counting."""

import numpy as np
import pytest

from l2t.grid_grammar import SLOTS, WORDS, chance_error, said
from l2t.models.lipreader import PHONES


def test_there_are_fifty_one_words_with_known_phones():
    assert len(set(WORDS)) == len(WORDS) == 51
    assert [len(words) for _, words in SLOTS] == [4, 4, 4, 25, 10, 4]
    used = {p for _, words in SLOTS for ways in words.values() for w in ways for p in w.split()}
    assert used <= set(PHONES)


def test_no_two_words_of_a_slot_sound_the_same():
    for _, words in SLOTS:
        ways = [way for all_ways in words.values() for way in all_ways]
        assert len(set(ways)) == len(ways)


def test_a_sentence_is_its_words_phones():
    assert said("bin blue at f") == ["B", "IH", "N", "B", "L", "UW", "AE", "T", "EH", "F"]
    with pytest.raises(ValueError, match="'cat' is not one of GRID's 51 words"):
        said("bin cat")


def test_chance_is_what_guessing_gives():
    rng = np.random.default_rng(0)
    sizes = [len(words) for _, words in SLOTS]
    truth, guess = (np.stack([rng.integers(n, size=20000) for n in sizes]) for _ in range(2))
    assert chance_error() == pytest.approx(np.mean(truth != guess), abs=0.005)
