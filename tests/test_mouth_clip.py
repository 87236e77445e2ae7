"""Films of a mouth from untrusted files: pictures in time, and one sentence for all others."""

import dataclasses
import itertools
import time
from functools import partial

import numpy as np
import pytest
from hostile.children import install
from hostile.files import BAD
from hostile.mouths import FILMS, film, mouth_film
from hostile.sounds import recording

from l2t import mouth_clip
from l2t.errors import Cancelled, SpeechError
from l2t.mouth_clip import MAX_BYTES, TASK, at_rate, load_mouths


@pytest.fixture
def child(monkeypatch):
    """Puts a program of the test's own in the decoder's place; collects the processes."""
    return partial(install, monkeypatch)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return film(tmp_path_factory.mktemp("films") / "mouth.mp4")


def refusal(path) -> str:
    with pytest.raises(SpeechError) as caught:
        load_mouths(path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert str(path.parent) not in sentence
    return sentence


@pytest.mark.parametrize("name", FILMS)
def test_a_mouth_film_becomes_grey_pictures(name, tmp_path):
    mouths = load_mouths(mouth_film(tmp_path, name))
    assert mouths.shape == (10, 96, 96)
    assert (np.diff(mouths[:, 48, 48].astype(int)) > 5).all()


def test_another_size_is_refused_in_one_sentence(tmp_path):
    assert "64 x 64 pixels; accepted are 96 x 96" in refusal(film(tmp_path / "a.mp4", side=64))


@pytest.mark.parametrize("name", ["mp4", "webm", "vp9", "av1", "mov"])
def test_pictures_of_a_camera_are_refused_undecoded(name, tmp_path):
    ending, container, codec = FILMS[name]
    large = film(tmp_path / f"large.{ending}", codec, 3840, frames=1, container=container,
                 height=2160)  # fmt: skip
    assert "accepted are 96 x 96 of the mouth alone" in refusal(large)


def test_another_rate_and_a_longer_film_are_refused(tmp_path):
    assert "5.0 pictures a second" in refusal(film(tmp_path / "slow.mp4", fps=5))
    assert "14 seconds long; at most 10" in refusal(film(tmp_path / "a.mp4", frames=350))
    assert "too long; at most 10" in refusal(film(tmp_path / "a.mkv", frames=300))


@pytest.mark.parametrize("name", [name for name in BAD if name != "empty"])
def test_whatever_is_no_film_is_told_so(name, tmp_path):
    ending, content = BAD[name]
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(content())
    assert "not a film in a known format" in refusal(path) or name.endswith("of zeros")


def test_sound_alone_other_codings_and_odd_files_are_told_so(tmp_path):
    assert "no pictures" in refusal(recording(tmp_path, "m4a"))
    assert "unknown coding" in refusal(film(tmp_path / "lossless.mkv", "ffv1"))
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "up to 10 seconds of mp4, mov, mkv or webm" in refusal(empty)
    with empty.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "at most 20 MB" in refusal(empty)
    assert "name of a film" in refusal(tmp_path / "missing.mp4")


def test_a_hanging_child_is_killed_at_the_deadline(honest, child, monkeypatch):
    monkeypatch.setattr(mouth_clip, "TASK", dataclasses.replace(TASK, seconds=0.5))
    started = child("time.sleep(60)")
    begun = time.monotonic()
    assert "film could not be decoded within 0.5 seconds" in refusal(honest)
    assert time.monotonic() - begun < 10
    assert started[0].returncode is not None


def test_a_cancelled_load_kills_the_child(honest, child):
    started, asked = child("time.sleep(60)"), itertools.count()
    begun = time.monotonic()
    with pytest.raises(Cancelled, match="The job was cancelled"):
        load_mouths(honest, cancelled=lambda: next(asked) > 4)
    assert time.monotonic() - begun < 10
    assert started[0].returncode is not None


def test_who_does_not_cancel_gets_the_pictures(honest):
    assert len(load_mouths(honest, cancelled=lambda: False)) == 10


PICTURE = "send(b'S', bytes(9216)); "


@pytest.mark.parametrize(
    "program",
    [
        "",
        "send(b'D', b'{\"fps\": 25}')",
        "send(b'S', bytes(9215)); send(b'D', b'{\"fps\": 25}')",
        PICTURE + "send(b'D', b'')",
        PICTURE + "send(b'D', b'7')",
        PICTURE + "send(b'D', b'{}')",
        PICTURE + "send(b'D', b'{\"fps\": NaN}')",
        PICTURE + "send(b'D', b'{\"fps\": 1e-9}')",
        PICTURE + "send(b'D', b'{\"fps\": [25]}')",
        PICTURE + "send(b'D', b'[' * 100_000)",
        "for _ in range(700): " + PICTURE,
    ],
)
def test_whatever_a_broken_child_sends_is_one_sentence(honest, child, program):
    child(program)
    assert "damaged" in refusal(honest)


def test_pictures_are_taken_by_their_times():
    pictures = np.arange(6)[:, None, None] * np.ones((1, 2, 2), int)
    assert at_rate(pictures, 25.0)[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert at_rate(pictures, 50.0)[:, 0, 0].tolist() == [1, 3, 5]
    assert len(at_rate(pictures, 12.5)) == 12
