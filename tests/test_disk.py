"""The quota: what is counted, what goes first, and when nothing more is taken."""

import os
import shutil
import time

import pytest

from l2t import disk
from l2t.disk import Quota
from l2t.errors import Busy


def file(folder, name: str, size: int, age: float = 0.0):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.fixture
def aged(monkeypatch):
    """Files are as old as `file` says: when they came here, it cannot choose."""
    monkeypatch.setattr(disk, "arrived", lambda facts: facts.st_mtime)


def test_files_below_the_folder_are_counted_and_links_are_not_followed(tmp_path):
    home, outside = tmp_path / "home", file(tmp_path, "outside", 5000)
    file(home, "a", 1000), file(home, "deep/down/b", 200)
    (home / "link").symlink_to(outside)
    (home / "way").symlink_to(tmp_path)
    assert Quota(home).used() == 1200


def test_nothing_goes_while_there_is_room(tmp_path):
    old = file(tmp_path, "old", 900, age=9999)
    Quota(tmp_path, most=1000, spare=0).make_room()
    assert old.exists()


def test_the_oldest_go_first_and_no_more_than_needed(tmp_path, aged):
    oldest, old, new = (file(tmp_path, n, 600, a) for n, a in (("x", 9000), ("y", 8000), ("z", 0)))
    Quota(tmp_path, most=1300, spare=0).make_room()
    assert [path.exists() for path in (oldest, old, new)] == [False, True, True]


def test_a_copy_is_as_young_as_its_arrival(tmp_path):
    """Gradio copies examples with the time at which their originals changed."""
    home, original = tmp_path / "home", file(tmp_path, "original", 2000, age=9_000_000)
    home.mkdir()
    copy = shutil.copy2(original, home / "copy")
    with pytest.raises(Busy):
        Quota(home, most=1000, spare=0).make_room()
    assert copy.exists()


def test_young_files_stay_and_the_visitor_is_told(tmp_path):
    young = file(tmp_path, "young", 2000, age=60)
    with pytest.raises(Busy, match="disk is full"):
        Quota(tmp_path, most=1000, spare=0).make_room()
    assert young.exists()


def test_what_links_point_to_is_never_removed(tmp_path):
    home, outside = tmp_path / "home", file(tmp_path, "outside", 2000, age=9000)
    file(home, "a", 2000, age=60)
    (home / "link").symlink_to(outside)
    with pytest.raises(Busy):
        Quota(home, most=1000, spare=0).make_room()
    assert outside.exists()


def test_the_disk_itself_is_never_filled(tmp_path):
    with pytest.raises(Busy, match="disk is full"):
        Quota(tmp_path, most=1000, spare=1 << 60).make_room()


def test_room_ends_where_the_spare_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9000, 8000, 1000))
    assert Quota(tmp_path, spare=300).room() == 700
    assert Quota(tmp_path, spare=1200).room() == -200
