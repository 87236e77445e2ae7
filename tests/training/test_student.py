"""Training of the student: loss, crops, augmentation, and two real steps on a toy set."""

import json

import numpy as np
import pytest
import torch

from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES, frame_times
from training.data.augment import augment, other_voice, resampled
from training.data.packs import Example, at_speed, crop
from training.data.sources import Source
from training.files import load_parts
from training.losses.reconstruction import ReconstructionLoss
from training.train_regressor import TrainConfig, train


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def example(frames=120, channels=4, seed=0):
    rng = np.random.default_rng(seed)
    arkit = np.zeros((frames, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = 0.3 + 0.2 * np.sin(np.arange(frames) / 5)
    features = rng.normal(size=(frames * 5 // 3, channels)).astype(np.float16)
    return Example(f"toy{seed}", 0, features, arkit, np.ones(frames, bool))


def test_perfect_motion_has_no_loss_and_the_lips_term_equals_a_loop(template):
    loss = ReconstructionLoss(template)
    truth = torch.rand(2, 6, 52) * 0.3
    mask = torch.ones(2, 6, dtype=torch.bool)
    assert float(loss(truth, truth, mask)["total"]) == 0.0
    made = truth + 0.01 * torch.randn(2, 6, 52)
    mask[1, 3:] = False
    ids = np.concatenate([template.lip_landmarks, template.chin_landmarks])
    errors = []
    for b, f in zip(*np.nonzero(mask.numpy()), strict=True):
        one, other = (template.vertices(x[b, f : f + 1].numpy(), None, ids)[0] * 1e3
                      for x in (made, truth))  # fmt: skip
        errors.append(np.mean((one - other) ** 2))
    assert float(loss(made, truth, mask)["lips"]) == pytest.approx(np.mean(errors), rel=1e-3)


def test_lips_that_should_touch_weigh_more(template):
    loss = ReconstructionLoss(template)
    mask = torch.ones(1, 1, dtype=torch.bool)
    step = torch.zeros(1, 1, 52)
    step[..., ARKIT_NAMES.index("jawOpen")] = 0.1
    closed = loss(step, torch.zeros(1, 1, 52), mask)["gap"]
    opened = loss(4 * step, 3 * step, mask)["gap"]
    assert float(closed) == pytest.approx(3 * float(opened), rel=1e-3)


def test_a_crop_keeps_sound_and_motion_together():
    whole = example()
    marked = np.arange(len(whole.features))[:, None] * np.ones((1, 4))
    whole = Example("t", 0, marked.astype(np.float32), whole.arkit, whole.valid)
    features, arkit, valid = crop(whole, 30, np.random.default_rng(3))
    first = int(np.flatnonzero((whole.arkit == arkit[0]).all(1))[0])
    assert features[0, 0] == first * 5 / 3
    assert valid.all()
    short = crop(example(frames=12), 30, np.random.default_rng(0))
    assert short[2].sum() == 12


def test_faster_sound_moves_the_motion_along():
    arkit = np.zeros((90, 52), np.float32)
    arkit[:, 0] = frame_times(90) / 3
    faster, valid = at_speed(arkit, np.ones(90, bool), 75, 1.2)
    assert faster[10, 0] == pytest.approx(frame_times(75)[10] * 1.2 / 3, abs=1e-5)
    assert valid[:74].all()


def test_another_voice_keeps_the_timing_and_moves_the_pitch():
    times = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 200 * times).astype(np.float32)
    higher = other_voice(tone, 1.25)
    assert len(higher) == len(tone)
    peak = np.argmax(np.abs(np.fft.rfft(higher)))
    assert peak == pytest.approx(250, abs=6)
    assert len(resampled(tone, 1.25)) == pytest.approx(12800, abs=2)


def test_augmentation_is_repeatable_and_finite():
    tone = np.sin(np.arange(16000) / 20).astype(np.float32) * 0.1
    for seed in range(12):
        one, other = (augment(tone, np.random.default_rng(seed), [tone]) for _ in range(2))
        assert one[0].tobytes() == other[0].tobytes()
        assert np.isfinite(one[0]).all()
        assert len(one[0]) == pytest.approx(16000 / one[1].speed, rel=0.01)


def test_two_steps_leave_weights_that_load(template, tmp_path):
    model = {"channels": 4, "width": 8, "heads": 2, "layers": 1, "ffn": 16}
    config = TrainConfig(steps=2, batch=2, frames=30, check_every=1, model=model)
    data = [(Source("toy", "tracked", "natural", 1.0), [example(seed=s) for s in range(3)])]
    line = train(config, data, data, template, tmp_path)
    assert line["step"] in (1, 2)
    saved, tensors = load_parts(tmp_path, "student")
    assert saved["width"] == 8
    assert all(torch.isfinite(t).all() for t in tensors.values())
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == config.seed
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3


def test_training_is_repeatable(template, tmp_path):
    model = {"channels": 4, "width": 8, "heads": 2, "layers": 1, "ffn": 16}
    config = TrainConfig(steps=2, batch=2, frames=30, check_every=2, model=model)
    data = [(Source("toy", "tracked", "natural", 1.0), [example()])]
    for name in ("a", "b"):
        train(config, data, data, template, tmp_path / name)
    one, two = ((tmp_path / n / "student.safetensors").read_bytes() for n in "ab")
    assert one == two
