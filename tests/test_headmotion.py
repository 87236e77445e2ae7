"""Head movement: bounded, smooth, repeatable, calm in silence; eyes stay with the viewer."""

import numpy as np
import pytest
import torch

from l2t.headmotion import CALM, LIMIT, calm, glances, head_motion, overlapped
from l2t.models.posevae import PoseConfig, PoseVAE, divergence
from l2t.motion import ARKIT_NAMES

SMALL = PoseConfig(frames=12, channels=6, audio=4, latent=3, width=8, scale=(0.02, 0.02, 0.01))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return PoseVAE(SMALL).eval()


def features(seconds, seed=0):
    return torch.randn(int(seconds * 50), 6, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("frames", [1, 5, 12, 13, 90, 400])
def test_any_length_has_a_movement(model, frames):
    made = head_motion(model, features(frames / 30 + 0.1), np.ones(frames, bool), seed=1)
    assert made.shape == (frames, 3)
    assert np.isfinite(made).all()


def test_the_seed_is_the_movement(model):
    voiced = np.ones(90, bool)
    one, again, other = (head_motion(model, features(3), voiced, s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-4


def test_strength_scales_and_zero_is_still(model):
    voiced = np.ones(90, bool)
    weak, strong = (head_motion(model, features(3), voiced, 1, s) for s in (0.1, 0.2))
    np.testing.assert_allclose(strong, 2 * weak, rtol=0.01, atol=1e-5)
    assert not head_motion(model, features(3), voiced, 1, 0.0).any()


def test_no_strength_turns_a_head_too_far(model):
    made = head_motion(model, features(3), np.ones(90, bool), 1, 1e4)
    assert (np.abs(made) <= LIMIT + 1e-6).all()


def test_silence_is_calmer(model):
    loud = head_motion(model, features(3), np.ones(90, bool), 1)
    quiet = head_motion(model, features(3), np.zeros(90, bool), 1)
    np.testing.assert_allclose(quiet, CALM * loud, atol=2e-4)
    factor = calm(np.arange(90) >= 45)
    assert factor[:25] == pytest.approx(CALM)
    assert factor[-25:] == pytest.approx(1)
    assert (np.diff(factor) >= -1e-9).all()


def test_windows_fade_with_weights_that_add_up_to_one():
    same = np.tile(np.array([1.0, -2.0]), (4, 10, 1))
    np.testing.assert_allclose(overlapped(same, 5), np.tile([1.0, -2.0], (25, 1)))
    two = np.stack([np.zeros((10, 1)), np.ones((10, 1))])
    joined = overlapped(two, 5)[:, 0]
    assert (joined[:5] == 0).all()
    assert (joined[10:] == 1).all()
    assert (np.diff(joined) >= 0).all()


def test_a_decoded_window_has_no_drift_of_its_own(model):
    sound = model.sound(torch.randn(2, 12, 6))
    made = model.decode(torch.randn(2, 3), sound)
    torch.testing.assert_close(made.mean(1), torch.zeros(2, 3), atol=1e-5, rtol=0)


def test_divergence_equals_its_formula():
    mean, log_variance = torch.tensor([[1.0, 0.5]]), torch.tensor([[0.0, -1.0]])
    naive = sum(0.5 * (m * m + np.exp(v) - 1 - v) for m, v in ((1.0, 0.0), (0.5, -1.0)))
    assert float(divergence(mean, log_variance)) == pytest.approx(naive)


def test_eyes_turn_against_the_head_and_never_touch_the_mouth():
    head = np.zeros((60, 3))
    head[:, 1] = np.radians(6)  # the nose towards +x: the eyes go to the head's right
    turned, ahead = glances(60, head, 3), glances(60, np.zeros((60, 3)), 3)
    right = ARKIT_NAMES.index("eyeLookOutRight")
    assert turned[:, right].mean() > ahead[:, right].mean() + 0.05
    mouth = [i for i, n in enumerate(ARKIT_NAMES) if not n.startswith("eyeLook")]
    assert not turned[:, mouth].any()
    assert turned.min() >= 0
    assert turned.max() <= 0.6


def test_eyes_never_look_both_ways():
    eyes = glances(900, np.zeros((900, 3)), 5)
    for one, other in (("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookUpLeft", "eyeLookDownLeft")):
        both = eyes[:, ARKIT_NAMES.index(one)] * eyes[:, ARKIT_NAMES.index(other)]
        assert not both.any()
