"""Lip reading as a judge: right readings cost nothing, wrong ones their words, and photos count."""

import json

import numpy as np
import pytest

from l2t.face import FaceTemplate
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig
from l2t.motion import ARKIT_NAMES
from training.data.mouths import pack_mouths
from training.evaluate.clips import Clip
from training.evaluate.reading import Reading, first_of_each, grid_words, photos, read_films

SAID = ["B", "IH", "N", "B", "L", "UW", "AE", "T", "EH", "F", "T", "UW", "N", "AW"]


@pytest.fixture(scope="module")
def reading():
    reader = LipReader(LipReaderConfig(channels=(4, 4, 8, 8), width=16, blocks=1)).eval()
    return Reading(reader, FaceTemplate.load(), {"bbaf2n"})


def clip(name="bbaf2n", tracked=True):
    arkit = np.zeros((90, 52), np.float32) if tracked else None
    phones = (("SIL", 0.0, 0.2), ("B", 0.2, 0.3), ("IY", 0.3, 0.5))
    samples, text = np.zeros(48000, np.float32), "bin blue at F. two now"
    return Clip(name, samples, None, arkit, phones, text=text)


def scores(phones):
    """Log scores of a reader that is sure: each phone for four frames, silence around."""
    units = ["SIL"] * 5 + [p for phone in phones for p in [phone] * 4] + ["SIL"] * 5
    out = np.full((len(units), len(UNITS)), -20.0)
    out[np.arange(len(units)), [UNITS.index(u) for u in units]] = -0.01
    return out


def test_what_was_said_is_read_without_error(reading):
    assert grid_words(clip()) == ["bin", "blue", "at", "f", "two", "now"]
    assert reading.errors(clip(), scores(SAID)) == {"viseme": 0.0, "wer": 0.0, "free": 0.0}


def test_two_wrong_words_of_six_cost_a_third(reading):
    nine_soon = ["N", "AY", "N", "S", "UW", "N"]
    found = reading.errors(clip(), scores(SAID[:10] + nine_soon))
    assert found["wer"] == pytest.approx(2 / 6)
    assert found["viseme"] > 0


def test_phones_that_look_alike_are_no_viseme_error(reading):
    alike = ["P" if phone == "B" else phone for phone in SAID]
    assert reading.errors(clip(), scores(alike))["viseme"] == 0.0


def test_silence_reads_as_nothing(reading):
    found = reading.errors(clip(), scores([]))
    assert found["viseme"] == found["free"] == 1.0


def test_other_speech_is_read_as_phones_alone(reading):
    assert reading.errors(clip(tracked=False), scores(["B", "IY"])) == {"viseme": 0.0}


def test_renders_follow_the_motion_at_the_readers_rate(reading):
    arkit = np.zeros((90, 52), np.float32)
    arkit[45:, ARKIT_NAMES.index("jawOpen")] = 0.7
    drawn = reading.draw(arkit).numpy()
    assert drawn.shape == (75, 96, 96)
    assert np.abs(drawn[60] - drawn[10]).mean() > 0.01
    assert np.abs(drawn[5] - drawn[10]).max() < 1e-5


def test_only_named_clips_are_read_and_equal_motions_are_drawn_once(reading, monkeypatch):
    arkit = np.zeros((9, 52), np.float32)
    assert reading.of_motion(clip("other"), arkit) == {}
    found = reading.of_motion(clip(), arkit)
    assert set(found) == {"viseme", "wer", "free"}
    monkeypatch.setattr(reading, "draw", None)
    assert reading.of_motion(clip(), arkit.copy()) == found


def test_photos_are_read_by_name(reading, tmp_path):
    films = [np.full((75, 96, 96), grey, np.uint8) for grey in (10, 200)]
    pack_mouths(tmp_path / "mouths", "grid_s1", ["aaaaaa", "bbaf2n"], films)
    film = photos(tmp_path, "grid_s1")
    assert (film(clip()) == 200).all()
    assert photos(tmp_path, "grid_s26") is None
    read = read_films([clip("other"), clip()], film, reading)
    assert read[0] == {}
    assert set(read[1]) == {"viseme", "wer", "free"}
    assert json.loads((tmp_path / "mouths" / "grid_s1.json").read_text())["names"][1] == "bbaf2n"


def test_the_first_clips_of_every_tracked_set_are_read():
    sets = [[clip("a"), clip("b"), clip("c")], [clip("d")], [clip("e", tracked=False)]]
    assert first_of_each(sets, 2) == {"a", "b", "d"}
