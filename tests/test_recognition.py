"""Hearing, seeing and weighing: shapes and times, the gate, what is refused."""

import numpy as np
import pytest
import torch

from l2t import lip_limits
from l2t.errors import SpeechError, WeightsError
from l2t.lip_limits import check_length, check_rules
from l2t.models import lipreader
from l2t.models.avsr import AROUND, AVSR, AVSRConfig, _around, _clues, avsr_from
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig
from l2t.recognition import Recogniser, fitted, frames_of

SMALL = AVSRConfig(channels=6, width=8, blocks=1, kernel=3)


class Ears(torch.nn.Module):
    """Gives the level of each 20 ms."""

    class config:  # noqa: N801
        channels = 6

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, samples):
        steps = samples[:, : samples.shape[1] // 320 * 320].unflatten(1, (-1, 320))
        return steps.abs().mean(-1, keepdim=True).expand(-1, -1, 6)


@pytest.fixture(scope="module")
def recogniser():
    torch.manual_seed(0)
    reader = LipReader(LipReaderConfig(channels=(4, 4, 4, 4), width=8, blocks=1))
    return Recogniser(Ears(), reader.eval(), AVSR(SMALL).eval())


def chance(*shape) -> torch.Tensor:
    return torch.randn(*shape, len(UNITS)).log_softmax(-1)


def test_two_features_make_one_frame_and_an_odd_last_one_is_doubled():
    model = AVSR(SMALL).eval()
    features = torch.randn(2, 9, 6)
    _, heard = model.hear(features)
    assert heard.shape == (2, 5, len(UNITS))
    _, same = model.hear(torch.cat([features, features[:, -1:]], 1))
    torch.testing.assert_close(heard, same)
    torch.testing.assert_close(heard.exp().sum(-1), torch.ones(2, 5))


def test_both_together_are_the_product_of_powers():
    model = AVSR(SMALL).eval()
    inner, heard = model.hear(torch.randn(1, 20, 6))
    seen = chance(1, 10)
    both, powers = model.fuse(inner, heard, seen)
    assert (powers > 0).all()
    product = heard.exp() ** powers[..., :1] * seen.exp() ** powers[..., 1:]
    torch.testing.assert_close(both.exp(), product / product.sum(-1, keepdim=True))


def test_without_lips_the_sound_alone_speaks():
    model = AVSR(SMALL).eval()
    heard, both = model(torch.randn(1, 8, 6))
    torch.testing.assert_close(heard, both)


def test_clues_are_what_they_are_called():
    a, b = chance(1, 3), chance(1, 3)
    clues = _clues(a, b)[0, 1]
    p, q = a[0, 1].exp(), b[0, 1].exp()
    naive = [-(p * p.log()).sum(), -(q * q.log()).sum(), p.max(), q.max(), (p * q).sqrt().sum()]
    torch.testing.assert_close(clues, torch.stack(naive))
    long = torch.randn(1, 40, 2)
    mean = _around(long)[0]
    torch.testing.assert_close(mean[20], long[0, 8:33].mean(0))
    torch.testing.assert_close(mean[0], long[0, : AROUND // 2 + 1].mean(0))


def test_weights_that_do_not_fit_are_told():
    tensors = AVSR(SMALL).state_dict()
    assert avsr_from({"channels": 6, "width": 8, "blocks": 1, "kernel": 3}, tensors)
    with pytest.raises(WeightsError, match="do not fit"):
        avsr_from({"channels": 6}, tensors)
    ears = Ears()
    ears.config = type("config", (), {"channels": 7})
    with pytest.raises(WeightsError, match="expects 6 feature channels, the encoder gives 7"):
        Recogniser(ears, None, AVSR(SMALL))


def test_three_transcripts_of_one_moment(recogniser):
    sound = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    mouths = np.random.default_rng(1).integers(0, 255, (25, 96, 96)).astype(np.uint8)
    found = recogniser.recognise(sound, mouths, "grid")
    for reading in (found.audio, found.lips, found.both):
        assert len(reading.words) == 6
        assert len(reading.scores) == 25
        assert all(0 <= w.start < w.end <= 1 for w in reading.words)
        assert all(0 <= w.confidence <= 1 for w in reading.words)
    assert 0 < found.ears < 1


def test_pictures_are_cut_or_held():
    mouths = np.arange(4)[:, None, None] * np.ones((1, 96, 96), np.uint8)
    assert fitted(mouths, 6)[:, 0, 0].tolist() == [0, 1, 2, 3, 3, 3]
    assert len(fitted(mouths, 2)) == 2
    assert frames_of(3.0) == 75
    with pytest.raises(ValueError, match="no pictures"):
        fitted(mouths[:0], 3)


def test_limits_are_told_and_agree_with_the_reader():
    with pytest.raises(SpeechError, match=r"lasts 12.0 seconds; .* 0.4 to 10 seconds"):
        check_length(12)
    with pytest.raises(SpeechError):
        check_length(0.1)
    with pytest.raises(SpeechError, match="no rules 'prose'"):
        check_rules("prose")
    assert (lip_limits.SIDE, lip_limits.FPS) == (lipreader.SIDE, lipreader.FPS)
