"""The disk behind the guard: what goes with age, and where uploads are cut."""

import os
import time

import pytest
from loops import finished

from l2t.disk import Quota
from l2t.ui.guard import disk
from l2t.ui.guard.disk import Disk
from l2t.ui.guard.refusal import Refusal


def test_old_files_and_their_folders_go_and_young_ones_stay(tmp_path):
    old, young = tmp_path / "a" / "old.wav", tmp_path / "b" / "young.wav"
    half, linked = tmp_path / "tmphalf", tmp_path / "c" / "link"
    for path in (old, half):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    linked.parent.mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_bytes(b"x")
    linked.symlink_to(outside)
    time.sleep(1.2)
    young.parent.mkdir()
    young.write_bytes(b"x")
    os.utime(young, (0, 0))  # a copy with the time of its original
    guard = Disk(tmp_path, keep=0.6)
    finished(guard.sweep())
    assert not old.exists()
    assert not half.exists()
    assert not linked.is_symlink()
    assert outside.exists()
    assert young.exists()
    time.sleep(0.8)
    young.write_bytes(b"y")
    finished(guard.sweep())
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_upload_is_cut_where_the_quota_ends(tmp_path):
    (tmp_path / "there").write_bytes(bytes(600))
    guard = Disk(tmp_path, 60, Quota(tmp_path, most=1_000, spare=0))
    finished(guard.make_room())
    guard.take(400)
    with pytest.raises(Refusal) as refusal:
        guard.take(1)
    assert refusal.value.status == 507


class Filling(Quota):
    """On a disk with so many bytes left."""

    left = 1_000

    def room(self) -> int:
        return self.left


@pytest.fixture
def filling(tmp_path, monkeypatch):
    """A disk that uploads share, far below the quota; room was made."""
    monkeypatch.setattr(Filling, "left", 1_000)
    made = Disk(tmp_path, 60, Filling(tmp_path))
    finished(made.make_room())
    return made


def test_uploads_together_are_cut_where_the_disk_ends(filling):
    for _ in range(4):
        filling.take(250)
    with pytest.raises(Refusal) as refusal:
        filling.take(1)
    assert refusal.value.status == 507


def test_a_disk_that_others_fill_while_an_upload_comes_is_noticed(filling, monkeypatch):
    filling.take(1)
    Filling.left = 0
    monkeypatch.setattr(disk, "FRESH", 0.0)
    with pytest.raises(Refusal):
        filling.take(1)
    Filling.left = 10  # and that they leave it again
    filling.take(10)


def test_what_is_taken_while_room_is_made_counts(tmp_path, monkeypatch):
    guard = Disk(tmp_path, 60, Quota(tmp_path, most=1_000, spare=0))

    def measured(_quota) -> int:
        guard.take(400)  # another upload goes on
        return 600

    monkeypatch.setattr(disk, "_make_room", measured)
    finished(guard.make_room())
    with pytest.raises(Refusal):
        guard.take(1)


def test_a_disk_that_is_full_of_young_files_refuses_and_of_old_ones_clears(tmp_path):
    (tmp_path / "there").write_bytes(bytes(2_000))
    with pytest.raises(Refusal, match="full"):
        finished(Disk(tmp_path, 60, Quota(tmp_path, most=1_000, spare=0)).make_room())
    os.utime(tmp_path / "there", (0, 0))
    finished(Disk(tmp_path, 60, Quota(tmp_path, 1_000, 0, young=-1.0)).make_room())
    assert not list(tmp_path.iterdir())
