"""Reading the published files: both layouts give the same clips, and every fault one sentence."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from paper_files import face, motion, name_of, some_clips, sound, write_dataset, write_release

from training.paper.biwi import BIWI, open_biwi
from training.paper.clips import resample, to_speech
from training.paper.layout import DatasetError
from training.paper.masks import read_mask
from training.paper.pickles import read_pickle
from training.paper.vocaset import VOCASET, open_vocaset

# The same datasets with fewer vertices, where the size of the mesh does not matter.
VOCA = replace(VOCASET, vertices=60)
BIWI_ = replace(BIWI, vertices=60)
FIRST = VOCASET.train.subjects[0]


@pytest.fixture
def voca(tmp_path):
    return write_dataset(tmp_path / "voca", VOCA)


@pytest.fixture(scope="module")
def full_sizes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    return {layout.name: write_dataset(folder / layout.name, layout) for layout in (VOCASET, BIWI)}


@pytest.mark.parametrize(("layout", "opened"), [(VOCASET, open_vocaset), (BIWI, open_biwi)])
def test_vertices_come_out_as_displacements_at_the_rate_of_training(full_sizes, layout, opened):
    corpus = opened(full_sizes[layout.name])
    keys = some_clips(layout)
    for seed in (0, len(keys) - 1):
        clip = corpus.clips[keys[seed]]
        moved = corpus.displacement(clip)
        assert moved.dtype == np.float32
        assert moved.shape == (8, layout.vertices * 3)  # 16 frames of 60 fps, 8 of 25
        truth = motion(layout, seed)
        if layout is VOCASET:  # a frame of 30 fps lies in the middle between two of 60
            truth = (truth[0::2] + truth[1::2]) / 2
        np.testing.assert_allclose(moved, truth, atol=1e-6)


@pytest.mark.parametrize(("layout", "opened"), [(VOCASET, open_vocaset), (BIWI, open_biwi)])
def test_splits_hold_the_clips_that_are_there_in_the_published_order(full_sizes, layout, opened):
    corpus = opened(full_sizes[layout.name])
    for name, split in layout.splits.items():
        there = [key for key in split.wanted() if key in set(some_clips(layout))]
        assert [(c.subject, c.sentence) for c in corpus.split(name)] == there


def test_the_release_as_downloaded_holds_the_same(tmp_path, voca):
    one, other = open_vocaset(voca, VOCA), open_vocaset(write_release(tmp_path / "r", VOCA), VOCA)
    assert set(one.clips) == set(other.clips)
    for key, clip in one.clips.items():
        np.testing.assert_allclose(
            one.displacement(clip), other.displacement(other.clips[key]), atol=1e-6
        )
        np.testing.assert_allclose(clip.hear(), other.clips[key].hear(), atol=1e-4)


def test_the_releases_vertices_stay_on_disk(tmp_path):
    corpus = open_vocaset(write_release(tmp_path / "r", VOCA), VOCA)
    stored = next(iter(corpus.clips.values())).read.args[0]
    assert isinstance(stored, np.memmap)


def test_frames_may_be_rows_of_numbers_or_of_vertices_and_names_with_or_without_e(tmp_path):
    folder = write_dataset(tmp_path / "biwi", BIWI_)
    before = open_biwi(folder, BIWI_)
    moved = {key: before.displacement(clip) for key, clip in before.clips.items()}
    for path in (folder / "vertices_npy").glob("*.npy"):
        stored = np.load(path).astype(np.float64).reshape(-1, 60, 3)
        path.unlink()
        np.save(path.with_name(path.name.replace("_e", "_")), stored)
    for path in (folder / "wav").glob("*.wav"):
        path.rename(path.with_name(path.name.replace("_e", "_")))
    after = open_biwi(folder, BIWI_)
    assert set(after.clips) == set(moved)
    for key, clip in after.clips.items():
        np.testing.assert_allclose(after.displacement(clip), moved[key], atol=1e-7)


def test_resampling_goes_by_time_stamps():
    times = (np.arange(60) + 0.5) / 60
    rows = np.stack([times, 3 * times], axis=1).astype(np.float32)
    for fps in (30, 25, 24):
        made = resample(rows, 60.0, fps)
        expected = (np.arange(fps) + 0.5) / fps
        np.testing.assert_allclose(made, np.stack([expected, 3 * expected], 1), atol=1e-6)
    assert resample(rows[:1], 60.0, 30.0).shape == (1, 2)


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_sound_of_any_type_and_rate_becomes_the_same_speech(kind):
    samples = sound(VOCASET, 0)
    speech = to_speech(samples.astype(kind), 22050)
    np.testing.assert_allclose(speech, to_speech(samples, 22050), atol=1e-4)
    assert len(speech) == pytest.approx(len(samples) / 22050 * 16000, abs=2)
    stereo = np.stack([samples, samples], axis=1).astype(kind)
    np.testing.assert_allclose(to_speech(stereo, 22050), speech, atol=1e-4)


def sentence_of(call) -> str:
    with pytest.raises(DatasetError) as caught:
        call()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("part", ["wav", "templates.pkl", "vertices_npy"])
def test_a_missing_part_is_named_with_where_to_get_it(voca, part):
    (voca / part).rename(voca.parent / "aside")
    text = sentence_of(lambda: open_vocaset(voca, VOCA))
    assert text.startswith(f"{part} is missing in")
    assert "voca.is.tue.mpg.de" in text


@pytest.mark.parametrize("name", ["raw_audio_fixed", "subj_seq_to_idx", "templates"])
def test_a_missing_file_of_the_release_is_named_too(tmp_path, name):
    folder = write_release(tmp_path / "r", VOCA)
    (folder / f"{name}.pkl").unlink()
    assert sentence_of(lambda: open_vocaset(folder, VOCA)).startswith(f"{name}.pkl is missing in")


def test_an_empty_folder_of_biwi_says_where_biwi_is(tmp_path):
    text = sentence_of(lambda: open_biwi(tmp_path, BIWI_))
    assert "data.vision.ee.ethz.ch" in text
    assert "CodeTalker" in text


def test_a_subject_without_any_clip_is_named(voca):
    for path in (voca / "vertices_npy").glob(f"{FIRST}_*"):
        path.unlink()
    text = sentence_of(lambda: open_vocaset(voca, VOCA))
    assert f"no sentence 1-40 of {FIRST}" in text
    assert "train split" in text


def test_the_wrong_number_of_vertices_is_named(voca):
    path = voca / "vertices_npy" / f"{name_of(VOCA, FIRST, 1)}.npy"
    np.save(path, np.zeros((16, 59 * 3), np.float32))
    text = sentence_of(lambda: open_vocaset(voca, VOCA))
    assert path.name in text
    assert "(16, 177)" in text
    assert "(frames, 180)" in text


def test_arrays_of_objects_are_refused_unread(voca):
    path = voca / "vertices_npy" / f"{name_of(VOCA, FIRST, 1)}.npy"
    np.save(path, np.array([{}], object), allow_pickle=True)
    assert "cannot be read" in sentence_of(lambda: open_vocaset(voca, VOCA))


def test_a_number_that_is_not_finite_is_named_with_its_frame(voca):
    path = voca / "vertices_npy" / f"{name_of(VOCA, FIRST, 2)}.npy"
    stored = np.load(path)
    stored[5, 7] = np.nan
    np.save(path, stored)
    corpus = open_vocaset(voca, VOCA)
    text = sentence_of(lambda: corpus.displacement(corpus.clips[FIRST, 2]))
    assert text.startswith(f"{path.stem} holds numbers that are not finite, first in frame 5")


def test_another_frame_rate_than_published_is_told_from_the_sounds(voca):
    for path in (voca / "vertices_npy").glob("*.npy"):
        np.save(path, np.load(path)[::2])  # what some loaders keep
    text = sentence_of(lambda: open_vocaset(voca, VOCA))
    assert "give 30.0 frames a second; 60 are expected" in text


def test_a_broken_wav_is_named(voca):
    path = voca / "wav" / f"{name_of(VOCA, FIRST, 1)}.wav"
    path.write_bytes(b"RIFF, but no more")
    assert sentence_of(lambda: open_vocaset(voca, VOCA)).startswith(f"{path.name} cannot be read")


def test_one_clip_of_odd_length_is_no_reason_to_stop(voca):
    path = voca / "wav" / f"{name_of(VOCA, FIRST, 1)}.wav"
    soundfile.write(path, np.zeros(22050), 22050)
    assert (FIRST, 1) in open_vocaset(voca, VOCA).clips


def test_a_face_at_rest_of_another_mesh_is_named(voca):
    faces = read_pickle(voca / "templates.pkl")
    faces[FIRST] = face(VOCA, FIRST)[:50]
    (voca / "templates.pkl").write_bytes(pickle.dumps(faces))
    text = sentence_of(lambda: open_vocaset(voca, VOCA))
    assert f"shape (50, 3) for {FIRST}; 60 finite vertices" in text


def test_rows_outside_the_array_are_named(tmp_path):
    folder = write_release(tmp_path / "r", VOCA)
    index = read_pickle(folder / "subj_seq_to_idx.pkl")
    index[FIRST]["sentence01"][3] = 10**6
    (folder / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(index))
    assert "outside data_verts.npy" in sentence_of(lambda: open_vocaset(folder, VOCA))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_arrays_are_read_in_every_protocol(tmp_path, protocol):
    held = {"F1": np.arange(6.0, dtype=np.float32).reshape(2, 3), "n": np.int64(3), "rate": 22050}
    path = tmp_path / "held.pkl"
    path.write_bytes(pickle.dumps(held, protocol))
    back = read_pickle(path)
    np.testing.assert_array_equal(back["F1"], held["F1"])
    assert (back["n"], back["rate"]) == (3, 22050)


def test_a_pickle_of_python_2_is_read(tmp_path):
    """As VOCA's are: a module of older numpy, bytes as text."""
    numbers = np.array([1.5, -2.0, 3e-3], "<f4")
    path = tmp_path / "old.pkl"
    path.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x0c" + numbers.tobytes() + b"tb."
    )
    np.testing.assert_array_equal(read_pickle(path), numbers)


class Trap:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_that_wants_to_run_something_is_refused_and_nothing_runs(tmp_path):
    path = tmp_path / "trap.pkl"
    path.write_bytes(pickle.dumps({"F1": Trap(tmp_path / "sprung")}))
    text = sentence_of(lambda: read_pickle(path))
    assert "it names posix.mkdir" in text or "it names nt.mkdir" in text
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("broken", [b"", b"no pickle", pickle.dumps(list(range(99)))[:-5]])
def test_a_damaged_pickle_is_one_sentence(tmp_path, broken):
    path = tmp_path / "damaged.pkl"
    path.write_bytes(broken)
    assert sentence_of(lambda: read_pickle(path)).startswith("damaged.pkl cannot be read")


def test_masks_are_read_as_published(full_sizes):
    lips = read_mask(full_sizes["vocaset"], VOCASET, VOCASET.lips)
    assert lips.ids.tolist() == list(range(1500, 1754))
    assert lips.name == "254 vertices of FLAME_masks.pkl"
    upper = read_mask(full_sizes["biwi"], BIWI, BIWI.upper)
    assert len(upper.ids) == 7784
    assert upper.name == "7,784 vertices of fdd.txt"


def test_vertices_listed_twice_count_once(tmp_path):
    (tmp_path / "lve.txt").write_text("9, 3, 3, 5\n")
    mask = read_mask(tmp_path, VOCA, replace(VOCA.lips, entries=4))
    assert mask.ids.tolist() == [3, 5, 9]
    assert "NOT" not in mask.name


def test_a_mask_of_another_length_is_taken_and_marked(tmp_path, caplog):
    (tmp_path / "lve.txt").write_text("1, 2, 3")
    mask = read_mask(tmp_path, VOCA, VOCA.lips)
    assert mask.name == "3 vertices of lve.txt, NOT the published 254"
    assert "cannot be held against the paper's" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [("1, 60", "lists vertices 1 to 60; 0 to 59"), ("", "lists vertices none"),
     ("1, two", "something else than whole numbers")],
)  # fmt: skip
def test_a_mask_that_is_none_is_one_sentence(tmp_path, text, said):
    (tmp_path / "lve.txt").write_text(text)
    assert said in sentence_of(lambda: read_mask(tmp_path, VOCA, VOCA.lips))


def test_a_missing_mask_is_named_with_where_to_get_it(tmp_path):
    text = sentence_of(lambda: read_mask(tmp_path, VOCASET, VOCASET.lips))
    assert text.startswith("FLAME_masks.pkl is missing in")
    assert "flame.is.tue.mpg.de" in text
    text = sentence_of(lambda: read_mask(tmp_path, BIWI, BIWI.upper))
    assert text.startswith("regions/fdd.txt is missing in")
    assert "BIWI/regions of github.com/Doubiiu/CodeTalker" in text


def test_flames_masks_without_lips_are_one_sentence(tmp_path):
    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps({"nose": np.arange(3)}))
    assert 'no entry "lips"' in sentence_of(lambda: read_mask(tmp_path, VOCASET, VOCASET.lips))
