"""The evaluation's tables, its baselines, and the model card they go into."""

import numpy as np
import pytest

from l2t.motion import ARKIT_NAMES
from training.baselines import energy_opening, head_opening, train_head
from training.evaluate import Clip, against_truth, closures, into_card, silences, table

JAW = ARKIT_NAMES.index("jawOpen")


def syllables(seconds=3.0, rate=2.0):
    """A buzz that comes and goes `rate` times a second, and its mouth at 25 fps."""
    times = np.arange(int(seconds * 16000)) / 16000
    shape = np.clip(np.sin(2 * np.pi * rate * times), 0, 1)
    buzz = 0.1 * np.sign(np.sin(2 * np.pi * 150 * times)) * shape
    frames = (np.arange(int(seconds * 25)) + 0.5) / 25
    return buzz.astype(np.float32), np.clip(np.sin(2 * np.pi * rate * frames), 0, 1) * 0.1


def at_thirty(opening):
    times = (np.arange(int(len(opening) * 1.2)) + 0.5) / 30
    return np.interp(times, (np.arange(len(opening)) + 0.5) / 25, opening)


def test_the_truth_itself_scores_best_and_a_late_one_shows_its_lag():
    samples, opening = syllables()
    clip = Clip("a", samples, opening)
    right = against_truth("x", [clip], [at_thirty(opening)])
    assert right[0]["mean"] > 0.98
    assert abs(right[1]["mean"]) < 1.0
    late = against_truth("x", [clip], [at_thirty(np.roll(opening, 2))])
    assert late[1]["mean"] == pytest.approx(80.0)
    swapped = against_truth("x", [clip], [at_thirty(syllables(rate=3.3)[1])])
    assert swapped[0]["mean"] < 0.8


def test_energy_follows_the_sound():
    samples, opening = syllables()
    made = energy_opening(samples)
    assert made.shape == (90,)
    assert np.corrcoef(made, at_thirty(opening))[0, 1] > 0.8
    assert not energy_opening(np.zeros(16000, np.float32)).any()


def test_a_head_learns_what_its_features_say():
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(6):
        features = rng.normal(size=(90, 3)).astype(np.float32)
        clips.append((features, 0.1 * np.clip(features[:, 1], 0, 1)))
    head = train_head(clips, steps=60)
    made = head_opening(head, clips[0][0])
    assert np.corrcoef(made, clips[0][1])[0, 1] > 0.8
    assert made.min() >= 0


def test_closures_and_silences_are_read_from_the_phones_and_the_sound():
    samples, _ = syllables()
    phones = (("B", 0.5, 0.6), ("AA", 1.0, 1.4))
    mouth = np.full(90, 0.1)
    mouth[14:19] = 0.0
    rows = closures("x", [Clip("a", samples, phones=phones)], [mouth], closed=0.01)
    assert [row["mean"] for row in rows] == [1.0, 0.0]
    frozen = closures("x", [Clip("a", samples, phones=phones)], [np.full(90, 0.1)], closed=0.01)
    assert [row["mean"] for row in frozen] == [0.0, 0.0]
    quiet = np.concatenate([samples, np.zeros(32000, np.float32)])
    moving = np.concatenate([np.abs(np.sin(np.arange(90))), np.zeros(60)])
    assert silences("x", [Clip("a", quiet)], [moving])[0]["mean"] == 0.0
    assert silences("x", [Clip("a", quiet)], [np.abs(np.sin(np.arange(150)))])[0]["mean"] > 0.5


def test_tables_go_between_the_marks_of_the_card(tmp_path):
    card = tmp_path / "CARD.md"
    card.write_text(
        "before\n<!-- tables: training.evaluate -->\nold\n<!-- end of tables -->\nafter\n"
    )
    rows = [{"measure": "r", "mean": 0.5, "low": 0.4, "high": 0.6, "clips": 3}]
    into_card(card, table("Lips", rows))
    text = card.read_text()
    assert "| r | 0.500 | 0.400 to 0.600 | 3 |" in text
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert "old" not in text
    card.write_text("no marks")
    with pytest.raises(ValueError, match="lacks the lines"):
        into_card(card, "x")
