"""Training of the autoregressive baseline: its loss by hand, and a run on small data."""

import json

import numpy as np
import pytest
import torch

from l2t.face import FaceTemplate
from l2t.models.loading import build_student
from l2t.motion import ARKIT_NAMES
from training.data.packs import Example
from training.data.sources import Source
from training.files import load_parts
from training.train_faceformer import ROLE, BaselineConfig, VertexError, train


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def test_the_loss_is_the_mean_squared_error_of_vertices_in_mm(template):
    torch.manual_seed(0)
    made, truth = torch.rand(2, 3, 52), torch.rand(2, 3, 52)
    valid = torch.tensor([[True, True, False], [True, False, False]])
    errors = []
    for b, f in zip(*np.nonzero(valid.numpy()), strict=True):
        one, other = (template.vertices(x[b, f : f + 1].numpy(), None, template.moving)[0] * 1e3
                      for x in (made, truth))  # fmt: skip
        errors.append(np.mean(np.square(one.astype(np.float64) - other)))
    loss = VertexError(template)(made, truth, valid)
    assert float(loss) == pytest.approx(np.mean(errors), rel=1e-3)


def example(seed):
    """Features that say how far the jaw is open, and the jaw."""
    rng = np.random.default_rng(seed)
    jaw = np.clip(np.cumsum(rng.normal(0, 0.15, 30)) * 0.5 + 0.4, 0, 1)
    features = rng.normal(0, 0.1, (50, 4))
    features[:, 1] = np.interp(np.arange(50) / 50, (np.arange(30) + 0.5) / 30, jaw)
    arkit = np.zeros((30, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = jaw
    return Example(f"e{seed}", 0, features.astype(np.float16), arkit, np.ones(30, bool))


def test_a_run_learns_and_writes_what_the_product_loads(template, tmp_path):
    config = BaselineConfig(
        batch=4, frames=15,
        loop={"steps": 50, "rate": 1e-2, "warm": 5, "check_every": 50, "average": 0.8},
        model={"channels": 4, "width": 16, "heads": 2, "ffn": 32, "shapes": ("jawOpen",)},
    )  # fmt: skip
    source = Source("grid_s1", "tracked", "natural", 1.0)
    sources = [(source, [example(seed) for seed in range(8)])]
    held = [(source, [example(seed) for seed in range(20, 23)])]
    best = train(config, sources, held, template, tmp_path, resume=False)
    assert best["r_grid_s1"] > 0.7
    settings, tensors = load_parts(tmp_path, ROLE)
    assert settings["kind"] == "faceformer"
    build_student(settings).load_state_dict(tensors)
    assert json.loads((tmp_path / "config.json").read_text())["batch"] == 4
    for name in ("log.csv", "curves.png", "sample.png", "checkpoint.pt"):
        assert (tmp_path / name).stat().st_size
