"""Publishing: only complete, sound and licensed weights leave, and they come back the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub.client import use_hub
from hub.folders import flip_byte, make_weights
from hub.loopback import LoopbackHub

from l2t import weights
from l2t.weights import load_tensors, resolve
from training import publish

ROOT = Path(publish.__file__).resolve().parents[1]
CARD = "---\nlicense: apache-2.0\ntags: [audio]\n---\n# Weights for a test\n"
ROLES = ("encoder", "student", "syncnet3d")


@pytest.fixture
def desk(tmp_path):
    """A folder of weights, a card and a licence; `.arguments` for the command."""

    class Desk:
        folder = make_weights(tmp_path / "weights", seed=4)
        card, licence = tmp_path / "MODEL_CARD.md", tmp_path / "LICENSE"
        arguments = (
            "org/new", "--folder", str(folder), "--card", str(card), "--licence", str(licence)
        )  # fmt: skip

    Desk.card.write_text(CARD)
    Desk.licence.write_text("Apache License")
    return Desk


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with LoopbackHub() as hub:
        use_hub(monkeypatch, hub, tmp_path / "hf")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")  # the loopback Hub speaks Git LFS only
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


def run(*arguments):
    """The command as a user runs it."""
    command = [sys.executable, "-m", "training.publish", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_round_trip(hub, desk, tmp_path, monkeypatch):
    done = run(*desk.arguments)
    assert done.returncode == 0, done.stderr
    commit = hub.repos["org/new"].refs["main"]
    assert f"--weights org/new@{commit}" in done.stdout
    tree = hub.repos["org/new"].commits[commit]
    assert tree["README.md"].decode() == CARD
    assert tree["LICENSE"] == b"Apache License"

    monkeypatch.setattr(weights, "EMBEDDED", make_weights(tmp_path / "embedded"))
    monkeypatch.delenv("HF_TOKEN")
    there, here = resolve(f"org/new@{commit}"), resolve(desk.folder)
    assert (there.source, there.digest) == ("hub", here.digest)
    for role in ROLES:
        (config, tensors), (same_config, same) = load_tensors(there, role), load_tensors(here, role)
        assert config == same_config
        assert tensors.keys() == same.keys()
        assert all((tensors[name] == same[name]).all() for name in same)


def test_publishing_again_sends_only_what_changed(hub, desk):
    assert run(*desk.arguments).returncode == 0
    hub.requests.clear()
    desk.card.write_text(CARD + "More.\n")
    assert run(*desk.arguments).returncode == 0
    assert hub.asked("PUT", "object") == 0
    tree = hub.repos["org/new"].tree("main")[1]
    assert tree["README.md"].endswith(b"More.\n")
    assert "student.safetensors" in tree


def test_another_endpoint(hub, desk, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run(*desk.arguments, "--endpoint", hub.url).returncode == 0
    assert "org/new" in hub.repos


def test_without_write_access(hub, desk, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    done = run(*desk.arguments)
    assert done.returncode == 1
    assert "no write access" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_hub(hub, desk):
    hub.close()
    done = run(*desk.arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("The Hub did not take org/new: ConnectError")


def test_dry_run_sends_nothing(desk, monkeypatch, capsys):
    monkeypatch.setattr(publish, "publish", lambda *_: pytest.fail("was sent"))
    assert publish.main([*desk.arguments, "--dry-run"]) == 0
    listed = capsys.readouterr().out
    for words in ("README.md", "LICENSE", "student.safetensors", "nothing was sent"):
        assert words in listed


def refused(desk, capsys, monkeypatch, words):
    monkeypatch.setattr(publish, "publish", lambda *_: pytest.fail("was sent"))
    assert publish.main(desk.arguments) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert words in message
    return True


def test_model_card_is_needed(desk, capsys, monkeypatch):
    desk.card.unlink()
    assert refused(desk, capsys, monkeypatch, "The model card is missing: MODEL_CARD.md")


def test_model_card_must_name_the_licence(desk, capsys, monkeypatch):
    desk.card.write_text(CARD.replace("license", "author"))
    assert refused(desk, capsys, monkeypatch, "MODEL_CARD.md names no license")


def test_licence_is_needed(desk, capsys, monkeypatch):
    desk.licence.write_text("")
    assert refused(desk, capsys, monkeypatch, "The licence is missing: LICENSE")


def test_each_file_needs_a_licence(desk, capsys, monkeypatch):
    text = (desk.folder / "manifest.json").read_text()
    (desk.folder / "manifest.json").write_text(text.replace('"Apache-2.0"', '""', 1))
    assert refused(desk, capsys, monkeypatch, "encoder.json has no command, data or licence")


def test_damaged_weights_stay_here(desk, capsys, monkeypatch):
    flip_byte(desk.folder / "student.safetensors")
    assert refused(desk, capsys, monkeypatch, "student.safetensors is damaged")


@pytest.mark.parametrize("name", ["new", "org/new@main", "../new", "a/b/c"])
def test_repository_names(desk, capsys, monkeypatch, name):
    desk.arguments = (name, *desk.arguments[1:])
    assert refused(desk, capsys, monkeypatch, "is no repository name")
