"""Mean temporal misalignment against curves whose turning points are known."""

import numpy as np
import pytest

from l2t.mtm import misalignment, smooth, turning_points, warp


def babble(frames: int = 120) -> np.ndarray:
    """An opening like speech: three tones, ten swings in four seconds."""
    t = np.arange(frames) / 30
    return 0.05 + 0.02 * np.sin(2 * np.pi * 2.3 * t) + 0.012 * np.sin(2 * np.pi * 3.7 * t + 1)


def delayed(curve: np.ndarray, frames: int) -> np.ndarray:
    return curve[np.clip(np.arange(len(curve)) - frames, 0, len(curve) - 1)]


def test_truth_is_aligned_with_itself():
    found = misalignment(babble(), babble(), 30)
    assert found.milliseconds == 0.0
    assert found.matched == 1.0
    assert found.turns > 10


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_shift_is_measured_in_milliseconds(frames):
    found = misalignment(delayed(babble(), frames), babble(), 30)
    assert found.milliseconds == pytest.approx(frames * 1000 / 30, rel=0.25)


def test_controls_are_ordered():
    truth = babble()
    shifted = [misalignment(delayed(truth, s), truth, 30).milliseconds for s in range(5)]
    assert shifted == sorted(shifted)
    assert shifted[0] < shifted[1]


def test_a_frozen_mouth_counts_as_failure():
    found = misalignment(np.full(120, 0.05), babble(), 30)
    assert np.isnan(found.milliseconds)
    assert found.matched == 0.0


@pytest.mark.parametrize("length", [0, 1, 4])
def test_too_short_is_undefined(length):
    assert np.isnan(misalignment(np.zeros(length), np.zeros(length), 30).milliseconds)


def test_unequal_lengths_use_the_shorter():
    assert misalignment(babble(150), babble(120), 30).milliseconds == 0.0


def test_turning_points_of_a_zigzag():
    zigzag = np.array([0, 1, 2, 1, 0, 1, 2, 3, 2, 1.0])
    assert turning_points(zigzag, 0.5) == [(2, 1), (4, -1), (7, 1)]
    assert turning_points(zigzag, 5.0) == []


def test_warp_finds_the_cheapest_path():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=6), rng.normal(size=6)

    def cheapest(i, j):  # all monotone paths, one after the other
        here = abs(a[i] - b[j])
        if i == j == 0:
            return here
        return here + min(cheapest(x, y) for x, y in ((i - 1, j - 1), (i - 1, j), (i, j - 1))
                          if x >= 0 and y >= 0)  # fmt: skip

    path = warp(a, b, 6)
    assert sum(abs(a[i] - b[j]) for i, j in path) == pytest.approx(cheapest(5, 5))
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (5, 5)


def test_smoothing_keeps_length_and_mean_of_a_constant():
    np.testing.assert_allclose(smooth(np.full(9, 3.0)), 3.0)
