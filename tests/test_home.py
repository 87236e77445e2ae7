"""The folder of a run: a live one stays whatever its age, what killed ones left goes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from l2t import home as module
from l2t.home import LOCK, PREFIX, home, sweep

ROOT = Path(__file__).resolve().parents[1]
RUN = """from l2t.home import home; import time
with home() as files: print(files, flush=True); time.sleep(99)"""


@pytest.fixture
def tmp(tmp_path, monkeypatch):
    """Where runs have their folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    """Ten days, with what is in it."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (time.time() - 864_000,) * 2)


@pytest.fixture
def other(tmp):
    """Another process with a run in the same place: it, and its folder."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp)},
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        files = Path(process.stdout.readline().strip())
        assert files.parent.parent == tmp
        yield process, files
        process.kill()


def test_a_run_has_its_folder_to_itself_and_takes_it_along(tmp):
    with home() as files:
        assert files.is_dir()
        assert list(files.iterdir()) == []
        (files / "recording").write_bytes(b"x")
    assert list(tmp.iterdir()) == []


def test_the_folder_of_a_live_run_stays_however_old_it_is(tmp, other):
    _, files = other
    age(files.parent)
    with home() as mine:
        assert files.is_dir()
        assert mine != files
        age(mine.parent)
        sweep(tmp)
        assert mine.is_dir()


def test_the_folder_of_a_killed_run_goes_at_once(tmp, other):
    process, files = other
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert files.is_dir()
    with home():
        assert not files.parent.exists()


def test_without_a_lock_a_folder_has_a_day(tmp):
    old, new, else_ = tmp / f"{PREFIX}old", tmp / f"{PREFIX}new", tmp / "learn2talk-else"
    for folder in (old, new, else_):
        (folder / "files").mkdir(parents=True)
    age(old)
    age(else_)
    sweep(tmp)
    assert [folder.exists() for folder in (old, new, else_)] == [False, True, True]


@pytest.mark.parametrize("kind", ["a pipe", "a link", "a folder"])
def test_what_others_put_there_neither_stops_a_start_nor_is_followed(tmp, kind):
    folder, outside = tmp / f"{PREFIX}odd", tmp / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "file").write_bytes(b"x")
    if kind == "a pipe":
        os.mkfifo(folder / LOCK)
    elif kind == "a link":
        (folder / LOCK).symlink_to(outside / "file")
    else:
        (tmp / f"{PREFIX}link").symlink_to(outside)
        (folder / LOCK).mkdir()
    with home() as files:
        assert files.is_dir()
    assert (outside / "file").exists()


def test_where_open_files_cannot_be_removed_that_is_the_lock(tmp, monkeypatch):
    """As on Windows, where Python has no flock."""
    monkeypatch.setattr(module, "fcntl", None)
    alive, dead = tmp / f"{PREFIX}alive", tmp / f"{PREFIX}dead"
    for folder in (alive, dead):
        (folder / "files").mkdir(parents=True)
        (folder / LOCK).touch()
    unlink = Path.unlink

    def refuse(path: Path) -> None:
        if path.parent == alive:
            raise PermissionError(13, "in use")
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    with home() as files:
        assert (files.parent / LOCK).exists()
        assert (alive.exists(), dead.exists()) == (True, False)
