"""The facade: names checked, devices checked, a take that is the same every time."""

import numpy as np
import pytest
from test_animate import babble

from l2t.errors import FaceError, L2TError
from l2t.motion import ARKIT_NAMES
from l2t.speech import Speech
from l2t.talkingface import TalkingFace


@pytest.fixture(scope="module")
def face():
    with TalkingFace.from_pretrained("debug", device="cpu") as face:
        yield face


def test_a_take_holds_everything(face):
    take = face.animate(Speech(babble(1.0), "babble"))
    assert take.motion.arkit.shape == (30, 52)
    assert take.sync.confidence.shape == (30,)
    assert (take.identity, take.style) == (face.identities[0], face.styles[0])
    assert take.weights.source == "debug"


def test_stages_are_reported_in_order(face):
    heard = []
    face.animate(Speech(babble(1.0)), progress=lambda stage, share: heard.append((stage, share)))
    stages = [stage for stage, _ in heard]
    assert stages == sorted(stages, key=["moving", "checking"].index)
    assert heard[-1] == ("checking", 1.0)


def test_silence_has_a_still_mouth_and_no_number(face):
    take = face.animate(Speech(np.zeros(16000, np.float32)))
    mouth = [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(("mouth", "jaw"))]
    assert not take.motion.arkit[:, mouth].any()
    assert take.sync.lse_c is None
    assert np.isnan(take.sync.confidence).all()


def test_blinks_never_touch_the_mouth(face):
    take = face.animate(Speech(np.zeros(16000 * 12, np.float32)))
    lids = take.motion.curve("eyeBlinkLeft")
    assert lids.max() == pytest.approx(0.9)
    assert (take.motion.arkit.sum(1) == 2 * lids).all()


@pytest.mark.parametrize("wrong", [{"style": "opera"}, {"identity": "nobody"}])
def test_unknown_names_are_refused_with_the_known_ones(face, wrong):
    with pytest.raises(FaceError, match="choose one of"):
        face.animate(Speech(babble(0.5)), **wrong)


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(L2TError, match="No CUDA device"):
        TalkingFace.from_pretrained("debug", device="cuda")
    with pytest.raises(L2TError, match="accepted are auto, cpu and cuda"):
        TalkingFace.from_pretrained("debug", device="tpu")
