"""Metrics against naive oracles, and each one on the controls that it must put in order."""

import numpy as np
import pytest

from l2t import metrics
from l2t.face import LIP_POINTS, FaceTemplate
from l2t.motion import ARKIT_NAMES

FPS = 30.0


def opening_curve(seed: int = 0, frames: int = 150) -> np.ndarray:
    """A lip opening like speech: smooth noise under 8 Hz with closures, (frames,)."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=frames))
    spectrum *= np.exp(-((np.fft.rfftfreq(frames, 1 / FPS) / 5.0) ** 2))
    curve = np.fft.irfft(spectrum, frames)
    return np.clip(0.05 + 0.04 * curve / curve.std(), 0.0, None)


def delayed(curve: np.ndarray, frames: int) -> np.ndarray:
    return curve[np.clip(np.arange(len(curve)) - frames, 0, len(curve) - 1)]


def lips(curve: np.ndarray) -> np.ndarray:
    """Two lip vertices that part by `curve`, (frames, 2, 3)."""
    points = np.zeros((len(curve), 2, 3))
    points[:, 0, 1], points[:, 1, 1] = curve / 3, -2 * curve / 3
    return points


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture
def truth():
    return opening_curve()


# Lip opening


def test_opening_equals_a_loop_over_landmarks(template):
    arkit = np.zeros((3, 52), np.float32)
    arkit[1, ARKIT_NAMES.index("jawOpen")] = 0.6
    arkit[2, ARKIT_NAMES.index("mouthPucker")] = 0.8
    eyes = template.neutral()[template.eye_corners]
    for frame, found in enumerate(metrics.lip_opening(template, arkit)):
        points = template.vertices(arkit[frame : frame + 1])[0][template.lip_landmarks]
        gaps = [
            max(0.0, (points[LIP_POINTS.index(a)] - points[LIP_POINTS.index(b)])[1])
            for a, b in ((81, 178), (13, 14), (311, 402))
        ]
        assert found == pytest.approx(np.mean(gaps) / np.hypot(*(eyes[0] - eyes[3])[:2]), rel=1e-4)


def test_opening_grows_with_the_jaw(template):
    arkit = np.zeros((5, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = np.linspace(0, 1, 5)
    found = metrics.lip_opening(template, arkit)
    assert (np.diff(found) > 0.01).all()
    assert found[0] <= metrics.closed_limit(template) < found[1]


def test_opening_of_no_frames(template):
    assert metrics.lip_opening(template, np.zeros((0, 52), np.float32)).shape == (0,)


# LVE and FDD


def test_lve_equals_a_naive_loop():
    rng = np.random.default_rng(1)
    p, g = rng.normal(size=(7, 4, 3)), rng.normal(size=(7, 4, 3))
    naive = [max(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) for x, y in
             zip(pf, gf, strict=True)) for pf, gf in zip(p, g, strict=True)]  # fmt: skip
    assert metrics.lve(p, g) == pytest.approx(np.mean(naive))
    assert metrics.lve(p[:5], g) == pytest.approx(np.mean(naive[:5]))
    assert np.isnan(metrics.lve(p[:0], g))


def test_lve_orders_truth_half_amplitude_and_shifts(truth):
    g = lips(truth)
    assert metrics.lve(g, g) == 0.0 < metrics.lve(lips(truth / 2), g)
    late = [metrics.lve(lips(delayed(truth, s)), g) for s in range(4)]
    assert late == sorted(late)


def test_lve_has_its_known_flaw(truth):
    """A mouth frozen half open beats perfect lips that are three frames late: why LVE never
    stands alone in this project."""
    g = lips(truth)
    frozen = lips(np.full(len(truth), truth.mean()))
    assert metrics.lve(frozen, g) < metrics.lve(lips(delayed(truth, 3)), g)


def test_fdd_equals_a_naive_loop_and_shows_what_signs_hide():
    rng = np.random.default_rng(2)
    g = rng.normal(size=(20, 3, 3))
    p = g * np.array([0.5, 1.0, 1.5])[None, :, None]
    gaps = [np.std([np.linalg.norm(x) for x in g[:, v]])
            - np.std([np.linalg.norm(x) for x in p[:, v]]) for v in range(3)]  # fmt: skip
    found = metrics.fdd(p, g)
    assert found.signed == pytest.approx(np.mean(gaps))
    assert found.absolute == pytest.approx(np.mean(np.abs(gaps)))
    assert abs(found.signed) < found.absolute
    assert metrics.fdd(g, g).absolute == 0.0
    assert metrics.fdd(np.zeros_like(g), g).absolute > metrics.fdd(g * 0.5, g).absolute
    assert np.isnan(metrics.fdd(g[:0], g).signed)


# Correlation


def test_correlation_equals_numpy_at_lag_zero(truth):
    other = truth + np.random.default_rng(3).normal(0, 0.02, len(truth))
    found = metrics.correlation(other, truth, FPS, reach_s=0.0)
    assert found.lag == 0
    assert found.r == pytest.approx(np.corrcoef(other, truth)[0, 1])


@pytest.mark.parametrize("late", [-3, 0, 2])
def test_correlation_finds_the_lag(truth, late):
    found = metrics.correlation(delayed(truth, late), truth, FPS)
    assert found.lag == late
    assert found.r == pytest.approx(1.0, abs=0.02)


def test_correlation_orders_the_controls(truth):
    rng = np.random.default_rng(4)
    jitter = truth + rng.normal(0, 0.03, len(truth))
    swapped, frozen = opening_curve(9), np.full(len(truth), 0.04)
    r = [metrics.correlation(p, truth, FPS).r for p in (truth, jitter, swapped, frozen)]
    assert r[0] > r[1] > r[2]
    assert r[3] == 0.0
    plain = [metrics.correlation(delayed(truth, s), truth, FPS, 0.0).r for s in range(5)]
    assert plain == sorted(plain, reverse=True)
    assert metrics.correlation(delayed(truth, 8), truth, FPS).r < 0.9  # outside of the reach


@pytest.mark.parametrize("length", [0, 1, 2])
def test_correlation_of_too_few_frames(length):
    assert np.isnan(metrics.correlation(np.zeros(length), np.zeros(length), FPS).r)


def test_correlation_of_unequal_lengths(truth):
    assert metrics.correlation(truth[:-7], truth, FPS).r == pytest.approx(1.0)


# Closure


def test_closure_counts_bilabials_and_vowel_frames():
    curve = np.full(60, 0.1)
    curve[10:13] = 0.0  # met: first bilabial; the second stays open
    curve[40] = 0.0  # one frame of the vowel's middle half is closed
    bilabials = np.array([[0.33, 0.43], [0.8, 0.9]])
    vowels = np.array([[1.1, 1.5]])
    found = metrics.closure(curve, bilabials, vowels, FPS, 0.02)
    middle = [i for i in range(60) if 1.2 <= (i + 0.5) / 30 <= 1.4]
    assert (found.recall, found.bilabials) == (0.5, 2)
    assert found.vowel_frames == len(middle)
    assert found.false == pytest.approx(1 / len(middle))


def test_closure_orders_the_controls():
    closed = [(i, i + 0.1) for i in (0.5, 1.5, 2.5, 3.5)]
    vowels = [(i, i + 0.3) for i in (1.0, 2.0, 3.0)]
    good = np.full(150, 0.08)
    for a, b in closed:
        good[int(a * 30) : int(b * 30)] = 0.0

    def youden(curve):
        found = metrics.closure(curve, np.array(closed), np.array(vowels), FPS, 0.02)
        return found.recall - found.false

    frozen_shut, frozen_open = youden(np.zeros(150)), youden(np.full(150, 0.08))
    assert youden(good) > youden(delayed(good, 5))
    assert youden(good) > max(frozen_shut, frozen_open)


def test_closure_of_nothing_and_of_the_shortest_phone():
    none = metrics.closure(np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)), FPS, 0.02)
    assert np.isnan(none.recall)
    assert np.isnan(none.false)
    curve = np.full(10, 0.1)
    curve[3] = 0.0
    short = metrics.closure(curve, np.array([[0.105, 0.107]]), np.zeros((0, 2)), FPS, 0.02)
    assert short.recall == 1.0


# Stillness, high frequencies, bootstrap


def test_stillness_orders_a_quiet_and_a_busy_mouth(truth):
    voiced = np.zeros(150, bool)
    voiced[40:100] = True
    quiet = np.where(voiced, truth, 0.0)
    assert metrics.stillness(quiet, voiced, FPS) == 0.0
    assert 0.5 < metrics.stillness(truth, voiced, FPS) < 2.0
    far = np.r_[0:34, 106:150]
    expected = truth[far].std() / truth[40:100].std()
    assert metrics.stillness(truth, voiced, FPS) == pytest.approx(expected)


def test_stillness_is_undefined_without_silence_speech_or_motion(truth):
    assert np.isnan(metrics.stillness(truth, np.ones(150, bool), FPS))
    assert np.isnan(metrics.stillness(truth, np.zeros(150, bool), FPS))
    half = np.arange(150) < 75
    assert np.isnan(metrics.stillness(np.zeros(150), half, FPS))
    assert np.isnan(metrics.stillness(np.zeros(0), np.zeros(0, bool), FPS))


def test_high_frequencies_tell_jitter_and_mumbling(truth):
    rng = np.random.default_rng(6)
    lively = truth + rng.normal(0, 0.003, len(truth))
    smooth = np.convolve(np.pad(lively, 2, mode="edge"), np.ones(5) / 5, "valid")
    assert metrics.high_frequency_ratio(lively, lively, FPS) == pytest.approx(1.0)
    assert metrics.high_frequency_ratio(lively / 2, lively, FPS) == pytest.approx(0.25)
    assert metrics.high_frequency_ratio(smooth, lively, FPS) < 0.5
    jitter = lively + rng.normal(0, 0.02, len(truth))
    assert metrics.high_frequency_ratio(jitter, lively, FPS) > 2.0
    assert metrics.high_frequency_ratio(np.zeros(150), lively, FPS) == 0.0


def test_high_frequencies_against_tones():
    t = np.arange(300) / FPS
    low, high = np.sin(2 * np.pi * 3 * t), np.sin(2 * np.pi * 11 * t)
    assert metrics.high_frequency_ratio(low, high, FPS) < 1e-3
    ratio = metrics.high_frequency_ratio(low + 2 * high, low + high, FPS)
    assert ratio == pytest.approx(4, rel=0.01)
    assert np.isnan(metrics.high_frequency_ratio(low[:3], high, FPS))


def test_bootstrap_interval_covers_the_mean_and_narrows():
    rng = np.random.default_rng(7)
    few, many = rng.normal(3, 1, 20), rng.normal(3, 1, 2000)
    mean, low, high = metrics.bootstrap_interval(few)
    assert mean == pytest.approx(few.mean())
    assert low < mean < high
    _, low2, high2 = metrics.bootstrap_interval(many)
    assert high2 - low2 < (high - low) / 3
    assert high2 - low2 == pytest.approx(2 * 1.96 * many.std() / len(many) ** 0.5, rel=0.15)


def test_bootstrap_leaves_undefined_clips_out():
    assert metrics.bootstrap_interval([1.0, np.nan, 1.0]) == (1.0, 1.0, 1.0)
    assert np.isnan(metrics.bootstrap_interval([])[0])
