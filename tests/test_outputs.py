"""Outputs: which file goes where, and what is refused before any work."""

import os
from pathlib import Path

import pytest

from l2t.errors import OutputError
from l2t.outputs import check_writable, plan, write_whole


def targets(film=None, motion=None, sync=None) -> dict:
    return {"film": film, "motion": motion, "sync": sync}


def test_one_recording_gives_files(tmp_path):
    ((made,),) = plan([Path("a.wav")], targets(tmp_path / "x.mp4", sync=tmp_path / "y.json"))
    assert made.wanted() == [tmp_path / "x.mp4", tmp_path / "y.json"]
    assert not list(tmp_path.iterdir())  # nothing is written yet


def test_one_recording_into_a_folder_that_exists(tmp_path):
    ((made,),) = plan([Path("in/a.wav")], targets(tmp_path, tmp_path))
    assert made.wanted() == [tmp_path / "a.mp4", tmp_path / "a.npz"]


def test_several_recordings_give_folders_and_names_of_their_own(tmp_path):
    speeches = [Path("a.wav"), Path("b.mp3"), Path("other/a.wav"), Path("a-2.ogg")]
    made = plan(speeches, targets(tmp_path / "films" / "new", sync=tmp_path / "sync"))
    names = [only.film.name for (only,) in made]
    assert names == ["a.mp4", "b.mp4", "a-2.mp4", "a-2-2.mp4"]
    assert (tmp_path / "films" / "new").is_dir()
    assert made[1][0].sync == tmp_path / "sync" / "b.json"


def test_variants_share_the_film_and_have_files_of_their_own(tmp_path):
    wishes = targets(tmp_path / "x.mp4", tmp_path / "m.npz", tmp_path)
    ((first, second),) = plan([Path("a.wav")], wishes, ["full", "sync"])
    assert [p.name for p in first.wanted()] == ["x.mp4", "m-full.npz", "a-full.json"]
    assert [p.name for p in second.wanted()] == ["m-sync.npz", "a-sync.json"]


def test_a_receipt_is_one_for_all_variants_and_is_told_from_scores(tmp_path):
    wishes = targets(sync=tmp_path) | {"receipt": tmp_path}
    ((first, second),) = plan([Path("a.wav")], wishes, ["full", "sync"])
    assert [p.name for p in first.wanted()] == ["a-full.json", "a.receipt.json"]
    assert [p.name for p in first.results()] == ["a-full.json"]
    assert [p.name for p in second.wanted()] == ["a-sync.json"]


def test_files_of_variants_overwrite_no_recording(tmp_path):
    speeches = [tmp_path / "m-full.npz"]
    with pytest.raises(OutputError, match="named twice"):
        plan(speeches, targets(motion=tmp_path / "m.npz"), ["full", "sync"])


@pytest.mark.parametrize(
    ("name", "says"),
    [("x.avi", "end in .mp4"), ("x", "end in .mp4"), ("missing/x.mp4", "No such file")],
)
def test_a_film_that_cannot_be(tmp_path, name, says):
    with pytest.raises(OutputError, match=says):
        plan([Path("a.wav")], targets(tmp_path / name))


def test_no_file_is_named_twice_and_no_recording_overwritten(tmp_path):
    with pytest.raises(OutputError, match="named twice"):
        plan([tmp_path / "a.mp4"], targets(tmp_path / "a.mp4"))
    with pytest.raises(OutputError, match=r"end in \.npz"):
        plan([Path("a.wav")], targets(motion=tmp_path / "a.mp4"))


def test_several_recordings_cannot_share_a_file(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot be made a folder"):
        plan([Path("a.wav"), Path("b.wav")], targets(tmp_path / "x.mp4"))


def test_check_leaves_what_is_there(tmp_path):
    path = tmp_path / "x.mp4"
    path.write_bytes(b"old")
    check_writable(path)
    assert path.read_bytes() == b"old"
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(tmp_path / "x.mp4")


def test_write_whole_leaves_the_old_file_when_the_writer_fails(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("old")

    def half(part: Path):
        part.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    write_whole(path, lambda part: part.write_text("new"))
    assert path.read_text() == "new"


def test_a_file_in_the_place_of_the_folder_costs_one_sentence(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OutputError, match="could not be written"):
        write_whole(tmp_path / "folder" / "x.csv", lambda part: part.write_text("x"))
