"""What the plot is given, and the sentences beside it."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import VARIANTS, FakeReport

from l2t.jobs import Said
from l2t.service import Settings
from l2t.speech import SAMPLE_RATE, Limits, Speech
from l2t.ui import texts
from l2t.ui.examples import load_examples
from l2t.ui.plot import as_json, envelope, mean_confidence, plot_data, silences


def said(voiced, confidence=0.9, variant=VARIANTS[0], seconds=1.0):
    """A take with a given (frames,) mask of voice and this confidence where there is voice."""
    voiced = np.asarray(voiced, bool)
    report = FakeReport(np.where(voiced, confidence, np.nan).astype(np.float32), voiced)
    samples = np.linspace(-1, 1, int(seconds * SAMPLE_RATE), dtype=np.float32)
    take = SimpleNamespace(speech=Speech(samples), sync=report, variant=variant)
    return Said(take, report.to_json(), Path("a.csv"), Path("a.npz"), Path("a.glb"))


def naive_silences(voiced, fps):
    """Walk over the frames, open a stretch at each first silent one."""
    found, start = [], None
    for frame, voice in enumerate([*voiced, True]):
        if not voice and start is None:
            start = frame
        if voice and start is not None:
            found.append([start / fps, frame / fps])
            start = None
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_silences_agree_with_a_walk_over_the_frames(count):
    voiced = np.random.default_rng(count).random(count) > 0.5
    assert silences(voiced, 30.0) == naive_silences(voiced.tolist(), 30.0)


def test_the_envelope_is_the_peak_of_each_stretch_scaled_to_one():
    samples = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    expected = [np.abs(samples[i * 10 : (i + 1) * 10]).max() for i in range(100)]
    expected = np.array(expected) / max(expected)
    assert np.allclose(envelope(samples, bins=100), expected, atol=1e-3)


def test_the_envelope_of_few_or_silent_samples():
    assert envelope(np.array([0.5], np.float32)) == [1.0]
    assert envelope(np.zeros(7, np.float32), bins=3) == [0.0, 0.0, 0.0]


def test_the_mean_leaves_undefined_frames_out():
    assert mean_confidence([None, 0.5, 1.0, None]) == 0.75
    assert mean_confidence([None]) is None


def test_plot_data_is_strict_json_with_null_in_silence():
    data = json.loads(as_json(plot_data((said([False, True, True] * 10),))))
    (curve,) = data["curves"]
    assert curve["confidence"][:2] == [None, pytest.approx(0.9)]
    assert data["silences"][0] == [0.0, pytest.approx(1 / 30)]
    assert data["notice"] == ""
    assert "high" in curve["summary"]
    assert curve["name"] == ""  # one curve needs no name
    with pytest.raises(ValueError, match="(?i)json"):
        as_json({"value": float("nan")})


def test_two_takes_share_a_plot_each_with_its_name_and_figures():
    voiced = [True, True, False] * 10
    data = plot_data((said(voiced), said(voiced, 0.2, VARIANTS[2])))
    first, second = data["curves"]
    assert [first["name"], second["name"]] == ["Default", "Reconstruction only"]
    assert [first["confidence"][0], second["confidence"][0]] == pytest.approx([0.9, 0.2])
    assert [row["name"] for row in second["readings"]] == ["Offset", "Confidence", "LSE-D", "LSE-C"]
    assert "low" in second["summary"]
    assert len(data["silences"]) == 10  # the voice is the same


def test_a_silent_take_has_no_number_but_says_so():
    data = plot_data((said([False] * 30),))
    (curve,) = data["curves"]
    assert texts.NO_SPEECH in curve["summary"]
    assert data["notice"] == texts.NO_SPEECH
    assert {row["value"] for row in curve["readings"]} == {"–"}
    assert {row["words"] for row in curve["readings"]} == {"not defined"}


@pytest.mark.parametrize(
    ("milliseconds", "mean", "words"),
    [
        (0.0, 0.9, "in step"),
        (-33.3, 0.9, "in step"),
        (66.7, 0.9, "lips slightly late"),
        (-66.7, 0.9, "lips slightly early"),
        (200.0, 0.9, "lips clearly late"),
        (200.0, 0.1, "uncertain, as confidence is low"),
        (None, None, "not defined"),
    ],
)
def test_the_offset_in_words(milliseconds, mean, words):
    assert texts.offset_words(milliseconds, mean) == words


def test_zero_carries_no_sign_and_late_is_positive():
    assert [texts.offset_value(v) for v in (0.0, -0.2, 33.4, -100.0)] == [
        "0 ms", "0 ms", "+33 ms", "-100 ms",
    ]  # fmt: skip


def test_the_limits_are_those_of_the_reader():
    settings = Settings(waiting_each=2, deadline=40, keep=1500)
    line = texts.limits_line(Limits(max_seconds=7, max_bytes=3_000_000), settings, sweep=300)
    assert "0.2 to 7 seconds" in line
    assert "3 MB" in line
    assert "webm" in line
    assert "may work for 40 seconds, and 2 takes of yours may wait" in line
    assert "deleted after 30 minutes" in line


def test_every_example_is_there_with_credit_and_an_open_licence():
    examples = load_examples()
    assert len({example.language for example in examples}) == 4
    for example in examples:
        assert example.path.stat().st_size < 400_000
        assert example.credit
        assert example.licence in ("CC0 1.0", "CC BY 4.0", "MIT")
        assert example.licence in example.caption


def test_without_examples_the_page_does_without(tmp_path):
    assert load_examples(tmp_path) == []
