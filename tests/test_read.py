"""`python -m l2t.read`: refusals before any model is loaded, and the JSON with tiny models."""

import json

import pytest

from l2t.read import main


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--noise", "rain"], "There is no noise 'rain'"),
        (["--snr", "77", "--noise", "white"], "from -20 to 40 dB, found 77"),
        (["--rules", "prose"], "no rules 'prose'"),
        (["--mouth", "nowhere.mp4"], "no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(voice, capsys, more, sentence):
    assert main([str(voice), *more]) == 1
    out, err = capsys.readouterr()
    assert sentence in err
    assert not out


def test_three_transcripts_come_out_as_one_line_of_json(voice, capsys):
    assert main([str(voice), "--noise", "white", "--snr", "-5", "--weights", "debug"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lips_of"] == "head"
    assert found["noise"] == "white"
    for source in ("audio", "lips", "both"):
        words = found[source]["words"]
        assert found[source]["text"] == " ".join(word["word"] for word in words)
        assert all(0 <= word["confidence"] <= 1 for word in words)
