"""The endpoint /read_lips through gradio_client, with test doubles behind it."""

import wave
from pathlib import Path

import pytest

gradio_client = pytest.importorskip("gradio_client")
CLIPS = Path(__file__).resolve().parents[1] / "assets" / "lips"


@pytest.fixture(scope="module")
def client(served):
    return gradio_client.Client(served.address, verbose=False)


def ask(client, recording, film=None, **choices):
    file, film = (gradio_client.handle_file(str(f)) if f else None for f in (recording, film))
    wanted = {"noise": "white", "snr": -5, "rules": "grid"} | choices
    return client.predict(file, film, api_name="/read_lips", **wanted)


def test_transcripts_and_the_noisy_sound_come_back(client, voice):
    found, sound = ask(client, voice)
    assert found["audio"]["text"] == "bin"
    assert found["both"]["text"] == "bin blue"
    assert found["lips_of"] == "head"
    assert (found["noise"], found["snr_db"]) == ("white", -5)
    word = found["both"]["words"][1]
    assert word == {"word": "blue", "start": 0.6, "end": 1.0, "confidence": 0.5}
    with wave.open(sound) as heard:
        assert heard.getnframes() == 2 * heard.getframerate()


def test_the_lips_of_a_film_are_read_where_there_is_one(client):
    found, _ = ask(client, CLIPS / "lbad6n.opus", CLIPS / "lbad6n.mp4", noise="none")
    assert found["lips_of"] == "film"
    assert found["noise"] is None


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"noise": "rain"}, "There is no noise 'rain'"),
        ({"snr": 99}, "from -20 to 40 dB, found 99"),
        ({"rules": "prose"}, "no rules 'prose'"),
        ({"film": CLIPS / "lbad6n.mp4"}, "lasts 3.0 seconds and the recording 2.0"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(client, voice, choices, sentence):
    with pytest.raises(gradio_client.exceptions.AppError, match=sentence):
        ask(client, voice, **choices)
