"""Motions that need no network, against what they should do by hand."""

import numpy as np

from training.baseline_motions import EnergyMouth, MeanMouth, Retrieval, windows
from training.baselines import energy_opening


def test_the_mean_clip_repeats_and_the_frozen_one_stands_still():
    clips = [np.full((4, 52), 0.2, np.float32), np.full((5, 52), 0.6, np.float32)]
    clips[0][0] = 0.0
    mouth = MeanMouth.fit(clips)
    made = mouth.motion(16000 * 6 // 30)
    assert made.shape == (6, 52)
    assert np.allclose(made[:, 7], [0.3, 0.4, 0.4, 0.4, 0.3, 0.4])
    still = mouth.still(16000)
    assert still.shape == (30, 52)
    assert np.allclose(still, 0.375)


def test_weights_follow_the_loudness_they_were_fitted_on():
    rng = np.random.default_rng(0)
    buzz = [(rng.standard_normal(32000) * rng.uniform(0, 0.2) * np.sin(np.arange(32000) / 4000)
             ).astype(np.float32) for _ in range(3)]  # fmt: skip
    levels = [energy_opening(s) for s in buzz]
    arkit = [np.outer(level, np.linspace(0, 0.01, 52)) + 0.1 for level in levels]
    mouth = EnergyMouth.fit(buzz, arkit)
    assert np.allclose(mouth.motion(buzz[0]), np.clip(arkit[0], 0, 1), atol=1e-5)


def test_retrieval_finds_the_frames_it_has_heard():
    rng = np.random.default_rng(1)
    pairs = []
    for _ in range(4):
        slow = np.cumsum(rng.normal(size=(100, 60)), axis=0).astype(np.float32)
        mouth = np.repeat(np.linspace(0, 1, 60)[:, None], 52, 1) * rng.uniform(0.2, 1)
        pairs.append((slow, mouth.astype(np.float32)))
    near = Retrieval.of(pairs)
    for features, mouth in pairs:
        made = near.motion(features, 32000)
        assert made.shape == (60, 52)
        assert np.abs(made - mouth)[4:-4].max() < 0.02  # smoothing bends the ends


def test_windows_hold_the_ends():
    parts = np.arange(10.0)[:, None]
    made = windows(parts, 6)
    assert made.shape == (6, len(Retrieval.WINDOW))
    assert made[0].tolist() == [0, 0, 1, 4, 7]
    assert (made[-1] <= 9).all()
