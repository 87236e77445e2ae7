"""The sync report: naive oracle, sign of the offset, borders, silence, blocks, calibration."""

import json

import numpy as np
import pytest
import torch

from l2t.errors import WeightsError
from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncConfig, SyncNet3D, expert_from
from l2t.motion import ARKIT_NAMES, Motion
from l2t.speech import Speech
from l2t.sync import (
    REACH,
    calibrated,
    frame_medians,
    raw_margin,
    report,
    score,
    shift_distances,
    vectors,
)

SMALL = SyncConfig(channels=4, width=16, motion_width=16, size=8)


def random_walk(frames: int, seed: int = 0, size: int = 6) -> np.ndarray:
    """Vectors that tell nearby frames apart, (frames, size)."""
    return np.random.default_rng(seed).normal(size=(frames, size)).astype(np.float32)


def delayed(values: np.ndarray, frames: int) -> np.ndarray:
    """The same, `frames` later (earlier when negative), ends held."""
    return values[np.clip(np.arange(len(values)) - frames, 0, len(values) - 1)]


@pytest.fixture(scope="module")
def expert():
    torch.manual_seed(0)
    small = SyncNet3D(SMALL).eval()
    small.motion.fit_projection(torch.randn(200, 45, 3) * 0.005)
    return small


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def speaking(seconds: float = 2.0) -> tuple[Speech, Motion]:
    """Bursts of a buzz with pauses, and a jaw that follows them."""
    times = np.arange(round(seconds * 16000)) / 16000
    envelope = np.clip(np.sin(2 * np.pi * 1.5 * times), 0, 1)
    samples = (0.3 * envelope * np.sign(np.sin(2 * np.pi * 120 * times))).astype(np.float32)
    frames = round(seconds * 30)
    arkit = np.zeros((frames, 52), np.float32)
    middle = (np.arange(frames) + 0.5) / 30
    arkit[:, ARKIT_NAMES.index("jawOpen")] = 0.5 * np.clip(np.sin(2 * np.pi * 1.5 * middle), 0, 1)
    return Speech(samples), Motion(arkit)


@pytest.mark.parametrize("frames", [1, 2, 20, 45])
def test_distances_equal_a_naive_loop(frames):
    mouth, sound = random_walk(frames, 1), random_walk(frames, 2)
    table = shift_distances(mouth, sound)
    for i in range(frames):
        for k in range(2 * REACH + 1):
            j, shift = i + k - REACH, abs(k - REACH)
            if 0 <= j < frames and 2 * (frames - shift) >= frames:
                assert table[i, k] == pytest.approx(np.linalg.norm(mouth[i] - sound[j]), rel=1e-5)
            else:
                assert np.isnan(table[i, k])


@pytest.mark.parametrize("late", [-10, -3, -1, 0, 1, 4, 10])
def test_a_late_mouth_has_a_positive_offset(late):
    sound = random_walk(90)
    found = report(shift_distances(delayed(sound, late), sound), np.ones(90, bool))
    assert found.offset_frames == late
    assert found.offset_ms == pytest.approx(late * 1000 / 30)


def test_scores_equal_their_formulas():
    table = shift_distances(random_walk(60, 1), random_walk(60, 2))
    found = report(table, np.ones(60, bool))
    means = [np.mean([d for d in column if np.isfinite(d)]) for column in table.T]
    assert found.lse_d == pytest.approx(min(means), rel=1e-5)
    assert found.lse_c == pytest.approx(np.median(means) - min(means), rel=1e-4)


def test_borders_are_left_out_and_do_not_favour_a_shift():
    sound = random_walk(40)
    table = shift_distances(sound, sound)
    assert np.isnan(table[0, :REACH]).all()
    assert np.isfinite(table[20]).all()


def test_margin_equals_a_naive_median_filter():
    table = shift_distances(random_walk(50, 3), random_walk(50, 4))
    raw = np.nanmedian(table, axis=1) - table[:, REACH]
    padded = np.concatenate([[raw[0]] * 4, raw, [raw[-1]] * 4])
    naive = [np.median(padded[i : i + 9]) for i in range(50)]
    np.testing.assert_allclose(raw_margin(table, REACH), naive, rtol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 31, 50])
def test_frame_medians_are_nanmedians(frames):
    table = shift_distances(random_walk(frames, 3), random_walk(frames, 4))
    np.testing.assert_allclose(frame_medians(table), np.nanmedian(table, axis=1))


def test_silence_has_no_confidence_and_no_numbers():
    sound = random_walk(60)
    table = shift_distances(sound, sound)
    half = np.arange(60) < 30
    part = report(table, half)
    assert np.isfinite(part.confidence[:30]).all()
    assert np.isnan(part.confidence[30:]).all()
    nothing = report(table, np.zeros(60, bool))
    assert (nothing.offset_frames, nothing.lse_d, nothing.lse_c) == (None, None, None)
    assert np.isnan(nothing.confidence).all()


def test_a_still_mouth_gets_no_confidence_and_no_offset(expert, template):
    speech, motion = speaking()
    frozen = Motion(np.repeat(motion.arkit[:1], len(motion), axis=0))
    found = score(speech, template, frozen, expert)
    assert found.voiced.any()
    assert found.offset_frames is None
    assert np.nanmax(found.confidence) == 0.0


def test_confidence_as_played_falls_with_the_shift():
    sound = random_walk(120)
    voiced = np.ones(120, bool)
    means = [
        np.nanmean(report(shift_distances(delayed(sound, s), sound), voiced).confidence)
        for s in (0, 1)
    ]
    assert means[0] > 0.9 > 0.5 > means[1]


def test_calibration_is_the_logistic_of_its_weights():
    expected = 1 / (1 + np.exp(-(-1 + 3 * 0.1)))
    found = calibrated(np.array([0.1, -5.0, 400.0]), (-1.0, 3.0))
    assert found[0] == pytest.approx(expected, rel=1e-5)
    assert found[1] < 1e-6
    assert found[2] == pytest.approx(1.0)


def test_the_report_is_plain_json(expert, template):
    speech, motion = speaking()
    found = score(speech, template, motion, expert)
    back = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(back["confidence"]) == len(motion)
    assert [c is not None for c in back["confidence"]] == back["voiced"]
    assert {"fps", "offset_frames", "offset_ms", "lse_d", "lse_c"} <= set(back)


@pytest.mark.parametrize("frames", [1, 3, 6])
def test_very_short_takes(expert, template, frames):
    speech, motion = speaking(0.2)
    found = score(speech, template, Motion(motion.arkit[:1].repeat(frames, 0)), expert)
    assert found.confidence.shape == (frames,)


def test_motion_at_another_rate_is_resampled(expert, template):
    speech, motion = speaking()
    assert score(speech, template, motion.resampled(60.0), expert).fps == 30.0


def test_blocks_equal_the_whole(expert, monkeypatch):
    rng = np.random.default_rng(5)
    samples = rng.normal(0, 0.1, 16000 * 8).astype(np.float32)
    moved = torch.from_numpy(rng.normal(0, 0.003, (240, 45, 3)).astype(np.float32))
    whole = vectors(expert, samples, moved)
    monkeypatch.setattr("l2t.sync._BLOCK", 60)
    for one, other in zip(whole, vectors(expert, samples, moved), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_identical_input_gives_identical_numbers(expert, template):
    speech, motion = speaking()
    one, two = (score(speech, template, motion, expert).to_json() for _ in range(2))
    assert one == two


def test_vectors_are_not_normalised(expert):
    heard = expert.hear(torch.randn(1, 120, 80)).norm(dim=-1)
    assert heard.max() - heard.min() > 1e-5


def test_weights_that_do_not_fit_are_refused(expert):
    state = {k: v for k, v in expert.state_dict().items() if "num_batches" not in k}
    good = expert_from(SMALL.to_dict() | {"notes": "ignored"}, state)
    assert not good.training
    with pytest.raises(WeightsError):
        expert_from(SMALL.to_dict() | {"width": 8}, state)
    with pytest.raises(WeightsError):
        expert_from(SMALL.to_dict(), state | {"stray": torch.zeros(1)})
