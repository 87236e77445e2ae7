"""Replay: the settings of a receipt again, the inputs checked, each file compared."""

import contextvars
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from fakes import FakeFace
from hostile.files import pcm, wav

from l2t.__main__ import main
from l2t.avatar.camera import Orbit
from l2t.blinks import seed_of
from l2t.jobs import Job, Order
from l2t.receipt import receipt_of, write_receipt
from l2t.replay import HELD, Replay
from l2t.results import make_files
from l2t.speech import Limits, load_speech
from l2t.work import work


class Watched(FakeFace):
    """Remembers what it was asked for, and moves by the recording's own seed as the real one."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def animate_each(self, speech, variants, style=None, identity=None, *more, **moves):
        self.asked.append((variants, style, identity, moves["head"], moves["seed"]))
        if moves["seed"] is None:
            moves["seed"] = seed_of(speech.samples)
        return super().animate_each(speech, variants, style, identity, *more, **moves)

    def render(self, takes, path, view="front", size=512, *more, **others):
        self.asked.append((view, size))
        return super().render(takes, path, view, size, *more, **others)

    def render_avatar(self, take, path, orbit, size=512, *more):
        self.asked.append((orbit, size))
        return super().render(take, path, "front", size, *more)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a recording, and the receipt of its film, motion and scores."""
    room = tmp_path_factory.mktemp("replay")
    (room / "speech.wav").write_bytes(wav(pcm(0.5)))
    argv = [room / "speech.wav", "-o", room / "o.mp4", "--motion", room / "o.npz",
            "--sync", room / "o.json", "--receipt", room / "r.json", "--size", 256, "--head", 1,
            "--identity", "old-female", "--view", "side"]  # fmt: skip
    assert main([str(a) for a in argv], lambda *_: Watched()) == 0
    return room


@pytest.fixture
def speech(base):
    return base / "speech.wav"


@pytest.fixture
def made(base, tmp_path):
    """The receipt, to be spoilt at will."""
    return Path(shutil.copy(base / "r.json", tmp_path))


@pytest.fixture
def call(capfd):
    """Runs the command; returns (status, lines on stdout after the weights', on stderr)."""
    loaded = []

    def run(*argv, face=None):
        def factory(weights, device, **more):
            loaded.append((weights, device, more))
            return face or Watched()

        status = main([str(a) for a in argv], face_factory=factory)
        out, err = capfd.readouterr()
        said = [line for line in out.splitlines() if "weights:" not in line]
        return status, said, err.splitlines()

    run.loaded = loaded
    return run


def spoil(path, change) -> None:
    """Rewrites a receipt after `change` was made to it."""
    receipt = json.loads(path.read_text())
    change(receipt)
    path.write_text(json.dumps(receipt))


def test_without_outputs_every_file_is_made_compared_and_thrown_away(
    call, made, speech, tmp_path, monkeypatch
):
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    before = sorted(tmp_path.iterdir())
    status, out, err = call("--replay", made, speech)
    assert (status, err) == (0, [])
    assert sorted(out) == ["film: same", "motion: same", "sync: same"]
    assert sorted(tmp_path.iterdir()) == before
    assert not list((tmp_path / "temp").iterdir())


def test_the_settings_are_the_receipts_with_the_seed_that_was_used(call, made, speech, tmp_path):
    face, seed = Watched(), json.loads(made.read_text())["settings"]["seed"]
    status, out, _ = call("--replay", made, speech, "-o", tmp_path / "again.mp4", face=face)
    assert status == 0
    assert face.asked == [(("default",), "calm", "old-female", 1.0, seed), ("side", 256)]
    assert out[-1] == "film: same"
    assert (tmp_path / "again.mp4").exists()


def test_a_file_that_differs_is_named_and_the_status_is_3(call, made, speech):
    spoil(made, lambda r: r["results"]["motion"].update(sha256="0" * 64))
    status, out, _ = call("--replay", made, speech)
    assert status == 3
    assert sorted(out) == ["film: same", "motion: differs", "sync: same"]


def test_what_the_receipt_does_not_hold_is_made_and_said_to_be_new(call, made, speech, tmp_path):
    spoil(made, lambda r: r["results"].pop("sync"))
    again = tmp_path / "again.json"
    status, out, _ = call("--replay", made, speech, "--sync", again)
    assert (status, out[1:]) == (0, ["sync: not in the receipt"])
    assert again.exists()
    spoil(made, lambda r: r["results"].clear())
    status, out, err = call("--replay", made, speech)
    assert (status, out) == (2, [])
    assert "lists no results" in err[0]


def test_a_comparison_is_replayed_as_one(call, speech, tmp_path):
    receipt = tmp_path / "r.json"
    call("--compare", "full", "reconstruction", speech, "--motion", tmp_path / "o.npz",
         "--receipt", receipt)  # fmt: skip
    face = Watched()
    status, out, _ = call("--replay", receipt, speech, face=face)
    assert (status, out) == (0, ["motion-full: same", "motion-reconstruction: same"])
    assert face.asked[0][0] == ("full", "reconstruction")


def test_every_file_of_the_page_is_made_again_its_gaussian_head_too(call, speech, tmp_path):
    """A receipt as the service writes it: other files, an orbit with a zoom."""
    face, order = Watched(), Order(speech, orbit=Orbit(20, 5, 2.0), size=256)
    takes = face.animate_each(load_speech(speech), order.variants, head=0.0, seed=None)
    endings = {"film": "mp4", "motion": "npz", "csv": "csv", "glb": "glb", "sync": "json",
               "ply": "ply", "splat": "splat"}  # fmt: skip
    files = {name: tmp_path / f"page.{ending}" for name, ending in endings.items()}
    make_files(face, takes, order, files)
    write_receipt(receipt_of(order, takes, files, face.renderer, "cpu"), tmp_path / "r.json")
    again = Watched()
    status, out, err = call("--replay", tmp_path / "r.json", speech, face=again)
    assert (status, err) == (0, [])
    assert sorted(out) == sorted(f"{name}: same" for name in endings)
    assert again.asked[-1] == (Orbit(20, 5, 2.0), 256)


@pytest.mark.parametrize("wish", [{"orbit": Orbit(-725.0, 5.0)}, {"variants": ("full", "default")},
                                  {"head": 2, "seed": 7.0, "view": "side"}])  # fmt: skip
def test_a_receipt_of_the_page_can_be_replayed(call, speech, tmp_path, wish):
    """Written by the page's own work, from values as its controls give them."""
    face, order = Watched(), Order(speech, size=256, **wish)
    job = Job(order, "somebody", tmp_path, contextvars.copy_context())
    job.begin(60.0)

    def infer(heard, style, identity, variants, head, seed):
        return face.animate_each(heard, variants, style, identity, head=head, seed=seed)

    made = work(job, face, infer, Limits())
    status, out, err = call("--replay", made.receipt, speech)
    assert (status, err) == (0, [])
    assert {"film: same", f"motion{'-full' if 'variants' in wish else ''}: same"} <= set(out)
    assert all(line.endswith(": same") for line in out)


def test_another_recording_is_refused_before_the_models_are_loaded(call, made, tmp_path):
    (tmp_path / "other.wav").write_bytes(wav(pcm(0.6)))
    call.loaded.clear()
    status, out, err = call("--replay", made, tmp_path / "other.wav")
    assert (status, out, len(err)) == (2, [], 1)
    assert "not the recording of the receipt (0.50 seconds" in err[0]
    assert call.loaded == []


def test_the_same_sound_in_another_file_is_the_same_recording(call, made, speech, tmp_path):
    samples, rate = soundfile.read(speech, dtype="int16")
    soundfile.write(tmp_path / "speech.flac", samples, rate, subtype="PCM_16")
    status, out, err = call("--replay", made, tmp_path / "speech.flac")
    assert (status, len(out)) == (0, 3)
    assert err == ["Another file than the receipt's, with the same sound."]


def test_other_weights_are_refused_and_never_fetched_because_a_receipt_says_so(call, made, speech):
    def elsewhere(receipt):
        receipt["weights"] |= {"source": "hub", "repo": "some/body", "revision": "a" * 40,
                               "manifest": "b" * 64}  # fmt: skip

    spoil(made, elsewhere)
    call.loaded.clear()
    status, out, err = call("--replay", made, speech)
    assert (status, out) == (2, [])
    assert err == [
        "The receipt was made with other weights than these (Test double, not trained): with hub "
        f"some/body@{'a' * 40}, manifest bbbbbbbbbbbb...; name those with --weights."
    ]
    assert call.loaded == [(None, "cpu", {})]
    spoil(made, lambda r: r["weights"].update(files={"student.safetensors": "0" * 64}))
    assert call("--replay", made, speech)[0] == 2


def test_another_face_template_is_refused(call, made, speech):
    spoil(made, lambda r: r["assets"].update({"head.npz": "0" * 64}))
    status, _, err = call("--replay", made, speech)
    assert status == 2
    assert "another face template" in err[0]


def test_other_versions_are_a_remark_and_the_work_goes_on(call, made, speech):
    def older(receipt):
        receipt["made_with"]["packages"].update(numpy="1.0", more="7")
        receipt["made_with"]["cpu_capability"] = "DEFAULT"

    spoil(made, older)
    status, out, err = call("--replay", made, speech)
    assert (status, len(out), len(err)) == (0, 3, 1)
    assert err[0].startswith("The receipt was made with numpy 1.0 (here 2.")
    assert "more 7 (here None), cpu_capability DEFAULT (here " in err[0]
    assert err[0].endswith("; the files may differ.")


def test_a_receipt_of_a_motion_says_nothing_of_what_draws_here(call, speech, made, tmp_path):
    spoil(made, lambda r: r["made_with"].update(renderer="pyvista (a card)"))
    status, _, err = call("--replay", made, speech, "--motion", tmp_path / "m.npz")
    assert (status, err) == (0, [])
    (remark,) = call("--replay", made, speech)[2]
    assert "renderer pyvista (a card) (here a test renderer)" in remark


GIVEN = {"identity": "x", "style": "x", "variant": "full", "head": "1", "seed": "1",
         "view": "side", "size": "300"}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_no_setting_may_be_given_beside_a_receipt(call, made, speech, name):
    call.loaded.clear()
    more = {"compare": ["full", "sync"], "orbit": ["1", "2"], "avatar": []}
    words = more[name] if name in more else [GIVEN[name]]
    status, _, err = call("--replay", made, speech, f"--{name}", *words)
    assert status == 2
    assert err == [f"--replay takes the settings from the receipt; leave out --{name}."]
    assert call.loaded == []


def test_a_receipt_is_of_one_recording(call, made, speech):
    status, _, err = call("--replay", made, speech, speech)
    assert (status, len(err)) == (2, 1)
    assert "found 2" in err[0]


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 1}', "[]", "NaN"])
def test_what_is_no_receipt_costs_one_sentence(call, speech, tmp_path, content):
    (tmp_path / "r.json").write_text(content)
    status, out, err = call("--replay", tmp_path / "r.json", speech)
    assert (status, out, len(err)) == (2, [], 1)
    assert call.loaded == []


def test_values_that_the_layout_allows_are_still_checked_as_options_are(call, made, speech):
    spoil(made, lambda r: r["settings"].update(size=301))
    assert "even whole number" in call("--replay", made, speech)[2][0]
    spoil(made, lambda r: r["settings"].update(size=300, identity="nobody"))
    status, _, err = call("--replay", made, speech)
    assert status == 2
    assert "old-male, old-female" in err[0]


def test_what_drew_in_software_is_drawn_in_software(made, monkeypatch):
    def painter(renderer):
        spoil(made, lambda r: r["made_with"].update(renderer=renderer))
        return Replay(made).painter

    monkeypatch.delenv("L2T_RENDERER", raising=False)
    assert painter("pyvista (EGL, llvmpipe)") is None
    assert painter("software") == "software"
    monkeypatch.setenv("L2T_RENDERER", "pyvista")
    assert painter("software") is None


def test_the_painter_reaches_whoever_makes_the_face(call, made, speech):
    spoil(made, lambda r: r["made_with"].update(renderer="software"))
    call("--replay", made, speech)
    assert call.loaded[-1] == (None, "cpu", {"painter": "software"})


def test_a_decoder_that_reads_the_file_otherwise_is_a_remark(made, speech):
    replay, heard = Replay(made), load_speech(speech)
    assert replay.check_recording(speech, heard) is None
    other = replay.check_recording(speech, replace(heard, samples=heard.samples * 0.5))
    assert "decoded to other samples" in other
