"""Training the lip reader: losses against their definitions, a run on toys, what it leaves."""

import json

import numpy as np
import pytest
import torch

from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig
from training.data.alignments import Alignment, save_alignments
from training.data.mouths import pack_mouths
from training.lipreader_data import UNKNOWN, Batch
from training.train_lipreader import (
    ReaderTraining,
    frame_loss,
    load_reader,
    losses,
    main,
    pair_loss,
    sequence_loss,
    with_priors,
)

SMALL = LipReaderConfig(channels=(4, 4, 8, 8), width=16, blocks=1)


def scores(*shape: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randn(*shape, len(UNITS), generator=chance).log_softmax(-1)


def test_frame_loss_is_the_smoothed_cross_entropy_of_known_frames():
    seen, units = scores(2, 3), torch.tensor([[1, UNKNOWN, 2], [UNKNOWN, 40, 0]])
    naive = []
    for i, t in ((0, 0), (0, 2), (1, 1), (1, 2)):
        target = torch.full((len(UNITS),), 0.1 / len(UNITS))
        target[units[i, t]] += 0.9
        naive.append(-(target * seen[i, t]).sum())
    torch.testing.assert_close(frame_loss(seen, units, 0.1), torch.stack(naive).mean())


def test_sequence_loss_sums_over_every_path():
    """Two frames, target P: the paths are PP, P-blank and blank-P."""
    seen, p = scores(1, 2), UNITS.index("P")
    batch = Batch(None, torch.zeros(1, 2), torch.tensor([[p]]), torch.tensor([1]))
    odds = seen[0].exp()
    total = odds[0, p] * odds[1, p] + odds[0, p] * odds[1, 0] + odds[0, 0] * odds[1, p]
    torch.testing.assert_close(sequence_loss(seen, batch), -total.log())


def test_pair_loss_is_zero_for_equal_and_two_for_opposite_features():
    one = torch.randn(2, 4, 8)
    assert float(pair_loss(torch.cat([one, 3 * one]))) == pytest.approx(0, abs=1e-6)
    assert float(pair_loss(torch.cat([one, -one]))) == pytest.approx(2)


def test_terms_add_up_and_the_pair_counts_only_with_two_domains():
    torch.manual_seed(0)
    reader, how = LipReader(SMALL), ReaderTraining(half_floats=False)
    units = torch.randint(0, 41, (2, 10))
    batch = Batch(torch.rand(4, 10, 44, 44), units, units[:, :3], torch.tensor([3, 2]))
    terms = losses(reader, batch, how)
    total = terms["frame"] + how.ctc * terms["ctc"] + how.pair * terms["pair"]
    torch.testing.assert_close(terms["total"], total)
    alone = Batch(batch.mouths[:2], *list(vars(batch).values())[1:])
    assert "pair" not in losses(reader, alone, how)


def test_priors_are_shares_and_never_tiny():
    reader = with_priors(LipReader(SMALL), torch.tensor([1] * 75 + [40] * 25))
    priors = np.exp(reader.config.priors)
    assert priors[1] == pytest.approx(0.75, rel=1e-3)
    assert priors[40] == pytest.approx(0.25, rel=1e-3)
    assert priors[2] == pytest.approx(1e-3, rel=1e-2)


@pytest.fixture
def cache(tmp_path):
    """Twelve clips of noise of 20 frames, photos and renders, aligned."""
    rng = np.random.default_rng(0)
    names = sorted(f"bbaf{i}n" for i in range(1, 10)) + ["bbal1n", "bbal2n", "bbal3n"]
    for part in ("grid_s1", "grid_s1_render"):
        noise = rng.integers(0, 255, (12, 20, 96, 96), np.uint8)
        pack_mouths(tmp_path / "mouths", part, names, noise, frames=20)
    starts, ends = np.array([[0.0, 0.3, 0.5], [0.3, 0.5, 0.8]], np.float32)
    aligned = [
        Alignment(name, "s1", split, ("SIL", "B", "IH"), starts, ends)
        for name, split in zip(names, ["train"] * 10 + ["validation"] * 2, strict=True)
    ]
    (tmp_path / "align").mkdir()
    save_alignments(tmp_path / "align" / "grid_s1.npz", aligned)
    return tmp_path


def test_the_command_trains_on_both_domains_and_goes_on_from_weights(cache):
    common = ["--cache", str(cache), "--renders", "--batch", "2", "--steps", "2", "--average", "0"]
    main([*common, "--out", str(cache / "one"), "--role", "first"])
    notes = json.loads((cache / "one" / "first.json").read_text())["notes"]
    assert notes["renders"]
    assert notes["steps"] == 2
    log = (cache / "one" / "log.csv").read_text().splitlines()
    assert {"grid_photo", "phone_render", "pair", "score"} <= set(log[0].split(","))
    reader = load_reader(cache / "one" / "first")
    assert len(reader.config.priors) == len(UNITS)
    start = ["--start", str(cache / "one" / "first"), "--half", "0", "--rate", "0", "--stop", "1"]
    main([*common, *start, "--out", str(cache / "two")])
    again = load_reader(cache / "two" / "lipreader")
    torch.testing.assert_close(again.head.weight, reader.head.weight)


def test_packs_of_different_clips_are_refused(cache):
    text = (cache / "mouths" / "grid_s1_render.json").read_text()
    (cache / "mouths" / "grid_s1_render.json").write_text(text.replace("bbal3n", "bbal4n"))
    with pytest.raises(ValueError, match="not of the same clips"):
        main(["--cache", str(cache), "--renders", "--out", str(cache / "one")])
