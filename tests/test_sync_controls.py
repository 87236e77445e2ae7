"""The embedded sync expert on real voices: what `training` calls controls must come out in order.

Takes of the embedded student on the example recordings stand for matching mouths; the expert heard
none of these voices. Orders as in the evaluation of talking faces: matching > late > swapped, a
frozen mouth gets nothing, trembling lowers the score.
"""

from pathlib import Path

import numpy as np
import pytest

from l2t.motion import Motion
from l2t.speech import load_speech
from l2t.sync import score
from l2t.talkingface import TalkingFace

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"


@pytest.fixture(scope="module")
def face():
    return TalkingFace.from_pretrained(None, device="cpu")


@pytest.fixture(scope="module")
def takes(face):
    speeches = [load_speech(path) for path in sorted(EXAMPLES.glob("*.flac"))]
    return [(speech, face.animate(speech).motion.arkit) for speech in speeches]


def reports(face, pairs):
    expert = face.models.expert
    return [score(speech, face.template, Motion(arkit), expert) for speech, arkit in pairs]


def shown(report):
    return float(np.nanmean(report.confidence))


@pytest.fixture(scope="module")
def own(face, takes):
    return reports(face, takes)


def test_matching_mouths_are_on_time_and_trusted(own):
    assert [abs(r.offset_frames) <= 1 for r in own] == [True] * len(own)
    assert min(shown(r) for r in own) > 0.5


@pytest.mark.parametrize("late", [-5, -3, -2, -1, 1, 2, 3, 5])
def test_the_offset_moves_with_the_mouth(face, takes, own, late):
    moved = reports(face, [(s, np.roll(a, late, axis=0)) for s, a in takes])
    found = [m.offset_frames - o.offset_frames for m, o in zip(moved, own, strict=True)]
    assert max(abs(f - late) for f in found) <= 1
    assert np.median(found) == late


def test_confidence_falls_the_more_a_mouth_is_late(face, takes, own):
    means = [np.mean([shown(r) for r in own])]
    for late in (2, 3, 5):
        moved = reports(face, [(s, np.roll(a, late, axis=0)) for s, a in takes])
        means.append(np.mean([shown(r) for r in moved]))
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.25


def test_another_voice_is_not_trusted(face, takes, own):
    others = [np.resize(takes[i - 1][1], takes[i][1].shape) for i in range(len(takes))]
    swapped = reports(face, [(s, o) for (s, _), o in zip(takes, others, strict=True)])
    assert all(a.lse_c > b.lse_c for a, b in zip(own, swapped, strict=True))
    assert max(shown(r) for r in swapped) < 0.4


def test_a_frozen_mouth_gets_nothing(face, takes):
    still = reports(face, [(s, np.repeat(a.mean(0, keepdims=True), len(a), 0)) for s, a in takes])
    assert [r.offset_frames for r in still] == [None] * len(still)
    assert max(shown(r) for r in still) == 0.0


def test_a_trembling_mouth_fits_less(face, takes, own):
    rng = np.random.default_rng(0)
    shaken = [(s, np.clip(a + 0.1 * rng.standard_normal(a.shape), 0, 1).astype(np.float32))
              for s, a in takes]  # fmt: skip
    for calm, trembling in zip(own, reports(face, shaken), strict=True):
        assert trembling.lse_c < calm.lse_c
