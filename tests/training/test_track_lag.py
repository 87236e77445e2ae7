"""How late a mouth is, and how sure that is."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trackable import buzz

from l2t.animate import mouth_weights
from l2t.face import FaceTemplate
from l2t.metrics import lip_opening
from l2t.models.loading import load_models
from l2t.speech import load_speech
from l2t.weights import resolve
from training.data.track_lag import (
    bottom,
    by_loudness,
    by_pictures,
    by_weights,
    from_curves,
    loudness,
)
from training.data.track_video import moved

EXAMPLE = Path(__file__).parents[2] / "assets" / "examples" / "english_woman_2.flac"


@pytest.fixture(scope="module")
def spoken():
    """Four seconds of a real voice, the mouth our student gives it, template and 3D expert."""
    models = load_models(resolve(None), torch.device("cpu"))
    samples = load_speech(EXAMPLE).samples[: 4 * 16000]
    arkit = mouth_weights(models, samples, 0)
    return SimpleNamespace(samples=samples, arkit=arkit, template=FaceTemplate.load(),
                           expert=models.expert)  # fmt: skip


def valley(late, fps=25.0, reach=15, width=2.0):
    """Distances whose lowest lies where a mouth `late` seconds behind puts it."""
    shift = reach - np.arange(2 * reach + 1)
    return 2.0 - np.exp(-0.5 * ((shift - late * fps) / width) ** 2)


@pytest.mark.parametrize("late", [0.0, 0.08, -0.2, 0.05, -0.013])
def test_parts_of_a_frame_are_found(late):
    lag = from_curves([valley(late)], [75], 25.0, "test")
    assert lag.seconds == pytest.approx(late, abs=0.002)
    assert lag.sure


def test_clips_of_one_video_are_heard_together_long_ones_more():
    rng = np.random.default_rng(0)
    curves = [valley(0.12) + rng.normal(0, 0.5, 31) for _ in range(60)]
    assert from_curves(curves, [75] * 60, 25.0, "test").seconds == pytest.approx(0.12, abs=0.02)
    both = from_curves([valley(0.2), valley(-0.2)], [300, 30], 25.0, "test")
    assert both.seconds == pytest.approx(0.2, abs=0.01)


def test_a_flat_curve_is_not_sure_and_unknown_shifts_are_left_out():
    assert not from_curves([np.full(31, 2.0)], [75], 25.0, "test").sure
    assert not from_curves([np.full(31, np.nan)], [75], 25.0, "test").sure
    holes = valley(0.08)
    holes[[0, 30]] = np.nan
    assert from_curves([holes], [75], 25.0, "test").seconds == pytest.approx(0.08, abs=0.002)
    assert bottom(np.array([1.0, 2.0, 3.0]), 0) == 0.0


@pytest.mark.parametrize("shift", [0.0, 0.12, -0.09])
def test_the_3d_expert_finds_how_far_real_sound_was_moved(spoken, shift):
    def late(samples):
        return by_weights([samples], [spoken.arkit], 30.0, spoken.template, spoken.expert)

    own, after = late(spoken.samples), late(moved(spoken.samples, shift, len(spoken.samples)))
    assert abs(own.seconds) < 0.04
    assert own.sure
    assert after.seconds - own.seconds == pytest.approx(-shift, abs=0.015)


def test_the_3d_expert_is_less_sure_of_a_still_mouth(spoken):
    still = np.zeros_like(spoken.arkit)
    lag = by_weights([spoken.samples], [still], 30.0, spoken.template, spoken.expert)
    assert not lag.sure


def test_a_2d_expert_is_asked_with_pictures_and_spectra_in_step():
    frames, times = 75, (np.arange(75) + 0.5) / 25
    rng = np.random.default_rng(0)
    loud = np.interp(times, np.linspace(0, 3, 24), rng.uniform(0, 1, 24))
    noise = rng.normal(0, 0.1, 48000)
    samples = (noise * np.interp(np.arange(48000) / 16000, times, loud)).astype(np.float32)
    mouths = np.repeat(np.uint8(250 * loud)[:, None, None], 96, axis=1).repeat(96, axis=2)
    expert = SimpleNamespace(
        hear=lambda mel: standard(mel.mean(-1).reshape(1, -1, 4).mean(-1).exp()),
        see=lambda film: standard(film.mean((2, 3))),
    )
    lag = by_pictures([samples], [np.roll(mouths, 3, axis=0)], expert)
    assert lag.seconds == pytest.approx(3 / 25, abs=0.025)
    assert lag.by == "2D expert"
    assert len(mouths) == frames


def standard(curve: torch.Tensor) -> torch.Tensor:
    return ((curve - curve.mean()) / curve.std())[..., None]


def test_loudness_alone_finds_a_shift_but_lips_that_stand_still_tell_nothing(spoken):
    opening = lip_opening(spoken.template, spoken.arkit)
    late = [
        by_loudness([moved(spoken.samples, s, len(spoken.samples))], [opening], 30.0)
        for s in (0.0, 0.1)
    ]
    assert late[0].seconds - late[1].seconds == pytest.approx(0.1, abs=0.04)
    assert not late[0].sure  # however well it fits
    assert by_loudness([buzz(2)], [np.zeros(60)], 30.0).depth == 0.0


def test_loudness_stands_at_the_frames_times():
    click = np.zeros(16000, np.float32)
    click[8000:8160] = 0.5
    assert np.argmax(loudness(click, 25.0, 25)) == 12
    assert loudness(np.zeros(16000, np.float32), 25.0, 25).max() == 0
