"""Training the recogniser: which clips teach what, windows and their units, a run on toys."""

import json

import numpy as np
import pytest
import torch

from l2t.loudness import voiced_level
from l2t.models.avsr import avsr_from
from l2t.models.lipreader import UNITS
from training.avsr_data import FEATURES, load_rows, roles, write_rows
from training.data.alignments import Alignment, save_alignments
from training.data.mouths import pack_mouths
from training.files import load_parts
from training.lipreader_data import UNKNOWN, Sentence
from training.train_avsr import Draws, Recipe, losses, main, window

NAMES = [f"{command}{colour}{place}{letter}{digit}n" for command in "bl" for colour in "bg"
         for place in "ab" for letter in "f" for digit in "123"]  # fmt: skip


class Ears:
    """An encoder that gives the level of each 20 ms, and remembers what it heard."""

    class config:  # noqa: N801
        channels = 4

    def __init__(self):
        self.heard = []

    def __call__(self, samples):
        self.heard.append(samples[0].numpy())
        steps = samples[:, : samples.shape[1] // 320 * 320].unflatten(1, (-1, 320))
        return steps.abs().mean(-1, keepdim=True).expand(-1, -1, 4)


@pytest.fixture
def cache(tmp_path):
    """Every folder that the training reads, with toys in it."""
    for name in ("avsr", "align"):
        (tmp_path / name).mkdir()
    names, rng = sorted(NAMES), np.random.default_rng(0)
    splits = ["validation" if i == 10 else "test" if i == 0 else "train" for i in range(24)]
    edges = np.linspace(0, 3, 6, dtype=np.float32)
    said = [Alignment(n, "s1", split, ("SIL", "B", "IH", "N", "SIL"), edges[:-1], edges[1:])
            for n, split in zip(names, splits, strict=True)]  # fmt: skip
    save_alignments(tmp_path / "align" / "grid_s1.npz", said)
    pack_mouths(tmp_path / "mouths", "grid_s1", names, (np.zeros((75, 96, 96)) for _ in names), 75)
    train = [n for n, split in zip(names, splits, strict=True) if split == "train"]
    voice = 0.1 * rng.standard_normal(48000).astype(np.float32)
    for part, of in (("train", train[:4]), ("gate", train[4:6]), ("validation", [names[10]])):
        rows = [(n, voice, "white", 0.0) for n in of]
        write_rows(tmp_path / "avsr" / part, Ears(), rows, [], 0)
    known = [*train[4:6], names[10]]
    seen = torch.randn(len(known), 75, len(UNITS)).log_softmax(-1).numpy()
    np.savez(tmp_path / "avsr" / "seen.npz", names=np.array(known), photo=seen, render=seen)
    return tmp_path


def test_the_gate_learns_from_clips_that_neither_branch_knows():
    sentences = [Sentence(str(i), i, *np.zeros((3, 1))) for i in range(40)]
    audio, gate = roles(sentences, known=0)
    names = {s.name for s in gate}
    assert len(gate) == 5
    assert all(int(name) % 2 == 1 for name in names)  # the lip reader's half is the even one
    assert names.isdisjoint(s.name for s in audio)
    assert len(audio) + len(gate) == 40


def test_noise_is_mixed_in_before_the_encoder_hears_it(tmp_path):
    ears, time = Ears(), np.arange(48000) / 16000
    voice = (0.1 * np.sin(900 * time) * (time > 1) * (time < 2)).astype(np.float32)
    write_rows(tmp_path / "x", ears, [("a", voice, "white", 0.0)], [], 0)
    rows, packed = load_rows(tmp_path / "x")
    assert rows == [["a", "white", 0.0]] or rows == [("a", "white", 0.0)]
    assert packed.shape == (1, FEATURES, 4)
    noise = ears.heard[0][:15000]  # where nobody speaks
    assert np.sqrt(np.mean(noise**2)) > 0.02
    assert voiced_level(voice) < 0


def test_a_window_shows_what_is_said_while_it_is_heard():
    sentence = Sentence("x", 0, np.array([3, 5]), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    features = np.arange(200)[:, None] * np.ones((1, 2))
    cut, units, targets = window(features, sentence, 0.5)
    assert cut[:3, 0].tolist() == [25, 26, 27]
    assert units[:12].tolist() == [3] * 12
    assert (units[13:37] == 5).all()
    assert (units[38:] == UNKNOWN).all()
    assert targets.tolist() == [3, 5] or targets.tolist() == [5]
    _, faster, _ = window(features, sentence, 0.0, speed=2.0)
    assert (faster[:12] == 3).all()
    assert (faster[13:25] == 5).all()


def test_the_gates_loss_leaves_both_branches_alone(cache):
    from l2t.models.avsr import AVSR, AVSRConfig

    draws = Draws(cache, Recipe(2, 0, 2))
    model = AVSR(AVSRConfig(channels=4, width=8, blocks=1))
    terms = losses(model, draws, np.random.default_rng(0))
    terms["both"].backward()
    assert model.head.weight.grad is None
    assert model.gate[0].weight.grad.abs().sum() > 0
    assert 0 < terms["ears"].item() < 1


def test_a_run_leaves_weights_that_load_and_says_how_it_went(cache, tmp_path):
    main(["--cache", str(cache), "--out", str(tmp_path / "run"), "--steps", "2",
          "--check-every", "1", "--every", "1"])  # fmt: skip
    model = avsr_from(*load_parts(tmp_path / "run", "avsr"))
    assert model.config.channels == 4
    assert len(model.config.priors) == len(UNITS)
    notes = json.loads((tmp_path / "run" / "avsr.json").read_text())["notes"]
    assert notes["seed"] == 1
    assert (tmp_path / "run" / "log.csv").read_text().count("\n") == 3


def test_the_confidence_is_chosen_where_it_surprises_least(cache, tmp_path):
    from training import tune_avsr

    main(["--cache", str(cache), "--out", str(tmp_path), "--steps", "1", "--every", "1"])
    before = load_parts(tmp_path, "avsr")[0]
    tune_avsr.main(["--cache", str(cache), "--weights", str(tmp_path / "avsr"), "--every", "1"])
    after = load_parts(tmp_path, "avsr")[0]
    assert after["search"]["sharpness"] in tune_avsr.SHARPNESS
    after["search"]["sharpness"] = before["search"]["sharpness"]
    assert after == before  # nothing else changed
