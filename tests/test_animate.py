"""Speech to motion: windows that add up, silence that rests, cancel that stops."""

from pathlib import Path

import numpy as np
import pytest
import torch

from l2t import animate
from l2t.errors import Cancelled
from l2t.models.loading import load_models
from l2t.speech import load_speech
from l2t.weights import EMBEDDED, resolve

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"


@pytest.fixture(scope="module")
def models():
    return load_models(resolve("debug"), torch.device("cpu"))


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Syllables of a buzz with pauses between them."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * 16000)) / 16000
    buzz = np.sign(np.sin(2 * np.pi * 120 * times)) * 0.1
    shape = np.clip(np.sin(2 * np.pi * 1.3 * times + rng.uniform(0, 6)), 0, 1)
    return (buzz * shape + 1e-4 * rng.standard_normal(len(times))).astype(np.float32)


@pytest.mark.parametrize("total", [1, 10, 359, 360, 361, 700, 2000])
def test_window_weights_add_up_to_one(total):
    summed = np.zeros(total)
    for first, last in animate.windows(total):
        assert first % 3 == 0
        summed[first:last] += animate.fade(first, last, total)
    assert summed == pytest.approx(np.ones(total))


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.21])
def test_there_is_a_frame_for_every_thirtieth_of_a_second(models, seconds):
    samples = babble(seconds)
    made = animate.mouth_weights(models, samples, 0)
    assert made.shape == (int(np.ceil(seconds * 30 - 1e-6)), 52)
    assert (made >= 0).all()
    assert (made <= 1).all()


def test_silence_leaves_the_face_at_rest(models):
    assert not animate.mouth_weights(models, np.zeros(32000, np.float32), 0).any()


def test_the_mouth_rests_in_a_long_pause(models):
    samples = np.concatenate([babble(1.0), np.zeros(48000, np.float32), babble(1.0)])
    made = animate.mouth_weights(models, samples, 0)
    assert made[:25].any()
    assert not made[55:95].any()


def test_the_same_sound_gives_the_same_bytes(models):
    samples = babble(1.5)
    first, second = (animate.mouth_weights(models, samples, 0) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_long_take_in_windows_is_near_one_in_a_single_window(monkeypatch):
    """With the trained weights: where a window begins hardly matters to the lips."""
    models = load_models(resolve(EMBEDDED), torch.device("cpu"))
    samples = load_speech(EXAMPLES / "english_man_1.flac").samples
    samples = np.concatenate([samples] * 3)
    cut = animate.mouth_weights(models, samples, 0)
    monkeypatch.setattr(animate, "WINDOW", 900)
    whole = animate.mouth_weights(models, samples, 0)
    assert np.abs(cut - whole).mean() < 0.1 * np.abs(cut - np.roll(whole, 10, axis=0)).mean()


def test_styles_differ(models):
    samples = babble(1.0)
    one, other = (animate.mouth_weights(models, samples, style) for style in (0, 1))
    assert np.abs(one - other).max() > 1e-5


def test_cancel_stops_between_windows(models):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        animate.mouth_weights(models, babble(40.0), 0, cancelled=cancelled)
    assert len(asked) == 2


def test_gate_opens_before_the_voice_and_closes_after_it():
    voiced = np.zeros(120, bool)
    voiced[55:60] = True
    gate = animate.voice_gate(voiced)
    assert gate.shape == (120,)
    assert gate[55 - animate.BREATH + animate.RAMP : 60].min() == pytest.approx(1.0)
    assert gate[:30].max() == gate[80:].max() == 0.0
    assert np.abs(np.diff(gate)).max() < 0.3


def test_a_pause_between_words_rests_and_a_breath_after_a_rest_is_free():
    voiced = np.zeros(150, bool)
    voiced[:20] = voiced[45:60] = voiced[120:130] = True
    gate = animate.voice_gate(voiced)
    assert gate[34] == 0.0  # 25 frames of pause: no early breath
    assert gate[108] == pytest.approx(1.0)  # 60 frames of rest: breath


@pytest.mark.parametrize("voiced", [[False], [True], [True] * 5, [False] * 40])
def test_gate_of_short_and_uniform_masks(voiced):
    gate = animate.voice_gate(np.array(voiced, bool))
    assert gate == pytest.approx(np.array(voiced, float))
