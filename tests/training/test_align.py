"""Phone times: text to words to phones, edges beside pauses, the file, and what is distrusted."""

from dataclasses import replace

import numpy as np
import pytest

from training.data.align import Aligner, AlignmentError, align_all
from training.data.alignments import Alignment, load_alignments, reason_to_drop, save_alignments
from training.data.corpora import (
    Utterance,
    grid_sentence,
    grid_split,
    load_audio,
    read_part,
    speaker_split,
)
from training.data.phone_edges import Span, cover, drift, keep_in_words, trim_noise
from training.data.pronounce import PHONES, number_words, pronunciation, spoken_words

DICTIONARY = {
    "cat": "K AE T", "work": "W ER K", "house": "HH AW S", "love": "L AH V", "wish": "W IH SH",
    "want": "W AA N T",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mr. Hale, in 1933!", ["mister", "hale", "in", "nineteen", "thirty", "three"]),
        ("bin blue at F. two now", ["bin", "blue", "at", "f.", "two", "now"]),
        ("don’t, i.e. £800", ["don't", "i.", "e.", "pounds", "eight", "hundred"]),
        ("... ?!", []),
    ],
)
def test_text_becomes_the_words_that_are_said(text, words):
    assert spoken_words(text) == words


def test_numbers_in_words():
    said = {
        0: "zero",
        42: "forty two",
        100: "one hundred",
        1900: "nineteen hundred",
        2005: "two thousand five",
        12345: "twelve thousand three hundred forty five",
    }
    assert {n: number_words(n) for n in said} == said


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("cat", "K AE T"),
        ("cats", "K AE T S"),
        ("loved", "L AH V D"),
        ("wanted", "W AA N T IH D"),
        ("wishes", "W IH SH IH Z"),
        ("workhouse", "W ER K HH AW S"),
        ("w.", "D AH B AH L Y UW"),
        ("'", None),
    ],
)
def test_pronunciations_are_built_from_known_words(word, sounds):
    assert pronunciation(word, DICTIONARY.get) == sounds


def test_every_unknown_word_gets_phones_of_the_set():
    for word in ("dartanyan", "qxz", "ueberphysaugh", "xylophone's"):
        assert set(pronunciation(word, {}.get).split()) <= set(PHONES[1:])


def test_grid_names_spell_their_sentences_and_splits_keep_their_distance():
    assert grid_sentence("lgaz9s") == "lay green at Z. nine soon"
    with pytest.raises(ValueError, match="six letters"):
        grid_sentence("lgaz9")
    assert [grid_split(i) for i in (0, 10, 20, 11)] == ["test", "validation", "test", "train"]


def test_speaker_split_is_stable_and_near_80_10_10():
    splits = [speaker_split(str(n)) for n in range(4000)]
    assert splits == [speaker_split(str(n)) for n in range(4000)]
    assert 0.07 < splits.count("test") / 4000 < 0.13
    assert 0.07 < splits.count("validation") / 4000 < 0.13


def test_utterances_are_cut_from_their_file(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "speech" / "kathleen").mkdir(parents=True)
    ramp = np.linspace(-0.5, 0.5, 32000, dtype=np.float32)
    soundfile.write(tmp_path / "speech" / "kathleen" / "a.wav", ramp, 16000, subtype="FLOAT")
    head = ["id", "corpus", "speaker", "split", "file", "start_s", "end_s", "text", "text_source"]
    row = ["u1", "kathleen", "k", "train", "kathleen/a.wav", "0.5", "1.25", 'Say "so"', "corpus"]
    table = "\t".join(head) + "\n" + "\t".join(row) + "\n"
    (tmp_path / "speech" / "kathleen.tsv").write_text(table)
    (utterance,) = read_part(tmp_path, "kathleen")
    assert (utterance.id, utterance.text, utterance.seconds) == ("u1", 'Say "so"', 0.75)
    np.testing.assert_allclose(load_audio(utterance), ramp[8000:20000])


def spans(*rows):
    return [Span(*row) for row in rows]


def test_phones_that_run_into_a_pause_are_called_back():
    words = spans(("bad", 40, 70))
    phones = spans(("B", 5, 45), ("AE", 45, 60), ("D", 63, 95))
    kept = keep_in_words(phones, words, [0])
    assert [(s.first, s.last) for s in kept] == [(40, 45), (45, 60), (60, 70)]


def test_a_pause_inside_a_word_belongs_to_the_stop_after_it_or_the_phone_before_it():
    phones = spans(("S", 0, 10), ("T", 15, 20), ("AA", 25, 40))
    kept = keep_in_words(phones, spans(("sta", 0, 40)), [0])
    assert [(s.first, s.last) for s in kept] == [(0, 10), (10, 25), (25, 40)]


def test_room_noise_is_taken_from_a_first_phone_but_not_from_inside_speech():
    level = np.full(100, -60.0)
    level[50:90] = -10.0
    phones = spans(("S", 10, 60), ("AA", 60, 90))
    trimmed = trim_noise(phones, level)
    assert trimmed[0].first == 44  # the last quiet frame is 49, less 0.05 s
    assert trimmed[1] == phones[1]
    assert trim_noise(spans(("S", 52, 60)), level) == spans(("S", 52, 60))


def test_drift_counts_words_that_moved_but_not_those_after_a_pause():
    words = spans(("a", 0, 10), ("b", 10, 30), ("c", 40, 60))
    phones = spans(("AH", 0, 25), ("B", 25, 30), ("S", 55, 60))
    assert drift(phones, words, [0, 1, 2]) == 1.0
    assert drift(phones, words[:1], [0]) == 0.0


def test_phones_and_pauses_cover_the_utterance_without_gaps():
    timed = cover(spans(("B", 8, 20), ("AA", 30, 52)), pad=10, frames=40)
    assert [row[0] for row in timed] == ["B", "SIL", "AA"]
    flat = [edge for row in timed for edge in row[1:]]
    np.testing.assert_allclose(flat, [0, 0.1, 0.1, 0.2, 0.2, 0.4])


def alignment(**changes):
    first = np.array([0, 0.3, 0.4], np.float32)
    good = Alignment("u", "s", "train", ("SIL", "B", "AA"), first,
                     np.array([0.3, 0.4, 0.6], np.float32), 0.1, 0.0, -2.5)  # fmt: skip
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"hurried": 0.5}, "hurried"),
        ({"drift": 0.4}, "drift"),
        ({"score": -9.0}, "low score"),
        ({"ends": np.array([0.3, 0.4, 1.6], np.float32)}, "long phone"),
        ({"phones": ("SIL", "SIL", "SIL")}, "nothing said"),
    ],
)
def test_alignments_that_cannot_be_right_are_dropped(changes, reason):
    assert reason_to_drop(alignment(**changes)) == reason


def test_the_file_gives_back_what_was_written(tmp_path):
    rows = [alignment(), alignment(id="v", phones=("SIL", "ZH", "AA"), split="test")]
    save_alignments(tmp_path / "a.npz", rows)
    for wrote, read in zip(rows, load_alignments(tmp_path / "a.npz"), strict=True):
        assert (read.id, read.split, read.phones) == (wrote.id, wrote.split, wrote.phones)
        np.testing.assert_array_equal(read.starts, wrote.starts)
        np.testing.assert_array_equal(read.ends, wrote.ends)
    save_alignments(tmp_path / "none.npz", [])
    assert load_alignments(tmp_path / "none.npz") == []


def test_the_decoder_aligns_what_it_is_told_and_lives_after_a_failure():
    pytest.importorskip("pocketsphinx")
    rng = np.random.default_rng(0)
    sound = np.concatenate(
        [rng.normal(0, scale, 4800) for scale in (1e-3, 0.1, 1e-3)]
    ).astype(np.float32)  # fmt: skip
    aligner = Aligner({"shh": "SH"})
    with pytest.raises(AlignmentError):
        aligner.align(sound[:400], ["shh"] * 40)
    timed, apart, score = aligner.align(sound, ["shh"])
    assert [phone for phone, *_ in timed] == ["SIL", "SH", "SIL"]
    edges = [edge for row in timed for edge in row[1:]]
    np.testing.assert_allclose(edges, sorted(edges))
    assert (edges[0], edges[-1]) == (0.0, 0.9)
    assert apart == 0.0
    assert score < 0


def test_an_utterance_that_fails_is_counted_and_left_out(tmp_path):
    pytest.importorskip("pocketsphinx")
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", np.zeros(1600, np.float32), 16000)
    texts = ("", "far too many words for a tenth of a second")
    file = tmp_path / "a.wav"
    said = [Utterance(text, "c", "s", "train", file, 0, 0.1, text) for text in texts]
    kept, dropped = align_all(said)
    assert kept == []
    assert dropped == {"failed": 2}
