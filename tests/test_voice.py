"""Voice: steps of 10 ms, frames, and what must never be taken for speech."""

import numpy as np
import pytest
from hostile.sounds import voice

from l2t.voice import hold, levels, speech_mask

RATE = 16_000
noise = np.random.default_rng(1).normal(size=3 * RATE)


@pytest.mark.parametrize("count", [0, 1, 39, 40, 79, 160, 161, 300, 4001])
def test_levels_are_the_standard_deviation_of_25_ms_around_each_step(count):
    samples = (noise[:count] * 0.1 + 0.3).astype(np.float32)
    expected = []
    for step in range(max(1, -(-count // 160))):
        near = samples[max(0, step * 160 - 120) : step * 160 + 280].astype(float)
        expected.append(10 * np.log10((near.var() if len(near) else 0) + 1e-12))
    np.testing.assert_allclose(levels(samples), expected, atol=1e-3)


def test_hold_extends_each_true():
    mask = np.array([0, 1, 0, 0, 0, 0, 1, 0], bool)
    assert hold(mask, 2).tolist() == [0, 1, 1, 1, 0, 0, 1, 1]
    assert not hold(np.zeros(5, bool), 3).any()


@pytest.mark.parametrize("gain", [1.0, 0.2, 0.04])
@pytest.mark.parametrize("hiss", [0.0, 0.005, 0.02])
def test_bursts_are_found_whatever_the_level_and_the_hiss(gain, hiss):
    samples = (voice(3.0) + hiss * noise).astype(np.float32) * np.float32(gain)
    time = (np.arange(300) + 0.5) / 100 % 0.5
    mask = speech_mask(samples, 100, 300)
    assert mask[(time > 0.13) & (time < 0.39)].all()
    assert not mask[(time > 0.02) & (time < 0.08)].any()  # 0.4 + the hangover's 0.1 is past


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_mask_has_the_asked_number_of_frames_even_beyond_the_sound(fps):
    mask = speech_mask(voice(1.0), fps, int(2 * fps))
    assert mask.shape == (int(2 * fps),)
    assert mask.dtype == bool
    assert mask[: int(fps)].any()
    assert not mask[int(1.1 * fps) :].any()


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(RATE),
        np.zeros(0),
        np.full(RATE, 0.5),
        noise * 0.1,
        noise * 1e-4,
        noise[:3200] * 0.3,
    ],
    ids=["silence", "nothing", "offset", "noise", "faint noise", "short noise"],
)
def test_nothing_is_voiced_in_silence_or_steady_noise(samples):
    assert not speech_mask(samples.astype(np.float32), 30, 90).any()


def test_a_held_vowel_without_pauses_is_voiced():
    time = np.arange(RATE) / RATE
    vowel = sum(0.1 / k * np.sin(2 * np.pi * 130 * k * time) for k in range(1, 9))
    assert speech_mask(vowel.astype(np.float32), 30, 30).mean() > 0.9


def test_padding_with_zeros_does_not_make_the_rooms_noise_a_voice():
    spoken = voice(2.0) + 0.005 * noise[: 2 * RATE]
    padded = np.concatenate([np.zeros(RATE), spoken, np.zeros(RATE)]).astype(np.float32)
    alone = speech_mask(spoken.astype(np.float32), 100, 200)
    np.testing.assert_array_equal(speech_mask(padded, 100, 400)[100:300], alone)
