"""The lip reader's network: shapes, what does not matter to it, gradients, its files."""

from dataclasses import asdict

import pytest
import torch

from l2t.errors import WeightsError
from l2t.models.lipreader import UNITS, LipReader, LipReaderConfig, prepared, reader_from

SMALL = LipReaderConfig(channels=(4, 4, 8, 8), width=16, blocks=1)


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return LipReader(SMALL).eval()


@pytest.fixture
def mouths():
    return torch.rand(2, 9, 96, 96, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2


def test_one_vector_and_one_distribution_a_frame(reader, mouths):
    features, log_probs = reader(mouths)
    assert features.shape == (2, 9, 16)
    assert log_probs.shape == (2, 9, len(UNITS)) == (2, 9, 41)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(2, 9))
    torch.testing.assert_close(reader.features(mouths), features)


def test_brightness_contrast_and_rim_do_not_matter(reader, mouths):
    features = reader.features(mouths)
    torch.testing.assert_close(reader.features(mouths * 0.8 + 0.2), features, atol=0.15, rtol=0.1)
    framed = mouths.clone()
    framed[..., :4, :] = 0.0
    torch.testing.assert_close(reader.features(framed), features)


def test_a_clip_in_a_batch_reads_as_alone(reader, mouths):
    torch.testing.assert_close(reader.features(mouths)[1:], reader.features(mouths[1:]))


def test_halved_pictures_are_taken_as_they_are(mouths):
    half = torch.nn.functional.avg_pool2d(mouths[..., 4:92, 4:92], 2)
    torch.testing.assert_close(prepared(half), prepared(mouths))
    assert prepared(mouths).shape == (2, 2, 9, 44, 44)
    with pytest.raises(ValueError, match=r"\(64, 64\) pixels; need squares of 44, 88 or more"):
        prepared(mouths[..., :64, :64])


def test_a_frozen_mouth_shows_no_difference(mouths):
    still = mouths[:, :1].expand(-1, 9, -1, -1)
    assert prepared(still)[:, 1].abs().max() < 1e-5


def test_gradients_reach_the_pictures(reader, mouths):
    mouths.requires_grad_(True)
    reader.features(mouths)[:, 4].square().sum().backward()
    assert (mouths.grad.abs().sum((0, 2, 3)) > 0).all()


def test_files_give_the_same_reader_back(reader, mouths):
    config = asdict(reader.config) | {"notes": {"seed": 1}}
    back = reader_from(config, reader.state_dict())
    assert back.config == reader.config
    torch.testing.assert_close(back(mouths)[1], reader(mouths)[1])


def test_weights_that_do_not_fit_are_refused(reader):
    tensors = dict(reader.state_dict())
    with pytest.raises(WeightsError, match="do not fit"):
        reader_from({"width": 32}, tensors)
    tensors.pop("head.bias")
    with pytest.raises(WeightsError, match="lack tensors"):
        reader_from(asdict(SMALL), tensors)
