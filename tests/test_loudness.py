"""Loudness: one level for every voice, silence and noise left alone, nothing clipped."""

import numpy as np
import pytest
from hostile.sounds import voice

from l2t.loudness import CEILING, TARGET_DB, limited, normalise, voiced_level


@pytest.mark.parametrize("gain", [0.03, 0.1, 0.5, 1.0, 3.0])
def test_every_voice_comes_out_at_the_target(gain):
    out = normalise(voice(3.0) * np.float32(gain))
    assert voiced_level(out) == pytest.approx(TARGET_DB, abs=0.3)
    assert out.dtype == np.float32


def test_pauses_do_not_change_the_level_of_the_speech():
    spoken = voice(2.0)
    padded = np.concatenate([np.zeros(64_000, np.float32), spoken])
    ratio = np.abs(normalise(padded)).max() / np.abs(normalise(spoken)).max()
    assert ratio == pytest.approx(1.0, abs=0.03)


def test_silence_stays_silence_and_noise_is_not_blown_up():
    assert not normalise(np.zeros(16_000, np.float32)).any()
    noise = (np.random.default_rng(0).normal(size=16_000) * 1e-3).astype(np.float32)
    np.testing.assert_array_equal(normalise(noise), noise)


def test_a_whisper_of_a_signal_is_raised_by_no_more_than_the_cap():
    faint = voice(2.0) * np.float32(0.002)
    gain = np.abs(normalise(faint)).max() / np.abs(faint).max()
    assert 20 * np.log10(gain) <= 35.01


def test_peaks_are_bent_and_the_rest_untouched():
    samples = np.array([-5, -0.95, -0.9, -0.2, 0, 0.5, 0.9, 0.91, 2], np.float32)
    out = limited(samples)
    assert np.abs(out).max() <= CEILING
    assert (np.diff(out) >= 0).all()
    np.testing.assert_array_equal(out[2:7], samples[2:7])
    np.testing.assert_array_equal(limited(samples[2:7]), samples[2:7])
    assert len(limited(samples[:0])) == 0


def test_same_input_same_bytes():
    assert normalise(voice(1.0)).tobytes() == normalise(voice(1.0)).tobytes()
