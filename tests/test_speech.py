"""Speech: honest recordings of every format come in alike."""

import dataclasses

import numpy as np
import pytest
from hostile.files import pcm, wav
from hostile.sounds import FORMATS, recording

from l2t.loudness import TARGET_DB, voiced_level
from l2t.speech import SAMPLE_RATE, Limits, Speech, load_speech, speech_mask, stream_speech


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return load_speech(recording(tmp_path_factory.mktemp("reference"), "wav float"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_speech(name, reference, tmp_path):
    speech = load_speech(recording(tmp_path, name))
    assert speech.samples.dtype == np.float32
    assert speech.seconds == pytest.approx(2.0, abs=0.03)  # codecs pad the end
    assert voiced_level(speech.samples) == pytest.approx(TARGET_DB, abs=0.5)
    assert np.abs(speech.samples).max() < 1
    count = min(len(speech.samples), len(reference.samples))
    a, b = speech.samples[:count], reference.samples[:count]
    spectra = np.fft.rfft(a, 2 * count) * np.conj(np.fft.rfft(b, 2 * count))
    correlation = np.fft.irfft(spectra) / np.sqrt((a**2).sum() * (b**2).sum())
    assert correlation.argmax() == 0  # no codec's delay is left: 0 samples late
    assert correlation[0] > 0.97


@pytest.mark.parametrize("name", ["m4a", "opus", "flac", "wav float"])
@pytest.mark.parametrize("channels", [1, 6, 8])
def test_any_number_of_channels_gives_the_same_speech(name, channels, reference, tmp_path):
    speech = load_speech(recording(tmp_path, name, channels=channels))
    assert speech.seconds == pytest.approx(2.0, abs=0.03)
    count = min(len(speech.samples), len(reference.samples))
    assert np.corrcoef(speech.samples[:count], reference.samples[:count])[0, 1] > 0.9


def test_same_file_same_bytes(tmp_path):
    path = recording(tmp_path, "mp3")
    assert load_speech(path).samples.tobytes() == load_speech(path).samples.tobytes()


def test_a_louder_file_is_the_same_speech(tmp_path):
    quiet, loud = tmp_path / "quiet.wav", tmp_path / "loud.wav"
    samples = np.frombuffer(pcm(2.0), "<i2")
    loud.write_bytes(wav(samples.tobytes()))
    quiet.write_bytes(wav((samples // 8).astype("<i2").tobytes()))
    a, b = load_speech(quiet).samples, load_speech(loud).samples
    np.testing.assert_allclose(a, b, atol=0.02)
    np.testing.assert_array_equal(speech_mask(a, 30, 60), speech_mask(b, 30, 60))


def test_stream_is_the_sound_as_recorded_in_blocks(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(wav(pcm(5.0)))
    blocks = list(stream_speech(path))
    assert len(blocks) >= 8
    expected = np.frombuffer(pcm(5.0), "<i2") / 32768
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-6)


def test_a_stream_may_be_left_early(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(wav(pcm(50.0)))
    blocks = stream_speech(path)
    assert len(next(blocks))
    blocks.close()


def test_the_limits_are_settings(tmp_path):
    path = tmp_path / "s.wav"
    path.write_bytes(wav(pcm(0.1)))
    assert load_speech(path, Limits(min_seconds=0.05)).seconds == pytest.approx(0.1)
    path.write_bytes(wav(pcm(70.0)))
    assert load_speech(path, Limits(max_seconds=100)).seconds == pytest.approx(70)


def test_the_name_is_the_stem_without_control_characters(tmp_path):
    path = tmp_path / "hello\n\x1bworld.wav"
    path.write_bytes(wav(pcm(0.5)))
    assert load_speech(path).name == "helloworld"


def test_speech_holds_a_vector_of_finite_floats():
    speech = Speech([0.0] * SAMPLE_RATE)
    assert speech.seconds == 1
    assert speech.samples.dtype == np.float32
    with pytest.raises(dataclasses.FrozenInstanceError):
        speech.name = "other"
    for bad in ([], [[0.0]], [np.nan]):
        with pytest.raises(ValueError, match="samples must be"):
            Speech(np.array(bad, np.float32))
