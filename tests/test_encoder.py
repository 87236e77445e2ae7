"""The ears: 50 features a second, frozen, and the same for a clip alone or in a batch."""

import pytest
import torch

from l2t.models.encoder import EncoderConfig, SpeechEncoder


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return SpeechEncoder(EncoderConfig(layers=2, width=16, heads=2, ffn=32, taps=(0, 2)))


@pytest.mark.parametrize(("samples", "features"), [(16000, 50), (320, 1), (100, 1), (16100, 50)])
def test_fifty_features_a_second(encoder, samples, features):
    assert encoder(torch.randn(1, samples)).shape == (1, features, 32)


def test_a_clip_alone_equals_the_clip_in_a_batch(encoder):
    batch = torch.randn(3, 8000)
    assert torch.allclose(encoder(batch)[1:2], encoder(batch[1:2]), atol=1e-5)


def test_it_is_frozen_even_when_training(encoder):
    assert not encoder.train().training
    assert not any(p.requires_grad for p in encoder.parameters())


def test_a_feature_belongs_to_its_time(encoder):
    """A click at 0.5 s changes the features around 25 (before any attention)."""
    quiet = torch.zeros(1, 16000)
    click = quiet.clone()
    click[0, 8000] = 1.0
    quiet[0, 0] = click[0, 0] = 1.0  # the same maximum, to which the log-mel is relative
    change = (encoder(click) - encoder(quiet))[0, :, :16].norm(dim=1)
    assert abs(int(change.argmax()) - 25) <= 1


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="known: whisper, hub"):
        SpeechEncoder(EncoderConfig(kind="ear"))
