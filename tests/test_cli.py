"""The command line, with a test double for the models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import FakeFace
from hostile.files import pcm, wav

from l2t.__main__ import main
from l2t.errors import RenderError, WeightsError
from l2t.manifest import sha256_of
from l2t.motion import ARKIT_NAMES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def speech(tmp_path):
    (tmp_path / "speech.wav").write_bytes(wav(pcm(1.0)))
    return tmp_path / "speech.wav"


@pytest.fixture
def bad(tmp_path):
    (tmp_path / "bad.wav").write_text("no sound at all")
    return tmp_path / "bad.wav"


@pytest.fixture
def call(capfd):
    """Runs the command; returns (status, lines on stdout, lines on stderr)."""
    faces = []

    def run(*argv, face=None):
        def factory(weights, device):
            faces.append((weights, device))
            return face or FakeFace()

        status = main([str(a) for a in argv], face_factory=factory)
        out, err = capfd.readouterr()
        return status, out.splitlines(), err.splitlines()

    run.faces = faces
    return run


def test_film_motion_and_sync_of_one_recording(call, speech, tmp_path):
    film, motion, sync = tmp_path / "o.mp4", tmp_path / "o.npz", tmp_path / "o.json"
    status, out, err = call(speech, "-o", film, "--motion", motion, "--sync", sync, "--size", 256)
    assert (status, err) == (0, [])
    assert len(out) == 2
    assert "weights: Test double" in out[0]
    assert "offset +0 ms" in out[1]
    with av.open(str(film)) as container:
        assert container.streams.video[0].codec_context.width == 256
    with np.load(motion, allow_pickle=False) as saved:
        assert saved["arkit"].shape == (30, 52)
        assert saved["arkit"].dtype == np.float32
        assert tuple(saved["names"]) == ARKIT_NAMES
        assert saved["fps"] == 30
    report = json.loads(sync.read_text())
    assert {"fps", "offset_frames", "offset_ms", "lse_d", "lse_c", "confidence"} <= report.keys()
    assert len(report["confidence"]) == 30
    assert None in report["confidence"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.json", "o.mp4", "o.npz", "speech.wav"]


def test_a_receipt_lists_what_was_made_and_with_what(call, speech, tmp_path):
    film, receipt = tmp_path / "o.mp4", tmp_path / "r.json"
    status, out, err = call(speech, "-o", film, "--receipt", receipt, "--size", 256, "--seed", 7)
    assert (status, err) == (0, [])
    assert str(receipt) in out[1]
    content = json.loads(receipt.read_text())
    assert content["results"] == {
        "film": {"bytes": film.stat().st_size, "sha256": sha256_of(film)}
    }
    assert content["made_with"]["renderer"] == FakeFace.renderer
    wished = {"size": 256, "seed": 7, "view": "front", "variants": ["default"]}
    assert wished.items() <= content["settings"].items()


def test_receipts_of_several_recordings_lie_beside_their_scores(call, speech, tmp_path):
    folder = tmp_path / "made"
    assert call(speech, speech, "--sync", folder, "--receipt", folder)[0] == 0
    assert sorted(p.name for p in folder.iterdir()) == [
        "speech-2.json", "speech-2.receipt.json", "speech.json", "speech.receipt.json",
    ]  # fmt: skip


def test_a_comparison_has_one_receipt(call, speech, tmp_path):
    motion, receipt = tmp_path / "m.npz", tmp_path / "r.json"
    asked = ("--motion", motion, "--receipt", receipt, "--compare", "full", "reconstruction")
    assert call(speech, *asked)[0] == 0
    content = json.loads(receipt.read_text())
    assert list(content["results"]) == ["motion-full", "motion-reconstruction"]
    assert not list(tmp_path.glob("r-*"))


def test_a_variant_speaks_and_one_that_is_not_there_stops_with_a_sentence(call, speech, tmp_path):
    file, usual = tmp_path / "m.npz", tmp_path / "usual.npz"
    assert call(speech, "--motion", file, "--variant", "reconstruction")[0] == 0
    assert call(speech, "--motion", usual)[0] == 0
    with np.load(file) as plain, np.load(usual) as default:
        assert np.allclose(2 * plain["arkit"], default["arkit"])
    status, _, err = call(speech, "--motion", file, "--variant", "faceformer")
    assert status == 2
    assert err == [
        "There is no variant 'faceformer' in these weights; "
        "choose one of default, full, reconstruction."
    ]


def test_the_head_moves_by_strength_and_seed(call, speech, tmp_path):
    file = tmp_path / "m.npz"
    assert call(speech, "--motion", file, "--head", "1", "--seed", "7")[0] == 0
    with np.load(file) as motion:
        assert np.allclose(motion["head"], [0.01, 0.007, 0])


def test_the_gaussian_head_is_filmed_from_its_orbit(call, speech, tmp_path):
    seen = []

    class Watched(FakeFace):
        def render_avatar(self, take, path, orbit, *more):
            seen.append((orbit.azimuth, orbit.elevation))
            return super().render_avatar(take, path, orbit, *more)

    film = tmp_path / "o.mp4"
    asked = (speech, "-o", film, "--avatar", "--orbit", "-20", "5", "--size", "256")
    assert call(*asked, face=Watched())[0] == 0
    assert seen == [(-20, 5)]
    assert film.exists()


def test_a_comparison_gives_one_film_and_files_of_each(call, speech, tmp_path):
    film, motion, sync = tmp_path / "o.mp4", tmp_path / "o.npz", tmp_path / "o.json"
    status, out, err = call(
        "--compare", "full", "reconstruction", speech, "-o", film, "--motion", motion,
        "--sync", sync, "--size", 256,
    )  # fmt: skip
    assert (status, err) == (0, [])
    names = "o-full.json o-full.npz o-reconstruction.json o-reconstruction.npz o.mp4 speech.wav"
    assert " ".join(sorted(p.name for p in tmp_path.iterdir())) == names
    assert "full: offset +0 ms" in out[1]
    assert "reconstruction: offset +0 ms" in out[1]
    with av.open(str(film)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.width, codec.height) == (512, 256)
    with np.load(tmp_path / "o-full.npz") as one, np.load(tmp_path / "o-reconstruction.npz") as two:
        assert np.allclose(one["arkit"], 2 * two["arkit"])


def test_a_comparison_of_several_recordings_goes_into_folders(call, speech, tmp_path):
    status, *_ = call(speech, speech, "--compare", "full", "default", "--sync", tmp_path / "made")
    assert status == 0
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        "speech-2-default.json", "speech-2-full.json", "speech-default.json", "speech-full.json",
    ]  # fmt: skip


def test_silence_has_no_number(call, tmp_path):
    (tmp_path / "s.wav").write_bytes(wav(bytes(32_000)))
    status, out, _ = call(tmp_path / "s.wav", "--sync", tmp_path / "s.json")
    report = json.loads((tmp_path / "s.json").read_text())
    assert status == 0
    assert "no speech found" in out[-1]
    assert report["lse_c"] is None
    assert set(report["confidence"]) == {None}


def test_a_refused_input_costs_a_sentence_and_the_others_are_done(call, speech, bad, tmp_path):
    missing = tmp_path / "missing.wav"
    status, out, err = call(bad, speech, missing, "--sync", tmp_path / "made")
    assert status == 1
    assert [line.split(":")[0] for line in err] == [str(bad), str(missing)]
    assert "known format" in err[0]
    assert len(out) == 2
    assert [p.name for p in (tmp_path / "made").iterdir()] == ["speech.json"]


def test_the_models_are_not_loaded_for_bad_input_and_once_for_many(call, speech, bad, tmp_path):
    call(bad, "-o", tmp_path / "x.mp4")
    assert call.faces == []
    call(speech, speech, "--motion", tmp_path / "m", "--weights", "debug", "--device", "cpu")
    assert call.faces == [("debug", "cpu")]
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["speech-2.npz", "speech.npz"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "Nothing to write"),
        (["--receipt", "r.json"], "Nothing to write"),
        (["-o", "x.mp4", "--receipt", "r.txt"], "end in .json"),
        (["--sync", "x.json", "--receipt", "x.json"], "named twice"),
        (["-o", "/proc/nowhere/x.mp4"], "cannot be written"),
        (["-o", "missing/x.mp4"], "cannot be written"),
        (["-o", "x.mov"], "end in .mp4"),
        (["-o", "x.mp4", "--size", "100"], "256 to 1024"),
        (["-o", "x.mp4", "--max-seconds", "0"], "--max-seconds"),
        (["-o", "x.mp4", "--max-seconds", "nan"], "--max-seconds"),
        (["-o", "x.mp4", "--avatar", "--compare", "full", "default"], "exclude each other"),
        (["-o", "x.mp4", "--head", "9"], "from 0 to 3, found 9"),
        (["-o", "x.mp4", "--head", "1", "--seed", "-3"], "whole number from 0"),
        (["-o", "x.mp4", "--compare", "full", "full"], "cannot be compared with itself"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(call, speech, options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = call(speech, *options)
    assert status == 2
    assert len(err) == 1
    assert says in err[0]
    assert call.faces == []


def test_an_unknown_identity_stops_everything_with_one_sentence(call, speech, tmp_path):
    status, _, err = call(speech, speech, "--motion", tmp_path / "m", "--identity", "nobody")
    assert status == 2
    assert len(err) == 1
    assert ", ".join(FakeFace.identities) in err[0]


def test_weights_that_cannot_be_had(speech, tmp_path, capfd):
    def factory(weights, device):
        raise WeightsError("There are no weights\nin this folder.")

    assert main([str(speech), "--sync", str(tmp_path / "s.json")], factory) == 2
    assert capfd.readouterr().err == "There are no weights in this folder.\n"


def test_a_film_that_fails_costs_a_sentence_and_the_drawing_process_ends(call, speech, tmp_path):
    class Failing(FakeFace):
        def render(self, *_, **__):
            raise RenderError("The pictures could not be drawn.")

    face = Failing()
    status, _, err = call(speech, "-o", tmp_path / "x.mp4", face=face)
    assert status == 1
    assert err == [f"{speech}: The pictures could not be drawn."]
    assert face.closed


def test_longer_speech_than_on_the_page_is_accepted(call, tmp_path):
    (tmp_path / "long.wav").write_bytes(wav(bytes(2 * 16_000 * 61)))
    status, *_ = call(tmp_path / "long.wav", "--motion", tmp_path / "m.npz")
    assert status == 0
    status, _, err = call(
        tmp_path / "long.wav", "--motion", tmp_path / "m.npz", "--max-seconds", 60
    )
    assert status == 1
    assert "61 seconds long" in err[0] or "at most 60" in err[0]


def test_as_a_program_it_helps_quickly_and_refuses_without_a_traceback(bad, tmp_path):
    def run(*argv):
        return subprocess.run(
            [sys.executable, "-m", "l2t", *map(str, argv)],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    help_text = run("--help").stdout
    options = "--receipt --replay --motion --sync --identity --style --variant --compare --view"
    for option in [*options.split(), "--weights", "512"]:
        assert option in help_text
    refused = run(bad, "-o", "x.mp4")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "Traceback" not in refused.stderr
