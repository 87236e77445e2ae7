"""Noise over speech: the level that was asked for, kinds, and what is refused."""

import numpy as np
import pytest

from l2t.noise import KINDS, LEVEL_DB, add_noise, at_level, babble, make_noise
from l2t.noisy import Noise, NoiseError, noisy
from l2t.speech import Speech

RATE = 16000


def rms(samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=float))))


def voice() -> np.ndarray:
    """Half a second of silence, one of a loud tone, half a second of silence."""
    tone = 0.2 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    return np.pad(tone, RATE // 2).astype(np.float32)


@pytest.mark.parametrize("snr", [-10, 0, 10])
def test_the_ratio_is_that_of_the_voice_while_it_speaks_to_the_noise(snr):
    rng = np.random.default_rng(0)
    noise = make_noise("white", 2 * RATE, rng, [])
    mixed = add_noise(voice(), noise, snr).astype(float)
    # What the mix holds of either, by least squares: voice and noise are all but orthogonal.
    parts = np.linalg.lstsq(np.stack([voice(), noise], 1), mixed, rcond=None)[0]
    heard = parts[0] * rms(voice()[RATE // 2 : -RATE // 2]) / (parts[1] * rms(noise))
    assert 20 * np.log10(heard) == pytest.approx(snr, abs=1.0)


def test_every_mix_is_equally_loud_and_silence_stays_silence():
    rng = np.random.default_rng(0)
    for kind in KINDS:
        noise = make_noise(kind, 2 * RATE, rng, [voice()])
        assert rms(noise) == pytest.approx(1, abs=0.02)
        assert 20 * np.log10(rms(add_noise(voice(), noise, 0.0))) == pytest.approx(LEVEL_DB, abs=1)
    assert not at_level(np.zeros(100, np.float32)).any()


def test_babble_needs_voices_and_is_made_of_them():
    with pytest.raises(ValueError, match="found none"):
        babble(100, np.random.default_rng(0), [])
    low = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(babble(RATE, np.random.default_rng(0), [low])))
    assert spectrum.argmax() == 200


def test_music_has_tones_that_white_noise_lacks():
    rng = np.random.default_rng(3)

    def peak(kind):
        spectrum = np.abs(np.fft.rfft(make_noise(kind, 2 * RATE, rng, [])))
        return spectrum.max() / spectrum.mean()

    assert peak("music") > 4 * peak("white")


def test_the_same_choice_gives_the_same_noise():
    speech = Speech(voice())
    np.testing.assert_array_equal(noisy(speech, Noise("white")), noisy(speech, Noise("white")))
    assert not np.array_equal(noisy(speech, Noise("white")), noisy(speech, Noise()))


def test_what_is_no_noise_is_told_in_one_sentence():
    with pytest.raises(NoiseError, match="no noise 'rain'; accepted are babble, white, music"):
        Noise("rain")
    with pytest.raises(NoiseError, match="from -20 to 40 dB, found 99"):
        Noise("white", 99)
    with pytest.raises(NoiseError):
        Noise("white", float("nan"))
