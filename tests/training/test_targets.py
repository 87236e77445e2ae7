"""Fitting ARKit weights to tracked lips, and what leads there."""

import numpy as np
import pytest

from l2t.face import CHIN_POINTS, EYE_POINTS, LIP_POINTS, FaceTemplate
from l2t.metrics import lip_opening
from l2t.motion import ARKIT_NAMES
from training.data.clips import fill_gaps, opening
from training.data.fit_weights import WeightFitter
from training.data.stabilise import rigid_align, stabilise
from training.data.targets import lip_gaps, padded, to_thirty


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def landmarks_of(template, arkit):
    """The template's landmarks as a tracker would give them: pixels, y down; and their index."""
    ids = np.concatenate([template.lip_landmarks, template.chin_landmarks, template.eye_corners])
    points = template.vertices(arkit, None, ids) * 1000.0
    index = np.array(LIP_POINTS + CHIN_POINTS + EYE_POINTS)
    return points * np.array([1, -1, -1], np.float32), index


def weights(**named):
    out = np.zeros((1, 52), np.float32)
    for name, value in named.items():
        out[0, ARKIT_NAMES.index(name)] = value
    return out


@pytest.mark.parametrize("wanted", [
    {"jawOpen": 0.5}, {"jawOpen": 0.3, "mouthPucker": 0.6},
    {"jawOpen": 0.2, "mouthLowerDownLeft": 0.4, "mouthLowerDownRight": 0.4},
])  # fmt: skip
def test_the_fit_finds_the_opening_that_made_the_landmarks(template, wanted):
    truth = np.repeat(weights(**wanted), 5, axis=0)
    at_rest, index = landmarks_of(template, np.zeros((1, 52), np.float32))
    points, _ = landmarks_of(template, truth)
    fitter = WeightFitter(template, index)
    scale = fitter.eye_distance * 1000
    upright = np.array([1, -1, -1], np.float32) / scale
    made = fitter.fit((points - at_rest) * upright, lip_gaps(points * upright, index))
    assert lip_opening(template, made) == pytest.approx(lip_opening(template, truth), rel=0.15)
    assert made.min() >= 0
    assert made.max() <= 1


def test_closed_lips_are_fitted_closed(template):
    _, index = landmarks_of(template, np.zeros((1, 52), np.float32))
    fitter = WeightFitter(template, index)
    made = fitter.fit(np.zeros((4, len(index), 3), np.float32), np.zeros((4, 3)))
    assert lip_opening(template, made).max() < 1e-3


def test_a_closure_of_one_frame_survives_resampling():
    tracked = np.full((25, 52), 0.5, np.float32)
    closed = np.zeros(25, bool)
    tracked[7], closed[7] = 0.0, True
    assert to_thirty(tracked, closed, 25.0).min() == 0.0
    assert to_thirty(tracked, np.zeros(25, bool), 25.0).min() > 0.05


def test_rigid_alignment_undoes_a_rotation():
    rng = np.random.default_rng(0)
    target = rng.normal(size=(12, 3))
    target -= target.mean(0)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    rotation, centre = rigid_align((target @ turn.T + 5.0)[None], target)
    assert ((target @ turn.T + 5.0) - centre) @ rotation[0] == pytest.approx(target, abs=1e-6)


def test_a_nodding_head_is_held_still():
    index = np.array([33, 133, 362, 263, 168, 6, 4, 1, 98, 327, 2, 127, 356, 234, 454, 13, 14])
    face = np.random.default_rng(1).normal(size=(17, 3)) * [40, 40, 10]
    face[0], face[3] = (-45, 0, 0), (45, 0, 0)
    frames = []
    for angle in 0.05 * np.sin(np.arange(40) / 8):
        c, s = np.cos(angle), np.sin(angle)
        frames.append(face @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) + 100)
    still = stabilise(np.array(frames, np.float32), index)
    assert np.abs(still - still.mean(0)).max() < 0.01


def test_frames_without_a_face_are_bridged():
    values = np.array([[0.0], [9.0], [2.0]])
    assert fill_gaps(values, np.array([True, False, True]))[:, 0].tolist() == [0.0, 1.0, 2.0]
    assert fill_gaps(values, np.zeros(3, bool)).tolist() == values.tolist()


def test_short_clips_are_padded():
    rows = padded([np.ones((2, 3)), np.ones((4, 3))])
    assert rows.shape == (2, 4, 3)
    assert rows[0, 2:].sum() == 0


def test_the_opening_is_the_gap_over_the_eye_distance(template):
    points, index = landmarks_of(template, weights(jawOpen=0.5))
    assert opening(points, index)[0] == pytest.approx(
        lip_opening(template, weights(jawOpen=0.5))[0], rel=0.2
    )
