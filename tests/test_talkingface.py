"""The facade: names checked, devices checked, a take that is the same every time."""

import numpy as np
import pytest
from test_animate import babble

from l2t.animate import mouth_weights
from l2t.blinks import seed_of, with_blinks
from l2t.errors import Cancelled, FaceError, L2TError
from l2t.models.loading import load_student
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


@pytest.mark.parametrize(
    "wrong", [{"style": "opera"}, {"identity": "nobody"}, {"variant": "faceformer"}]
)
def test_unknown_names_are_refused_with_the_known_ones(face, wrong):
    with pytest.raises(FaceError, match="choose one of"):
        face.animate(Speech(babble(0.5)), **wrong)


def test_without_a_variant_the_default_speaks_to_the_last_bit(face):
    speech = Speech(babble(1.0))
    before = face.animate(speech)
    other = face.animate(speech, variant="reconstruction")
    named, after = face.animate(speech, variant="default"), face.animate(speech)
    alone = mouth_weights(face.models, speech.samples, 0)
    expected = with_blinks(alone, seed_of(speech.samples))
    for take in (before, named, after):
        assert take.motion.arkit.tobytes() == expected.tobytes()
        assert take.variant.name == "default"
    assert not np.array_equal(other.motion.arkit, expected)
    assert other.variant.name == "reconstruction"


def test_variants_together_are_what_they_are_alone(face):
    speech, heard = Speech(babble(1.0)), []
    names = ("full", "reconstruction")
    together = face.animate_each(
        speech, names, "clear", progress=lambda stage, share: heard.append((stage, share))
    )
    for take, name in zip(together, names, strict=True):
        alone = face.animate(speech, "clear", variant=name)
        assert take.motion.arkit.tobytes() == alone.motion.arkit.tobytes()
        assert take.sync.lse_d == alone.sync.lse_d
    assert heard == sorted(heard, key=lambda h: (["moving", "checking"].index(h[0]), h[1]))
    assert np.array_equal(*(take.motion.curve("eyeBlinkLeft") for take in together))


def test_a_variant_is_loaded_when_it_is_asked_for_and_kept(monkeypatch):
    asked = []

    def load(weights, role, device):
        asked.append(role)
        return load_student(weights, role, device)

    monkeypatch.setattr("l2t.talkingface.load_student", load)
    with TalkingFace.from_pretrained("debug", device="cpu") as face:
        face.animate(Speech(babble(0.3)))
        assert asked == []
        for _ in range(2):
            face.animate_each(Speech(babble(0.3)), ("full", None))
        assert asked == ["student_full"]


def test_between_two_variants_a_cancel_is_heard(face):
    heard = []
    with pytest.raises(Cancelled):
        face.animate_each(
            Speech(babble(0.5)), ("full", "default"),
            progress=lambda *state: heard.append(state), cancelled=lambda: len(heard) > 0,
        )  # fmt: skip
    assert heard == [("moving", 0.5)]


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(L2TError, match="No CUDA device"):
        TalkingFace.from_pretrained("debug", device="cuda")
    with pytest.raises(L2TError, match="accepted are auto, cpu and cuda"):
        TalkingFace.from_pretrained("debug", device="tpu")
