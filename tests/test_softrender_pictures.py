"""Mouth pictures at 25 frames a second out of motion at 30."""

import numpy as np
import pytest
import torch

from l2t.face import FaceTemplate
from l2t.motion import Motion
from l2t.softrender import MouthRenderer, mouth_pictures, resampled


@pytest.fixture(scope="module")
def renderer():
    return MouthRenderer(FaceTemplate.load(), 32)


@pytest.fixture
def arkit():
    return np.random.default_rng(1).uniform(0, 0.3, (97, 52)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 2, 31, 97])
def test_resampling_is_that_of_motion(arkit, frames):
    ours = resampled(torch.tensor(arkit[:frames]))
    np.testing.assert_allclose(ours, Motion(arkit[:frames]).resampled(25).arkit, atol=1e-5)


def test_batches_are_resampled_alike_and_pass_gradients_back(arkit):
    batch = torch.tensor(np.stack([arkit, arkit[::-1]])).requires_grad_()
    out = resampled(batch)
    torch.testing.assert_close(out[1], resampled(batch[1]))
    out.sum().backward()
    assert (batch.grad > 0).all()


def test_pictures_are_bytes_of_the_resampled_motion(renderer, arkit):
    pictures = mouth_pictures(renderer, arkit)
    assert pictures.shape == (81, 32, 32)
    assert pictures.dtype == np.uint8
    with torch.no_grad():
        whole = renderer(resampled(torch.tensor(arkit))).numpy() * 255
    assert np.abs(pictures - whole).max() < 0.51


def test_no_motion_gives_no_picture(renderer, arkit):
    assert mouth_pictures(renderer, arkit[:0]).shape == (0, 32, 32)
