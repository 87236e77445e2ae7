"""The search for words against trying everything, and what it must get right."""

from itertools import product

import numpy as np
import pytest

from l2t.models.lipreader import UNITS
from l2t.word_search import BLANK, SILENCE, Net

SLOT = [("pea", "P IY"), ("a", "EY"), ("pay", "P EY"), ("tee", "T IY")]


def noise(frames: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(frames, len(UNITS))) * 2
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def spelled(units: str) -> np.ndarray:
    """Sure log scores of one unit a frame."""
    scores = np.full((len(units.split()), len(UNITS)), -8.0)
    scores[np.arange(len(scores)), [UNITS.index(u) for u in units.split()]] = -0.01
    return scores


def segment_score(scores: np.ndarray, sounds: str) -> float:
    """Best score of one pronunciation over all of these frames, by trying every path of it."""
    line = []
    for place, phone in enumerate(sounds.split()):
        line += ([(BLANK, True)] if place else []) + [(UNITS.index(phone), False)]
    best = -np.inf
    for path in product(range(len(line)), repeat=len(scores)):
        steps = np.diff(path)
        fits = path[0] == 0 and path[-1] == len(line) - 1 and ((steps >= 0) & (steps <= 2)).all()
        if fits and not any(s == 2 and line[path[i]][1] for i, s in enumerate(steps)):
            best = max(best, sum(scores[t, line[s][0]] for t, s in enumerate(path)))
    return best


def naive_best(scores: np.ndarray, slots, penalty: float) -> tuple[float, tuple[str, ...]]:
    """Best words, one of each slot, over every way to cut the frames into gaps and words."""
    gap = np.logaddexp(scores[:, BLANK], scores[:, SILENCE])
    best = (-np.inf, ())
    frames = len(scores)
    for cut in product(range(frames + 1), repeat=2 * len(slots)):
        if list(cut) != sorted(cut):
            continue
        total, words = gap[: cut[0]].sum() + gap[cut[-1] :].sum() + penalty * len(slots), []
        for k, slot in enumerate(slots):
            first, last = cut[2 * k], cut[2 * k + 1]
            if k:
                total += gap[cut[2 * k - 1] : first].sum()
            fits = [(segment_score(scores[first:last], s), w) for w, s in slot] if last > first \
                else [(-np.inf, "")]  # fmt: skip
            total, words = total + max(fits)[0], [*words, max(fits)[1]]
        best = max(best, (total, tuple(words)))
    return best


@pytest.mark.parametrize("seed", range(3))
def test_grammar_finds_what_trying_everything_finds(seed):
    slots, scores = [SLOT[:2], SLOT[2:]], noise(5, seed)
    found = Net(slots).search(scores, -0.5)
    assert tuple(one.word for one in found) == naive_best(scores, slots, -0.5)[1]


def test_words_filling_a_stretch_score_as_by_trying_every_path():
    scores = noise(4, 7)
    naive = [segment_score(scores, sounds) for _, sounds in SLOT]
    np.testing.assert_allclose(Net([SLOT]).word_scores(scores), naive, rtol=1e-6)


def test_words_come_with_their_frames():
    scores = spelled("SIL SIL P P IY SIL EY EY T IY IY SIL")
    found = Net([SLOT], loop=True).search(scores, -1.0)
    spans = [(f.word, f.first, f.last) for f in found]
    assert spans == [("pea", 2, 4), ("a", 6, 7), ("tee", 8, 10)]


def test_equal_phones_may_meet_and_blanks_may_part_phones():
    assert [f.word for f in Net([[("at", "AE T")], [("tee", "T IY")]]).search(
        spelled("AE T T IY"))] == ["at", "tee"]  # fmt: skip
    assert [f.word for f in Net([SLOT]).search(spelled("P blank blank IY"))] == ["pea"]


def test_a_penalty_means_fewer_words():
    scores = noise(40, 1)
    counts = [len(Net([SLOT], loop=True).search(scores, p)) for p in (3.0, 0.0, -3.0, -30.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_too_few_frames_say_nothing():
    net = Net([SLOT, SLOT])
    assert net.search(np.zeros((0, len(UNITS)))) == []
    assert net.search(noise(1, 0)) == []
    assert Net([SLOT[:1]]).word_scores(np.zeros((0, len(UNITS)))).tolist() == [-np.inf]


def test_only_one_slot_can_loop():
    with pytest.raises(ValueError, match="one slot, found 2"):
        Net([SLOT, SLOT], loop=True)
