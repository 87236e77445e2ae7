"""The training loop: learns, keeps the best, and a resumed run ends with the same bytes."""

import pytest
import torch
from torch import nn

from training.curves import read_log
from training.files import load_parts, save_module
from training.loop import Loop, LoopConfig, rate_at


class Line(nn.Module):
    """y = w x + b with dropout, so that torch's own generator matters too."""

    def __init__(self):
        super().__init__()
        self.layer, self.drop = nn.Linear(1, 1), nn.Dropout(0.1)

    def forward(self, x):
        return self.layer(self.drop(x))


def config(**changes) -> LoopConfig:
    plain = {"steps": 12, "warm": 2, "rate": 0.1, "check_every": 4, "average": 0.5}
    return LoopConfig(**plain | changes)


def run(out, how: LoopConfig, resume=False, check=None, picture=None) -> Line:
    loop = Loop(out, how, resume)
    model = Line()

    def step(model, number):
        x = torch.from_numpy(loop.rng.normal(size=(8, 1)).astype("float32"))
        error = (model(x) - 3 * x - 1).square().mean()
        return {"total": error, "error": error}

    kept = []
    loop.run(model, step, check, picture, lambda m, folder: kept.append(save(m, folder)))
    return kept[-1]


def save(model, folder):
    assert folder.is_dir()
    return {k: v.clone() for k, v in model.state_dict().items()}


def test_it_learns_and_writes_what_people_look_at(tmp_path):
    seen = []
    kept = run(tmp_path, config(steps=200, check_every=50), picture=lambda m, p: seen.append(p))
    assert abs(float(kept["layer.weight"]) - 3) < 0.6
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert seen == [tmp_path / "sample.png"] * 4
    assert read_log(tmp_path / "log.csv")["step"] == [50, 100, 150, 200]


@pytest.mark.parametrize("stop", [4, 8])
def test_a_resumed_run_ends_with_the_same_bytes(tmp_path, stop):
    whole = run(tmp_path / "whole", config())
    run(tmp_path / "parts", config(stop=stop))
    resumed = run(tmp_path / "parts", config(), resume=True)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert read_log(tmp_path / "parts" / "log.csv")["step"] == [4, 8, 12]


def test_without_resume_it_begins_anew(tmp_path):
    first = run(tmp_path, config())
    again = run(tmp_path, config())
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert read_log(tmp_path / "log.csv")["step"] == [4, 8, 12]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    run(tmp_path, config(stop=4))
    with pytest.raises(ValueError, match="other settings: rate"):
        run(tmp_path, config(rate=0.2), resume=True)


def test_the_best_is_kept_not_the_last(tmp_path):
    scores = iter([1.0, 5.0, 2.0])
    kept = run(tmp_path, config(), check=lambda model: {"score": next(scores)})
    second = run(tmp_path / "b", config(stop=8))
    assert all(torch.equal(kept[k], second[k]) for k in kept)


def test_a_check_that_draws_does_not_change_the_run(tmp_path):
    def noisy(model):
        torch.rand(3)
        return {}

    plain, drawn = run(tmp_path / "a", config()), run(tmp_path / "b", config(), check=noisy)
    assert all(torch.equal(plain[k], drawn[k]) for k in plain)


def test_a_loss_that_explodes_says_so(tmp_path):
    loop = Loop(tmp_path, config())
    with pytest.raises(FloatingPointError, match="not finite"):
        loop.run(Line(), lambda m, n: {"total": m(torch.ones(1, 1)).sum() * float("inf")})


def test_the_rate_rises_then_falls():
    how = LoopConfig(steps=100, warm=10)
    rates = [rate_at(n, how) for n in range(100)]
    assert (rates[0], rates[9], max(rates)) == (0.1, 1.0, 1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.01


def test_saved_modules_come_back(tmp_path):
    class Shaped(Line):
        def __init__(self):
            super().__init__()
            from l2t.models.syncnet3d import SyncConfig

            self.config = SyncConfig()

    model = Shaped()
    save_module(model, tmp_path, "line", half=False)
    _, tensors = load_parts(tmp_path, "line")
    assert all(torch.equal(tensors[k], v) for k, v in model.state_dict().items())
