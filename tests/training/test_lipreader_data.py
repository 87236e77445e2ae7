"""What the lip reader learns from: labels in time, domains cut alike, spoiling within limits."""

import numpy as np
import pytest
import torch

from l2t.models.lipreader import UNITS
from training.data.alignments import Alignment, save_alignments
from training.lipreader_data import (
    UNKNOWN,
    Batches,
    Sentence,
    Spoiling,
    load_sentences,
    spoil,
    units_at,
    units_between,
)

NONE = Spoiling(*[0.0] * 7, blank=0, blur=0.0)
SIL, P, IY = (UNITS.index(u) for u in ("SIL", "P", "IY"))


@pytest.fixture
def sentence():
    """Silence, P at 0.4 s, IY at 0.6 s, silence from 1.0 to 1.6 s."""
    starts = np.array([0.0, 0.4, 0.6, 1.0])
    return Sentence("pea", 1, np.array([SIL, P, IY, SIL]), starts, np.array([0.4, 0.6, 1.0, 1.6]))


@pytest.fixture
def packs():
    """Photos whose grey is the frame's number, renders of three times that."""
    photo = np.zeros((2, 40, 96, 96), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None]
    return [photo, photo * 3]


def test_units_at_times_and_between_them(sentence):
    times = [-0.1, 0.0, 0.39, 0.4, 0.7, 1.59, 1.6]
    assert units_at(sentence, np.array(times)).tolist() == [UNKNOWN, SIL, SIL, P, IY, SIL, UNKNOWN]
    assert units_between(sentence, 0.3, 0.9).tolist() == [P, IY]
    assert units_between(sentence, 0.51, 0.79).tolist() == []


def test_only_aligned_clips_of_the_split_are_taken(tmp_path):
    def one(name: str, split: str) -> Alignment:
        return Alignment(name, "s1", split, ("SIL", "P"), np.array([0, 1]), np.array([1, 2]))

    save_alignments(tmp_path / "a.npz", [one("b", "train"), one("c", "test"), one("d", "train")])
    found = load_sentences(tmp_path / "a.npz", ["a", "b", "c"], "train")
    assert [(s.name, s.row, s.units.tolist()) for s in found] == [("b", 1, [SIL, P])]


def test_both_domains_show_the_same_frames_and_labels_fit_them(sentence, packs):
    rng = np.random.default_rng(0)
    for _ in range(5):
        batch = Batches([sentence], packs, 3, 12, NONE).draw(rng)
        photo, render = batch.mouths.mean((2, 3)).chunk(2)
        torch.testing.assert_close(render, photo * 3)
        shown = (photo * 255).round().int()
        assert (shown.diff(dim=1) >= 0).all()
        for units, frames in zip(batch.units, shown.tolist(), strict=True):
            known = (units != UNKNOWN).numpy()
            expected = units_at(sentence, (np.array(frames) + 0.5) / 25)
            np.testing.assert_array_equal(units.numpy()[known], expected[known])
        for target, length in zip(batch.targets, batch.lengths, strict=True):
            order = [SIL, P, IY, SIL]
            parts = [order[a:b] for a in range(4) for b in range(a + 1, 5)]
            assert target[:length].tolist() in parts


def test_the_same_generator_draws_the_same_batch(sentence, packs):
    one, two = (Batches([sentence], packs, 2, 12).draw(np.random.default_rng(4)) for _ in range(2))
    assert torch.equal(one.mouths, two.mouths)
    assert torch.equal(one.units, two.units)


def test_without_spoiling_the_centre_comes_out_halved():
    mouths = torch.rand(2, 5, 96, 96)
    made = spoil(mouths, NONE, np.random.default_rng(1))
    centre = torch.nn.functional.avg_pool2d(mouths[..., 4:92, 4:92], 2)
    for clip, expected in zip(made, centre, strict=True):  # mirrored or not
        gap = min(float((clip - e).abs().max()) for e in (expected, expected.flip(-1)))
        assert gap < 1e-3


def test_spoiling_keeps_pictures_pictures():
    mouths = torch.rand(4, 9, 96, 96)
    made = spoil(mouths, Spoiling(), np.random.default_rng(2))
    assert made.shape == (4, 9, 44, 44)
    assert torch.isfinite(made).all()
    assert made.min() > -0.2
    assert made.max() < 1.2
