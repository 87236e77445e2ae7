"""The student's network: banded attention, rest at the start, linear cost."""

import numpy as np
import pytest
import torch

from l2t.models.regressor import BandAttention, Regressor, RegressorConfig, at_times
from l2t.motion import ARKIT_NAMES

SMALL = RegressorConfig(channels=6, width=8, heads=2, layers=2, ffn=16, reach=4, listen=0.1)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = Regressor(SMALL).eval()
    torch.nn.init.normal_(model.head.weight, std=0.5)
    return model


def test_an_untrained_face_is_nearly_at_rest():
    made = Regressor(SMALL).eval()(torch.randn(2, 50, 6), 30, torch.zeros(2, dtype=torch.long))
    assert made.shape == (2, 30, 52)
    assert float(made.max()) < 0.05


def test_only_the_named_shapes_move():
    config = RegressorConfig(channels=6, width=8, heads=2, layers=1, ffn=16, shapes=("jawOpen",))
    model = Regressor(config).eval()
    torch.nn.init.constant_(model.head.bias, 2.0)
    made = model(torch.randn(1, 20, 6), 12, torch.tensor([0]))
    moving = made.abs().amax((0, 1)) > 0
    assert [ARKIT_NAMES[i] for i in torch.nonzero(moving).flatten()] == ["jawOpen"]


def test_what_lies_beyond_the_bands_cannot_be_heard(model):
    """Two layers of self-attention (4 frames each) and cross-attention (0.1 s): 0.5 s is enough."""
    features = torch.randn(1, 200, 6)
    other = features.clone()
    other[:, 120:] += 1.0
    style = torch.tensor([0])
    one, two = model(features, 120, style), model(other, 120, style)
    start = int(120 / 50 * 30)
    assert torch.allclose(one[:, : start - 15], two[:, : start - 15], atol=1e-6)
    assert not torch.allclose(one[:, start + 2], two[:, start + 2], atol=1e-4)


def test_band_attention_equals_a_loop():
    torch.manual_seed(1)
    layer = BandAttention(8, 2, reach=0.2, dropout=0.0).eval()
    torch.nn.init.normal_(layer.bias)
    x, memory = torch.randn(1, 5, 8), torch.randn(1, 9, 8)
    times, memory_times = torch.arange(5) / 10, torch.arange(9) / 20
    band = layer.band(times, memory_times)
    got = layer(x, memory, band)
    query = layer.query(x)[0].view(5, 2, 4)
    key, value = (t[0].view(9, 2, 4) for t in layer.key_value(memory).chunk(2, -1))
    rows = []
    for i in range(5):
        heads = []
        for h in range(2):
            logits = torch.tensor(
                [
                    float(query[i, h] @ key[j, h]) / 2 + float(band[h, i, j])
                    if abs(float(memory_times[j] - times[i])) <= 0.2 + 1e-6
                    else -np.inf
                    for j in range(9)
                ]
            )
            heads.append(torch.softmax(logits, 0) @ value[:, h])
        rows.append(torch.cat(heads))
    assert torch.allclose(got[0], layer.out(torch.stack(rows)), atol=1e-5)


def test_reading_between_steps_is_linear_and_holds_the_ends():
    values = torch.arange(4.0)[None, :, None]
    read = at_times(values, torch.tensor([-1.0, 0.5, 2.25, 9.0]))[0, :, 0]
    assert read.tolist() == [0.0, 0.5, 2.25, 3.0]
    assert at_times(values[:, :1], torch.tensor([0.0, 3.0]))[0, :, 0].tolist() == [0.0, 0.0]


def test_a_wrong_shape_name_is_refused():
    with pytest.raises(ValueError, match="jawOpenn"):
        RegressorConfig(shapes=("jawOpenn",))
