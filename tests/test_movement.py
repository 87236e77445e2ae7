"""A head that moves in a take: never the lips, the same for a seed, refused where it cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from test_animate import babble

from l2t.animate import mouth_and_sound
from l2t.errors import FaceError, WeightsError
from l2t.models.posevae import PoseConfig, PoseVAE
from l2t.motion import ARKIT_NAMES
from l2t.movement import STRONGEST, Movement
from l2t.speech import Speech
from l2t.talkingface import TalkingFace

EYES = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith("eyeLook")]
REST = [i for i in range(len(ARKIT_NAMES)) if i not in EYES]


@pytest.fixture(scope="module")
def face():
    with TalkingFace.from_pretrained("debug", device="cpu") as face:
        yield face


@pytest.fixture(scope="module")
def speech():
    return Speech(babble(2.0), "babble")


def test_off_is_what_it_was_before(face, speech):
    usual, off = face.animate(speech).motion, face.animate(speech, head=0.0, seed=5).motion
    assert off.arkit.tobytes() == usual.arkit.tobytes()
    assert not off.head.any()


def test_lips_and_lids_are_the_same_to_the_last_bit(face, speech):
    still, moving = face.animate(speech), face.animate(speech, head=STRONGEST)
    assert moving.motion.arkit[:, REST].tobytes() == still.motion.arkit[:, REST].tobytes()
    assert np.abs(moving.motion.head).max() > 0.005
    assert not np.array_equal(moving.motion.arkit[:, EYES], still.motion.arkit[:, EYES])
    assert moving.sync.to_json() == still.sync.to_json()


def test_the_seed_is_the_movement_and_none_is_the_recording_s_own(face, speech):
    own, again = (face.animate(speech, head=1).motion for _ in range(2))
    seven, other_seven, eight = (face.animate(speech, head=1, seed=s).motion for s in (7, 7, 8))
    for one, other in ((own, again), (seven, other_seven)):
        assert one.head.tobytes() == other.head.tobytes()
        assert one.arkit.tobytes() == other.arkit.tobytes()
    assert np.abs(seven.head - eight.head).max() > 1e-4


def test_heads_that_are_compared_turn_together(face, speech):
    takes = face.animate_each(speech, ("full", "reconstruction"), head=1)
    first, second = (take.motion.head for take in takes)
    assert first.any()
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() == face.animate(speech, head=1).motion.head.tobytes()


def test_without_a_voice_the_head_stays_still(face):
    motion = face.animate(Speech(np.zeros(32_000, np.float32)), head=1).motion
    assert not motion.head.any()
    assert not motion.arkit[:, EYES].any()


def test_what_is_heard_in_windows_fades_with_weights_that_add_up_to_one(face):
    samples = babble(13.0)
    arkit, sound = mouth_and_sound(
        face.models, samples, 0, listen=lambda _, frames: np.ones((frames, 2), np.float32)
    )
    assert sound.shape == (len(arkit), 2)
    np.testing.assert_allclose(sound, 1, atol=1e-6)


def test_weights_without_a_head_refuse_movement_in_one_sentence(speech):
    with TalkingFace.from_pretrained("debug", device="cpu") as face:
        assert face.moves
        bare = TalkingFace(replace(face.models, head=None), face.weights, renderer=face._renderer)
        assert not bare.moves
        with pytest.raises(FaceError, match="These weights hold no head movement"):
            bare.animate(speech, head=1)
        assert not bare.animate(speech).motion.head.any()


def test_a_head_for_another_encoder_is_refused(face):
    other = PoseVAE(PoseConfig(channels=3))
    with pytest.raises(WeightsError, match="head's model expects 3 feature channels"):
        replace(face.models, head=other)


@pytest.mark.parametrize("strength", [-0.1, STRONGEST + 0.1, float("nan")])
def test_a_strength_out_of_range_is_told(strength):
    with pytest.raises(FaceError, match=r"must be from 0 to 3, found"):
        Movement(strength)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_a_seed_out_of_range_is_told(seed):
    with pytest.raises(FaceError, match="whole number from 0 to 4294967295, found"):
        Movement(1, seed)
