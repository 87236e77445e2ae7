"""The autoregressive baseline: causal, cached without loss, at rest before it is trained."""

import numpy as np
import pytest
import torch

from l2t.animate import mouth_weights
from l2t.models.faceformer import FaceFormer, FaceFormerConfig, past_bias, periodic_positions
from l2t.models.loading import build_student, load_models
from l2t.motion import ARKIT_NAMES
from l2t.weights import resolve

SHAPES = ("jawOpen", "mouthClose", "mouthPucker")
STYLE = torch.tensor([0, 1])


def model(trained=True, **changes):
    torch.manual_seed(0)
    settings = {"channels": 6, "width": 16, "heads": 2, "ffn": 24, "period": 5, "shapes": SHAPES,
                "styles": ("natural", "clear")}  # fmt: skip
    made = FaceFormer(FaceFormerConfig(**(settings | changes))).eval()
    if trained:
        torch.nn.init.normal_(made.head.weight, std=0.5)
        torch.nn.init.constant_(made.head.bias, 0.5)
    return made


def features(frames=24, batch=2):
    torch.manual_seed(1)
    return torch.randn(batch, frames * 5 // 3, 6)


def unrolled(net, x, frames, style):
    """The same network without a cache: at each step everything again, masks and all."""
    c = net.config
    heard = net.hear(x, frames)
    slopes = [2 ** (-8 / c.heads * (h + 1)) for h in range(c.heads)]
    inputs, rows = [torch.zeros(len(x), c.width)], []
    for step in range(1, frames + 1):
        tokens = torch.stack(
            [inputs[i] + net.style(style) + net.positions[i % c.period] for i in range(step)], 1
        )
        q, k, v = net.query_key_value(tokens).chunk(3, dim=2)
        heads = []
        for h in range(c.heads):
            at = slice(h * c.width // c.heads, (h + 1) * c.width // c.heads)
            score = q[:, :, at] @ k[:, :, at].transpose(1, 2) / (c.width // c.heads) ** 0.5
            for i in range(step):
                for j in range(step):
                    far = -slopes[h] * ((i - j) // c.period) if j <= i else -torch.inf
                    score[:, i, j] += far
            heads.append(score.softmax(-1) @ v[:, :, at])
        y = net.norms[0](tokens + net.self_out(torch.cat(heads, 2)))
        y = net.norms[1](y + heard[:, :step])
        y = net.norms[2](y + net.feed(y))
        rows.append(net.head(y)[:, -1])
        inputs.append(net.back(rows[-1]))
    return torch.stack(rows, 1).clamp(0, 1)


def test_the_cache_changes_nothing():
    net, x = model(), features(13)
    with torch.no_grad():
        made = net(x, 13, STYLE)[:, :, [ARKIT_NAMES.index(name) for name in SHAPES]]
        assert torch.allclose(made, unrolled(net, x, 13, STYLE), atol=1e-5)
    assert made.std() > 0.01


def test_frames_depend_on_what_was_before_and_never_on_what_comes():
    net, x = model(), features(24)
    later = x.clone()
    later[:, 30:] += 1.0
    with torch.no_grad():
        a, b = net(x, 24, STYLE), net(later, 24, STYLE)
    change = (a - b).abs().sum((0, 2))
    heard = 30 * 30 // 50 - 1  # frame 17 reads between features 29 and 30
    assert not change[:heard].any()
    assert change[heard + 1 :].min() > 0
    # An early change of the speech lives on in the motion.
    early = x.clone()
    early[:, :3] += 1.0
    with torch.no_grad():
        assert (net(early, 24, STYLE) - a)[:, 10:].abs().max() > 0


def test_untrained_it_rests_and_styles_differ_once_it_is_trained():
    x = features()
    with torch.no_grad():
        assert not model(trained=False)(x, 24, STYLE).any()
        net = model()
        assert (net(x, 24, torch.tensor([0, 0])) - net(x, 24, torch.tensor([1, 1]))).abs().max() > 0


def test_weights_are_within_bounds_and_only_the_shapes_it_drives():
    net = model()
    torch.nn.init.constant_(net.head.bias, 3.0)
    with torch.no_grad():
        made = net(features(), 24, STYLE)
        assert made.shape == (2, 24, 52)
        assert made.max() <= 1
        assert made.min() >= 0
        others = [i for i, name in enumerate(ARKIT_NAMES) if name not in SHAPES]
        assert not made[:, :, others].any()
        assert net.train()(features(), 24, STYLE).max() > 1  # unclipped while it learns


def test_it_learns_through_its_own_outputs():
    net, x = model(trained=False).train(), features()
    net(x, 24, STYLE)[:, -1].sum().backward()
    assert net.head.weight.grad.abs().sum() > 0
    torch.nn.init.normal_(net.head.weight, std=0.5)
    net.zero_grad()
    net(x, 24, STYLE)[:, -1].sum().backward()
    assert net.back.weight.grad.abs().sum() > 0


def test_positions_repeat_and_the_past_counts_less_period_by_period():
    table = periodic_positions(5, 8)
    assert table.shape == (5, 8)
    assert len(torch.unique(table, dim=0)) == 5
    bias = past_bias(11, 4, 5)
    assert bias[0].tolist() == [0.0] * 5 + [-0.25] * 5 + [-0.5]
    assert (bias[0] <= bias[3]).all()


def test_it_stands_behind_the_product_path_and_is_known_by_its_kind():
    net = build_student({"kind": "faceformer", "channels": 16, "width": 16, "heads": 2, "ffn": 24})
    torch.nn.init.constant_(net.head.bias, 0.5)
    models = load_models(resolve("debug"), torch.device("cpu"))
    models = type(models)(models.encoder, net.eval(), models.expert)
    times = np.arange(2 * 16000) / 16000
    samples = (0.1 * np.sign(np.sin(900 * times)) * (times > 0.5)).astype(np.float32)
    made = mouth_weights(models, samples, 0)
    assert made.shape == (60, 52)
    assert made.max() > 0.1


@pytest.mark.parametrize("changes", [{"shapes": ("jawOpen", "tail")}, {"width": 10, "heads": 4}])
def test_impossible_settings_are_refused(changes):
    with pytest.raises(ValueError, match="unknown shapes"):
        FaceFormerConfig(**changes)
