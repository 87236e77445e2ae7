"""Measuring a lip reader: a perfect one, controls, the gap between domains, the search's tuning."""

import json

import numpy as np
import pytest
import torch

from l2t.grid_grammar import said
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig
from training.data.mouths import pack_mouths
from training.evaluate_lipreader import CONTROLS, domain_gap, load_seen, main, row
from training.files import save_module
from training.lip_errors import clip_errors, words_of
from training.tune_lipreader import main as tune
from training.tune_lipreader import surprise, tuned

CONFIG = LipReaderConfig(channels=(4, 4, 8, 8), width=16, blocks=1)


def perfect(name: str, sure: float = 0.9) -> np.ndarray:
    """Log probabilities that show what the clip's name says, three frames a phone."""
    units = ["SIL", *[p for phone in said(words_of(name)) for p in [phone] * 3], "SIL"]
    scores = np.full((len(units), len(UNITS)), (1 - sure) / 40)
    scores[np.arange(len(units)), [UNITS.index(u) for u in units]] = sure
    return np.log(scores)


def test_the_name_spells_the_words():
    assert words_of("pwik8s") == "place white in k eight soon"


def test_a_perfect_reader_makes_no_error_and_the_wrong_clip_many():
    right = clip_errors(perfect("bbaf2n"), CONFIG, "bbaf2n")
    wrong = clip_errors(perfect("swiz9s"), CONFIG, "bbaf2n")
    assert right == {"grid": 0, "words": 0, "phone": 0, "viseme": 0}
    assert wrong["grid"] == wrong["words"] == 1
    assert wrong["phone"] > wrong["viseme"] > 0.5
    assert list(clip_errors(perfect("bbaf2n"), CONFIG, "bbaf2n", ("grid",))) == ["grid"]


def test_controls_keep_the_shape_and_spoil_what_they_say():
    mouths = np.arange(24).reshape(2, 12)[..., None, None] * np.ones((1, 1, 2, 2), int)
    frozen, other, backwards = (spoil(mouths)[..., 0, 0] for spoil in CONTROLS.values())
    assert frozen[0].tolist() == [6] * 12
    assert other[0].tolist() == list(range(12, 24))
    assert backwards[0].tolist() == list(range(11, -1, -1))


def test_the_gap_is_none_between_equals_and_wide_between_strangers():
    rng = np.random.default_rng(0)
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in rng.normal(size=(2, 3, 40, 64)))
    same, strange = domain_gap(a, a), domain_gap(a, b)
    assert same["same frame"] == pytest.approx(1)
    assert same["found"] == 1
    assert abs(same["other frame"]) < 0.1
    assert abs(strange["same frame"]) < 0.1
    assert strange["found"] < 0.3


def test_a_row_names_what_it_counts():
    line = row("photos", {c: np.array([0.0, 1.0]) for c in ("grid", "words", "phone", "viseme")})
    assert line.startswith("| photos | 2 | 0.500 (0.000-1.000) |")


def test_tuning_takes_the_penalty_that_reads_best_and_a_sharpness_that_fits():
    clips = [(name, perfect(name, 0.5)) for name in ("bbaf2n", "pwik8s")]
    search = tuned(clips, CONFIG)
    assert clip_errors(clips[0][1], CONFIG, "bbaf2n")["phone"] == 0
    assert surprise(clips, CONFIG, search) < 0.1


@pytest.fixture
def cache(tmp_path):
    """A reader of random weights, 21 clips of noise, photos and renders; one is for validation."""
    rng, names = np.random.default_rng(0), [f"bbaf2{c}" for c in "anps"] + ["bbal1n"] * 17
    for part in ("grid_s1", "grid_s1_render", "grid_s26"):
        noise = rng.integers(0, 255, (21, 30, 96, 96), np.uint8)
        pack_mouths(tmp_path / "mouths", part, names, noise, frames=30)
    torch.manual_seed(0)
    save_module(LipReader(CONFIG), tmp_path, "lipreader")
    return tmp_path


def test_splits_are_cut_from_grid_s1_only(cache):
    assert len(load_seen(cache, "grid_s1", "validation").names) == 1
    assert len(load_seen(cache, "grid_s1_render", "test").names) == 2
    assert len(load_seen(cache, "grid_s26", "validation").names) == 21


def test_the_commands_run_and_tell(cache, caplog):
    caplog.set_level("INFO")
    arguments = ["--cache", str(cache), "--weights", str(cache / "lipreader")]
    tune(arguments)
    assert set(json.loads((cache / "lipreader.json").read_text())["search"]) == {
        "prior", "words", "phones", "sharpness"}  # fmt: skip
    main(arguments)
    text = caplog.text
    assert "| grid_s1 | 1 |" in text
    assert "| grid_s1_render, frozen | 1 |" in text
    assert "chance, with the grammar: 0.810" in text
    assert "cosine photo, render of grid_s1: same frame" in text
