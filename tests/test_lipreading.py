"""Reading lips: what a sure reader saw is spelled out with times; doubt lowers the confidence."""

import numpy as np
import pytest
import torch

from l2t.grid_grammar import WORDS, said
from l2t.lipreading import RULES, log_probs, read_lips, read_scores
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig, Search

PLAIN = LipReaderConfig(search=Search(prior=0.0))


def seen(sentence: str, each: int = 3, sure: float = 0.95) -> np.ndarray:
    """Log probabilities of a reader that sees each phone for `each` frames, silence around it."""
    units = ["SIL"] * 5 + [p for phone in said(sentence) for p in [phone] * each] + ["SIL"] * 4
    scores = np.full((len(units), len(UNITS)), (1 - sure) / (len(UNITS) - 1))
    scores[np.arange(len(units)), [UNITS.index(u) for u in units]] = sure
    return np.log(scores)


def test_a_sentence_is_read_under_any_rules():
    sentence = "place green with k zero soon"
    scores = seen(sentence)
    assert read_scores(scores, PLAIN).text == sentence
    assert read_scores(scores, PLAIN, "words").text == sentence
    assert read_scores(scores, PLAIN, "phones").text == " ".join(said(sentence))


def test_every_word_can_be_read():
    missed = [w for w in WORDS if read_scores(seen(w), PLAIN, "words").text != w]
    assert missed == []


def test_times_are_those_of_the_pictures():
    words = read_scores(seen("bin blue at f two now"), PLAIN).words
    assert words[0].start == pytest.approx(5 / 25)
    assert words[0].end == words[1].start == pytest.approx(14 / 25)
    assert all(a.end <= b.start for a, b in zip(words, words[1:], strict=False))


def test_doubt_lowers_the_confidence():
    sentence = "bin blue at f two now"
    sure = [w.confidence for w in read_scores(seen(sentence), PLAIN).words]
    doubt = [w.confidence for w in read_scores(seen(sentence, sure=0.1), PLAIN).words]
    assert all(0 <= b < a <= 1 for a, b in zip(sure, doubt, strict=True))


def test_rare_units_get_a_chance_from_the_priors():
    scores = np.log(np.full((6, len(UNITS)), 1e-3))
    scores[:, UNITS.index("B")], scores[:, UNITS.index("P")] = np.log(0.4), np.log(0.3)
    priors = np.log(np.full(len(UNITS), 0.01))
    priors[UNITS.index("B")] = np.log(0.5)
    config = LipReaderConfig(priors=tuple(priors), search=Search(prior=1.0))
    assert read_scores(scores, config, "phones").text == "P"
    assert read_scores(scores, PLAIN, "phones").text == "B"


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return LipReader(LipReaderConfig(channels=(4, 4, 8, 8), width=16, blocks=1)).eval()


def test_bytes_and_shares_read_the_same(reader):
    mouths = np.random.default_rng(0).integers(0, 255, (12, 96, 96), np.uint8)
    one, two = (log_probs(reader, m) for m in (mouths, torch.from_numpy(mouths / 255.0)))
    np.testing.assert_allclose(one, two, atol=1e-4)
    assert one.shape == (12, len(UNITS))
    assert read_lips(reader, mouths, "phones").scores.shape == one.shape


def test_what_cannot_be_read_is_named(reader):
    with pytest.raises(ValueError, match=r"mouths are \(3, 64, 64\); need \(frames, 96, 96\)"):
        read_lips(reader, np.zeros((3, 64, 64)))
    with pytest.raises(ValueError, match=f"'song'; accepted are {', '.join(RULES)}"):
        read_lips(reader, np.zeros((3, 96, 96)), "song")
