"""The written clip, and the words that come with a video."""

import numpy as np
import pytest

from l2t.motion import ARKIT_NAMES
from training.data.clips import load_clip
from training.data.corpora import Utterance, load_audio
from training.data.track_faces import INDEX, TrackError
from training.data.track_format import NAMES, Tracked, Words, find_words, read_align, write_clip

ALIGN = "0 23750 sil\n23750 29500 bin\n29500 34000 blue\n34000 74500 sil\n"
# What an npz of grid_s1 holds, with its kinds of numbers.
FIELDS = {"landmarks": "i2", "landmark_scale": "f4", "arkit": "f2", "head_transform": "f4",
          "valid": "?", "fps": "f4", "frame_size": "i2"}  # fmt: skip


def tracked(frames=30, words=Words()):  # noqa: B008 (frozen)
    rng = np.random.default_rng(0)
    found = np.ones(frames, bool)
    found[7] = False
    return Tracked(
        points=rng.uniform(-50, 700, (frames, 80, 3)), found=found,
        arkit=rng.uniform(0, 1, (frames, 52)).astype(np.float32),
        head=np.tile(np.eye(4), (frames, 1, 1)), size=(640, 480), words=words,
        source="talk.mov", start=12.0, lag=0.08, shift=0.08,
    )  # fmt: skip


def test_a_clip_reads_back_as_it_was_tracked(tmp_path):
    clip = tracked()
    write_clip(tmp_path, "a", clip, np.zeros(19200, np.float32))
    back = load_clip(tmp_path / "a.npz")
    seen = clip.found
    assert np.abs(back.landmarks[seen] - clip.points[seen]).max() < 0.02
    assert back.valid.tolist() == seen.tolist()
    assert back.index.tolist() == INDEX.tolist()
    assert back.fps == 25.0
    column = back.arkit_names.index("jawOpen")
    truth = clip.arkit[:, ARKIT_NAMES.index("jawOpen")]
    assert back.arkit[:, column] == pytest.approx(truth, abs=1e-3)
    assert back.words == ()


def test_the_npz_has_the_fields_and_types_of_the_tracked_corpus(tmp_path):
    write_clip(tmp_path, "a", tracked(), np.zeros(19200, np.float32))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert {name: file[name].dtype for name in FIELDS} == {
            name: np.dtype(kind) for name, kind in FIELDS.items()
        }
        assert file["arkit"].shape == (30, 52)
        assert file["arkit_names"].tolist()[:2] == ["_neutral", "browDownLeft"]
        assert file["landmarks"][7].any() == np.False_
        assert float(file["lag_ms"]) == pytest.approx(80)
    assert len(set(NAMES)) == 52
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "a.opus"]


def test_the_sound_is_where_it_was(tmp_path):
    times = np.arange(32000) / 16000
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 400 * times) * times) * (times > 0.5)
    write_clip(tmp_path, "a", tracked(50), chirp.astype(np.float32))
    whole = Utterance("a", "x", "x", "train", tmp_path / "a.opus", 0.0, float("inf"), "")
    back = load_audio(whole)
    assert len(back) == 32000
    spectra = np.fft.rfft(back, 64000) * np.conj(np.fft.rfft(chirp, 64000))
    shift = np.argmax(np.fft.irfft(spectra))
    assert min(shift, 64000 - shift) <= 4  # samples: a quarter of a millisecond


@pytest.mark.parametrize("place", ["s1", "s1/align", "align/s1", "align"])
def test_grids_words_are_read_where_grid_puts_them(tmp_path, place):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "bbaf2n.align").write_text(ALIGN)
    words = find_words(tmp_path / "s1" / "bbaf2n.mpg")
    assert words.words == ("sil", "bin", "blue", "sil")
    assert words.times[1].tolist() == pytest.approx([0.95, 1.18])
    assert find_words(tmp_path / "s1" / "other.mpg").words == ()


def test_a_broken_alignment_is_named(tmp_path):
    path = tmp_path / "a.align"
    path.write_text("0 1.5 hello world\n")
    with pytest.raises(TrackError, match="a.align is no GRID alignment"):
        read_align(path)


def test_words_are_cut_and_moved_with_their_clip():
    words = Words(("a", "b", "c"), np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]))
    part = words.part(0.5, 2.0)
    assert part.words == ("a", "b")
    assert part.times.tolist() == [[0.0, 0.5], [0.5, 1.5]]
    later = words.part(0.5, 2.0, 0.1)
    assert later.times.ravel().tolist() == pytest.approx([0.0, 0.6, 0.6, 1.5])
    assert Words().part(0, 1).words == ()
