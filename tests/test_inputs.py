"""What a job holds of its order: plain files by their names, whatever becomes of the uploads."""

import errno
import os
import shutil

import pytest

from l2t.inputs import held, refresh
from l2t.jobs import Order
from l2t.lipjobs import LipOrder


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def file(path, content=b"sound"):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_are_held_under_their_names_and_stay_when_the_uploads_go(home, tmp_path):
    recording, film = file(home / "a/voice.mp4"), file(home / "b/voice.mp4", b"film")
    order = held(LipOrder(recording, film, rules="words"), home / "job", home)
    shutil.rmtree(home / "a"), shutil.rmtree(home / "b")
    assert (order.recording.read_bytes(), order.film.read_bytes()) == (b"sound", b"film")
    assert {order.recording.name, order.film.name} == {"voice.mp4"}
    assert order.rules == "words"


def test_an_order_without_a_film_has_none(home):
    assert held(LipOrder(file(home / "a/voice.wav")), home / "job", home).film is None


def test_where_no_links_can_be_made_there_are_copies(home, monkeypatch):
    def link(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    order = held(Order(file(home / "a/voice.wav")), home / "job", home)
    assert order.recording.stat().st_nlink == 1
    assert order.recording.read_bytes() == b"sound"


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "link", "elsewhere", "null"])
def test_what_cannot_or_need_not_be_held_is_left_for_the_work_to_judge(home, tmp_path, kind):
    path = home / "voice.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(file(tmp_path / "elsewhere.wav"))
    elif kind == "elsewhere":
        path = file(tmp_path / "elsewhere.wav")
    elif kind == "null":
        path = home / "a\0b.wav"
    order = Order(path)
    assert held(order, home / "job", home) is order
    assert not (home / "job").exists()


def test_a_disk_without_room_for_a_copy_leaves_the_upload_where_it_is(home, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    order = Order(file(home / "a/voice.wav"))
    assert held(order, home / "job", home) is order
    assert not list((home / "job").glob("*"))
    assert "No space left" in caplog.text
    assert "secret" not in caplog.text


def test_what_is_held_gets_young(home):
    upload = file(home / "a/voice.wav")
    os.utime(upload, (0, 0))
    order = held(Order(upload), home / "job", home)
    refresh(home / "job", 2_000_000_000.0)
    assert order.recording.stat().st_mtime == upload.stat().st_mtime == 2_000_000_000.0
    refresh(home / "gone", 1.0)
