"""The bad files one by one: each gets the sentence that fits it."""

import os
import time

import numpy as np
import pytest

from hostile.files import BAD, pcm, silent_film, wav
from hostile.sounds import recording, voice
from l2t.errors import SpeechError
from l2t.speech import Limits, load_speech

# A word of the sentence that each of them has to get.
SAYS = {
    "empty": "empty",
    "text": "known format",
    "utf16 text": "known format",
    "header only": "no samples",
    "one sample": "too short",
    "too short": "0.150 seconds",
    "too long": "90 seconds",
    "ten hours in a little FLAC": "seconds long; at most 60",
    "ten hours nobody stated": "too long",
    "not a number": "no numbers",
    "infinite": "no numbers",
    "0 Hz": "holds 0 samples a second",
    "1 Hz": "holds 1 samples a second",
    "4 GHz": "samples a second",
    "0 channels": "0 channels",
    "64 channels": "64 channels",
    "0 bits": "coding",
    "unknown coding": "coding",
    "playlist": "known format",
    "playlist as wav": "known format",
    "concatenation": "known format",
    "network description": "known format",
    "picture": "known format",
    "archive": "known format",
}


def refusal(path, limits=None) -> str:
    with pytest.raises(SpeechError) as caught:
        load_speech(path, limits or Limits())
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert str(path.parent) not in sentence
    return sentence


@pytest.mark.parametrize("name", BAD)
def test_bad_file(name, tmp_path):
    ending, content = BAD[name]
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(content())
    begun = time.monotonic()
    assert SAYS.get(name, "damaged") in refusal(path)
    assert time.monotonic() - begun < 10


def test_film_without_sound(tmp_path):
    silent_film(tmp_path / "film.mp4")
    assert "no sound" in refusal(tmp_path / "film.mp4")


def test_too_large(tmp_path):
    path = tmp_path / "large.wav"
    path.write_bytes(wav(pcm()))
    assert "at most 0 MB" in refusal(path, Limits(max_bytes=1000))


def test_missing_folder_and_unreadable_name(tmp_path):
    assert "no such file" in refusal(tmp_path / "missing.wav")
    assert "folder" in refusal(tmp_path)
    assert "cannot be opened" in refusal(tmp_path / ("x" * 5000))
    assert "cannot be opened" in refusal(tmp_path / "a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    begun = time.monotonic()
    assert "pipe" in refusal(tmp_path / "pipe.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    assert "device" in refusal(tmp_path / "zero.wav")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("name", ["mp3", "flac", "ogg", "opus", "webm", "wav"])
def test_what_is_there_of_a_truncated_file_is_decoded(name, tmp_path):
    path = recording(tmp_path, name, seconds=4.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 0.9 < load_speech(path).seconds < 2.6  # an ogg page may be a second long
    path.write_bytes(whole[: len(whole) // 40])
    assert "sound" in refusal(path) or "recording" in refusal(path)


def test_a_wav_written_to_a_pipe_is_believed_no_more_than_it_holds(tmp_path):
    path = tmp_path / "piped.wav"
    for claimed in (0xFFFFFFFF, 0x7FFFFFFF):
        path.write_bytes(wav(pcm(1.0), size=claimed))
        assert load_speech(path).seconds == pytest.approx(1.0, abs=0.01)


def test_silence_noise_and_music_are_not_refused(tmp_path):
    path = tmp_path / "odd.wav"
    path.write_bytes(wav(bytes(32_000)))
    assert not load_speech(path).samples.any()
    time_ = np.arange(32_000) / 16_000
    music = sum(np.sin(2 * np.pi * f * time_) for f in (220, 277, 330)) * 0.2
    path.write_bytes(wav((music * 32767 / 2).astype("<i2").tobytes()))
    assert load_speech(path).seconds == 2.0


def test_the_next_file_works_after_a_bad_one(tmp_path):
    bad, good = tmp_path / "bad.wav", tmp_path / "good.wav"
    bad.write_bytes(b"x" * 100)
    good.write_bytes(wav((voice(1.0) * 32767).astype("<i2").tobytes()))
    refusal(bad)
    assert load_speech(good).seconds == 1.0
