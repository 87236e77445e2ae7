"""Where long videos are cut."""

import numpy as np
import pytest

from training.data.track_cut import LONGEST, faces_in_one_piece, in_pauses, quietness, spans
from training.data.track_faces import INDEX
from training.data.track_video import FPS


def faces(frames, at=100.0, eyes=60.0):
    """(frames, 80, 3) of a face that stands still."""
    points = np.zeros((frames, len(INDEX), 3))
    points[:, list(INDEX).index(33), 0] = at - eyes / 2
    points[:, list(INDEX).index(263), 0] = at + eyes / 2
    return points


def voice(*spoken, seconds):
    """Noise between the given seconds, faint noise elsewhere, (n,) at 16 kHz."""
    rng = np.random.default_rng(0)
    loud = np.full(seconds * 16000, 1e-3)
    for start, end in spoken:
        loud[int(start * 16000) : int(end * 16000)] = 0.1
    return (loud * rng.normal(size=len(loud))).astype(np.float32)


def test_a_short_loss_of_the_face_is_bridged_and_a_long_one_cuts():
    found = np.ones(100, bool)
    found[20:28] = False
    assert faces_in_one_piece(faces(100), found) == [(0, 100)]
    found[50:70] = False
    assert faces_in_one_piece(faces(100), found) == [(0, 50), (70, 100)]
    assert faces_in_one_piece(faces(5), np.zeros(5, bool)) == []


@pytest.mark.parametrize("other", [faces(30, at=170), faces(30, eyes=110)])
def test_another_scene_cuts(other):
    points = np.concatenate([faces(40), other])
    assert faces_in_one_piece(points, np.ones(70, bool)) == [(0, 40), (40, 70)]


def test_long_speech_is_cut_in_its_pauses():
    samples = voice((0.5, 9), (10, 19), (20, 27.5), seconds=28)
    pieces = in_pauses(samples, (0, 28 * 25))
    assert pieces[0][0] == 0
    assert pieces[-1][1] == 28 * 25
    assert all(a[1] == b[0] for a, b in zip(pieces, pieces[1:], strict=False))
    assert all(b - a <= LONGEST * FPS for a, b in pieces)
    cuts = [last / FPS for _, last in pieces[:-1]]
    assert all(9 < cut < 10 or 19 < cut < 20 for cut in cuts), cuts


def test_speech_without_a_pause_is_cut_all_the_same():
    pieces = in_pauses(voice((0, 30), seconds=30), (0, 750))
    assert all(FPS <= b - a <= LONGEST * FPS for a, b in pieces)


def test_quietness_knows_where_the_pause_is():
    level = quietness(voice((0, 1), (2, 3), seconds=3), 75)
    assert 30 <= np.argmin(level) <= 45


def test_a_clip_keeps_the_whole_of_a_short_video():
    found = np.ones(75, bool)
    found[:4] = False
    assert spans(faces(75), found, voice((1, 2), seconds=3)) == [(0, 75)]
    assert spans(faces(20), np.ones(20, bool), voice((0, 0.8), seconds=1)) == []
