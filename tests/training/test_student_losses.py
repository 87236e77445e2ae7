"""Sync loss, lipread loss, their balance, and what the experts know of a crop."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncConfig, SyncNet3D, mouth_basis
from training.data.sources import Source
from training.guides import Heard, Pack, Read, Shelf, read_between, teacher_frames
from training.losses.balance import weighed
from training.losses.lipread import LipreadLoss
from training.losses.sync import SyncLoss
from training.student_losses import Extra, StudentLosses
from training.train_regressor import read_config


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def expert(template):
    torch.manual_seed(0)
    made = SyncNet3D(SyncConfig(channels=4, width=16, motion_width=16, size=8))
    moved = torch.einsum("fk,kpd->fpd", torch.rand(200, 52), mouth_basis(template))
    made.motion.fit_projection(moved)
    return made


def heard_of(expert, template, motion, voiced=None):
    """Sound that fits `motion` exactly: what the expert sees there."""
    moved = torch.einsum("bfk,kpd->bfpd", motion, mouth_basis(template))
    voiced = torch.ones(motion.shape[:2], dtype=torch.bool) if voiced is None else voiced
    with torch.no_grad():
        return Heard(expert.eval().see(moved), voiced)


@pytest.mark.parametrize("form", ["distance", "contrast"])
def test_sync_loss_prefers_the_fitting_mouth(expert, template, form):
    loss, motion = SyncLoss(expert, template, form), torch.rand(3, 60, 52) * 0.5
    heard = heard_of(expert, template, motion)
    fits, late = loss(motion, heard), loss(motion.roll(5, 1), heard)
    swapped = loss(motion.roll(1, 0), heard)
    assert fits < late
    assert fits < swapped


def test_distance_equals_a_loop_over_voiced_frames(expert, template):
    motion, voiced = torch.rand(2, 12, 52), torch.rand(2, 12) > 0.5
    heard = heard_of(expert, template, torch.rand(2, 12, 52), voiced)
    seen = heard_of(expert, template, motion).vectors
    squares = [float(((seen[b, f] - heard.vectors[b, f]) ** 2).sum())
               for b in range(2) for f in range(12) if voiced[b, f]]  # fmt: skip
    made = SyncLoss(expert, template, "distance")(motion, heard)
    assert float(made) == pytest.approx(np.mean(squares), rel=1e-4)


def test_gradients_reach_the_motion_and_not_the_expert(expert, template):
    loss, motion = SyncLoss(expert, template), torch.rand(2, 40, 52, requires_grad=True)
    loss.train()  # a trainer does; the expert must stay in inference mode
    before = {k: v.clone() for k, v in expert.state_dict().items()}
    loss(motion, heard_of(expert, template, torch.rand(2, 40, 52))).backward()
    assert motion.grad.abs().sum() > 0
    assert all(p.grad is None for p in expert.parameters())
    assert all(torch.equal(before[k], v) for k, v in expert.state_dict().items())


def test_clips_of_which_nothing_is_known_do_not_pull(expert, template):
    voiced = torch.ones(2, 40, dtype=torch.bool)
    voiced[1] = False
    motion = torch.rand(2, 40, 52, requires_grad=True)
    heard = heard_of(expert, template, torch.rand(2, 40, 52), voiced)
    SyncLoss(expert, template)(motion, heard).backward()
    assert motion.grad[0].abs().sum() > 0
    assert motion.grad[1].abs().sum() == 0
    nothing = Heard(heard.vectors, torch.zeros_like(voiced))
    assert SyncLoss(expert, template)(motion, nothing).item() == 0


def test_an_unknown_form_is_named(expert, template):
    with pytest.raises(ValueError, match="known: distance, contrast"):
        SyncLoss(expert, template, "cosine")


class Shrunk(nn.Module):
    """A renderer whose picture is the motion itself."""

    def forward(self, motion):
        return motion[:, :4].reshape(-1, 2, 2)


class Flat(nn.Module):
    def features(self, mouths):
        return mouths.flatten(2)


def lipread_loss(**how):
    return LipreadLoss(Shrunk(), Flat(), **{"frames": 10, "edge": 2} | how)


def read_of(motion, places, known=True):
    features = read_between(motion, places)[..., :4]
    return Read(features, places, torch.full(places.shape, known))


def test_lipread_loss_is_zero_for_the_teachers_own_motion():
    motion = torch.rand(3, 30, 52) + 0.1
    places = torch.linspace(0.4, 28.6, 24).expand(3, -1)
    read = read_of(motion, places)
    rng = np.random.default_rng(0)
    assert float(lipread_loss()(motion, read, rng)) == pytest.approx(0, abs=1e-5)
    assert float(lipread_loss()(motion.flip(1), read, rng)) > 0.01
    assert float(lipread_loss()(motion, read_of(motion, places, known=False), rng)) == 0


def test_a_clip_that_ends_inside_the_crop_still_counts():
    motion, places = torch.rand(2, 30, 52) + 0.1, torch.linspace(0.4, 28.6, 24).expand(2, -1)
    read = read_of(motion, places)
    read.known[:, 20:] = False
    losses = [lipread_loss()(motion.flip(1), read, np.random.default_rng(s)) for s in range(20)]
    used = [float(loss) > 0.01 for loss in losses]
    firsts = [int(np.random.default_rng(s).integers(15)) for s in range(20)]
    assert used == [first + 10 <= 20 for first in firsts]


def test_lipread_loss_equals_a_loop():
    torch.manual_seed(1)
    motion, other = torch.rand(1, 12, 52), torch.rand(1, 12, 52)
    places = torch.arange(10.0)[None]
    read, cosines = read_of(other, places), []
    for frame in range(2, 8):
        a, b = motion[0, frame, :4], other[0, frame, :4]
        cosines.append(float((a @ b) / (a.norm() * b.norm())))
    made = lipread_loss()(motion, read, np.random.default_rng(0))
    assert float(made) == pytest.approx(1 - np.mean(cosines), rel=1e-4)


def test_balance_pulls_by_share_whatever_the_scale():
    made = torch.rand(5, requires_grad=True)
    main, other = (made**2).sum(), 1e6 * (made - 1).sum()
    for scale in (1.0, 1e-3):
        total = weighed(made, main, {"other": (scale * other, 0.3)}, {})
        (gradient,) = torch.autograd.grad(total, made, retain_graph=True)
        extra = gradient - 2 * made.detach()
        assert float(extra.norm()) == pytest.approx(0.3 * float((2 * made).norm()), rel=1e-4)
        assert float(total) == pytest.approx(float(main), rel=1e-5)


def test_a_quiet_batch_does_not_blow_a_loss_up():
    made, norms = torch.rand(5, requires_grad=True), {}
    weighed(made, (made**2).sum(), {"other": ((made - 1).square().sum(), 1.0)}, norms)
    quiet = weighed(made, (made**2).sum(), {"other": (1e-6 * made.sum(), 1.0)}, norms)
    (gradient,) = torch.autograd.grad(quiet, made)
    torch.testing.assert_close(gradient, 2 * made.detach(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("start", range(8))
def test_teacher_frames_lie_in_the_crop_and_tell_their_time(start):
    first, places = teacher_frames(start, 20)
    times = (first + np.arange(20) + 0.5) / 25
    np.testing.assert_allclose((places + 0.5) / 30 + start / 10, times, atol=1e-5)
    assert places[0] > -0.51
    assert (first - 0.5) / 25 < start / 10 + 1e-9


def test_reading_between_frames_is_linear():
    values = torch.arange(12.0).reshape(1, 6, 2)
    made = read_between(values, torch.tensor([[-1.0, 0.5, 4.25, 9.0]]))
    assert made[0, :, 0].tolist() == [0.0, 1.0, 8.5, 10.0]


@pytest.fixture
def shelf(tmp_path):
    rows = np.arange(90, dtype=np.float16)[:, None] * np.ones((1, 3), np.float16)
    np.savez(tmp_path / "a.npz", features=rows, starts=np.array([0, 60, 90]),
             names=np.array(["one", "two"]), voiced=np.ones(90, bool))  # fmt: skip
    pack = Pack(tmp_path / "a.npz")
    return Shelf({"toy": pack}, {"toy": pack}, ("natural",))


def test_a_shelf_gives_what_belongs_to_the_crop(shelf):
    clean = Source("toy", "tracked", "natural", 1.0)
    noisy = Source("toy", "tracked", "natural", 1.0, copy=1)
    clear = Source("toy", "tracked", "clear", 1.0)
    drawn = [(clean, "one", 4), (clean, "two", 0), (noisy, "one", 0), (clean, "none", 0),
             (clear, "one", 0)]  # fmt: skip
    heard, read = shelf.of(drawn, 36)
    assert heard.vectors[0, :3, 0].tolist() == [12, 13, 14]
    assert heard.voiced.sum(1).tolist() == [36, 30, 0, 0, 36]
    first, _ = teacher_frames(4, 5)
    assert read.features[0, 0, 0] == first
    assert read.known.all(1).tolist() == [True, True, False, False, False]


def test_extras_begin_when_they_are_told_to(template, expert):
    losses = StudentLosses(template, {}, {}, None)
    losses.extras = {"sync": Extra(0.5, "e", {"toy": "sounds/toy"}, after=10)}
    losses.sync = SyncLoss(expert, template)
    motion = torch.rand(2, 40, 52, requires_grad=True)
    from training.student_batches import Batch

    heard = heard_of(expert, template, torch.rand(2, 40, 52))
    batch = Batch(torch.zeros(1), torch.rand(2, 40, 52), heard.voiced, torch.zeros(2), heard)
    early, late = (losses(motion, batch, n, np.random.default_rng(0)) for n in (9, 10))
    assert float(early["sync"]) == 0 < float(late["sync"])
    one, two = (
        torch.autograd.grad(t["total"], motion, retain_graph=True)[0] for t in (early, late)
    )
    assert float((two - one).norm()) == pytest.approx(0.5 * float(one.norm()), rel=1e-3)


def test_a_configuration_may_change_another(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"steps": 7, "loss": {"gap": 2.0}}))
    (tmp_path / "b.json").write_text(json.dumps({"base": "a.json", "sync": {"weight": 1}}))
    config = read_config(tmp_path / "b.json", {"sync.weight": 0.1, "seed": 9})
    assert (config.steps, config.seed, config.sync) == (7, 9, {"weight": 0.1})
    with pytest.raises(ValueError, match="'stepz' is not a setting"):
        read_config(tmp_path / "b.json", {"stepz": 1})
