"""Basis, student, losses and figures on the papers' datasets, against naive oracles."""

import numpy as np
import pytest
import torch

from l2t.models.regressor import Regressor, RegressorConfig
from l2t.models.syncnet3d import SyncConfig, SyncNet3D
from training.paper.basis import Basis, PointDecoder, fit_basis
from training.paper.biwi import BIWI
from training.paper.figures import Figures, geometry, interval, pooled_lve, published_fdd
from training.paper.losses import LipSync, PaperLosses, VertexLoss
from training.paper.masks import Mask
from training.paper.prepare import Example, crop, draw
from training.paper.student import VertexConfig, VertexRegressor, in_styles
from training.paper.sync import ClipBatches, lip_places, scored
from training.paper.table import results_table
from training.paper.vocaset import VOCASET
from training.sync_data import CLEAN

VERTICES = 40
SMALL = {"width": 16, "heads": 2, "layers": 2, "ffn": 16}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def moves(rng):
    """(200, vertices * 3) motion along five directions of very different strength, off centre."""
    ways = rng.normal(size=(5, VERTICES * 3))
    strengths = np.array([1.0, 0.5, 0.2, 0.05, 0.01]) * 1e-3
    return (rng.normal(size=(200, 5)) * strengths @ ways + 4e-3).astype(np.float32)


@pytest.fixture
def basis(moves):
    return fit_basis([moves], 5)


def example(rng, basis, frames=40, style=0, fps=30.0) -> Example:
    """A clip whose sound is loud when the first number of the basis is high."""
    z = np.cumsum(rng.normal(size=(frames, basis.size)), axis=0).astype(np.float32)
    z = (z - z.mean(0)) / (z.std(0) + 1e-6)
    count = round(frames / fps * 16000)
    loud = np.interp(np.linspace(0, frames - 1, count), np.arange(frames), np.clip(z[:, 0], 0, 2))
    sound = (0.1 * loud * rng.normal(size=count)).astype(np.float32)
    features = rng.normal(size=(count // 320, 6)).astype(np.float32)
    return Example("clip", style, sound, features, z, np.ones(frames, bool))


@pytest.mark.parametrize("sizes", [[200], [7, 93, 1, 60, 39], [20] * 10])
def test_directions_from_blocks_are_those_of_a_whole_svd(moves, sizes):
    ends = np.cumsum(sizes)
    made = fit_basis((moves[e - s : e] for s, e in zip(sizes, ends, strict=True)), 4)
    whole = moves.astype(np.float64)
    _, values, rows = np.linalg.svd(whole - whole.mean(0), full_matrices=False)
    np.testing.assert_allclose(made.mean, whole.mean(0), atol=1e-8)
    np.testing.assert_allclose(made.scale, values[:4] / np.sqrt(199), rtol=1e-2)
    assert np.abs(np.abs((made.directions * rows[:4]).sum(1)) - 1).max() < 1e-3
    assert made.explained == pytest.approx((values[:4] ** 2).sum() / (values**2).sum(), rel=1e-3)


def test_numbers_of_the_basis_are_scores_of_unit_deviation(moves, basis):
    z = basis.project(moves)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-2)


def test_directions_that_are_not_there_are_not_invented(moves):
    assert fit_basis([moves], 50).size == 5


@pytest.mark.parametrize("components", [5, 0])
def test_decoding_gives_the_displacement_back(moves, components, tmp_path):
    fit_basis([moves], components).save(tmp_path / "basis.safetensors")
    basis = Basis.load(tmp_path / "basis.safetensors")
    ids = np.array([3, 17, 39])
    z = torch.from_numpy(basis.project(moves))
    made = PointDecoder(basis, ids)(z[None])[0].numpy()
    np.testing.assert_allclose(made, moves.reshape(200, -1, 3)[:, ids], atol=2e-6)


@pytest.mark.parametrize("components", [5, 0])
def test_a_decoders_spread_is_how_far_points_go(moves, components):
    ids = np.arange(VERTICES)
    points = moves.reshape(200, -1, 3)
    way = np.sqrt(np.square(points - points.mean(0)).sum(-1).mean())
    assert PointDecoder(fit_basis([moves], components), ids).spread == pytest.approx(way, rel=0.01)


@pytest.mark.parametrize("components", [5, 0])
def test_the_loss_is_the_naive_error_on_all_vertices_over_the_motions_variance(moves, components):
    basis = fit_basis([moves], components)
    truth, made = moves[:30].reshape(2, 15, -1), moves[50:80].reshape(2, 15, -1)
    mask = np.ones((2, 15), bool)
    mask[1, 9:] = False
    scores = [torch.from_numpy(basis.project(part)) for part in (made, truth)]
    terms = VertexLoss(basis, velocity=2.0)(*scores, torch.from_numpy(mask))

    variance = np.square(basis.scale).sum()
    error, position, velocity = made.astype(np.float64) - truth, [], []
    for clip in range(2):
        for frame in range(15):
            if mask[clip, frame]:
                position.append(np.square(error[clip, frame]).sum() / variance)
            if frame and mask[clip, frame] and mask[clip, frame - 1]:
                step = error[clip, frame] - error[clip, frame - 1]
                velocity.append(np.square(step).sum() / variance)
    assert float(terms["vertices"]) == pytest.approx(np.mean(position), rel=1e-4)
    assert float(terms["velocity"]) == pytest.approx(np.mean(velocity), rel=1e-4)
    assert float(terms["total"]) == pytest.approx(np.mean(position) + 2 * np.mean(velocity), 1e-4)


def test_the_mean_face_has_a_loss_of_one_in_any_unit(moves):
    for unit in (1.0, 1e3):
        basis = fit_basis([moves * unit], 5)
        z = torch.from_numpy(basis.project(moves * unit))[None]
        loss = VertexLoss(basis)(torch.zeros_like(z), z, torch.ones(z.shape[:2], dtype=bool))
        assert float(loss["vertices"]) == pytest.approx(1.0, rel=0.02)


def test_the_student_is_the_projects_transformer(rng):
    """With the layers' weights copied, the inside equals l2t's own at 30 fps."""
    ours = VertexRegressor(VertexConfig(6, 52, 30.0, ("a", "b"), **SMALL)).eval()
    own = Regressor(RegressorConfig(channels=6, styles=("a", "b"), **SMALL)).eval()
    torch.nn.init.normal_(own.head.weight, std=0.3)
    ours.load_state_dict(own.state_dict())
    features = torch.from_numpy(rng.normal(size=(2, 50, 6)).astype(np.float32))
    style = torch.tensor([0, 1])
    inside = torch.sigmoid(ours(features, 30, style))
    expected = (inside * 1.04 - 0.02).clamp(0, 1)
    torch.testing.assert_close(own(features, 30, style), expected)


def test_frames_of_either_rate_hear_the_same_time(rng):
    """A change at 1.0 s of the features moves only frames around 1.0 s, at 25 and at 30 fps."""
    for fps in (25.0, 30.0):
        model = VertexRegressor(VertexConfig(6, 4, fps, ("a",), reach=3, listen=0.1, **SMALL))
        torch.nn.init.normal_(model.eval().head.weight)
        features = torch.from_numpy(rng.normal(size=(1, 100, 6)).astype(np.float32))
        other = features.clone()
        other[:, 50] += 5
        frames, style = int(2 * fps), torch.zeros(1, dtype=torch.long)
        change = (model(features, frames, style) - model(other, frames, style)).abs().sum(-1)[0]
        times = (torch.arange(frames) + 0.5) / fps
        touched = times[change > 1e-6]
        assert 0.4 < float(touched.min()) < 1.0 < float(touched.max()) < 1.6
        assert float((touched.min() + touched.max()) / 2) == pytest.approx(1.0, abs=0.04)


def test_a_fresh_student_is_the_mean_face_in_every_style(rng):
    model = VertexRegressor(VertexConfig(6, 4, 25.0, ("a", "b", "c"), **SMALL)).eval()
    made = in_styles(model, torch.from_numpy(rng.normal(size=(50, 6)).astype(np.float32)), 25,
                     [0, 1, 2])  # fmt: skip
    assert made.shape == (3, 25, 4)
    assert not made.any()


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_a_crop_keeps_sound_features_and_motion_together(rng, basis, fps):
    whole = example(rng, basis, frames=60, fps=fps)
    sound, features, z, mask, voiced, style = crop(whole, 15, 30, fps)
    first = round(15 / fps * 16000)
    np.testing.assert_array_equal(sound, whole.sound[first : first + len(sound)])
    np.testing.assert_array_equal(features[0], whole.features[round(15 / fps * 50)])
    np.testing.assert_array_equal(z, whole.z[15:45])
    assert mask.all()
    assert len(sound) == pytest.approx(30 / fps * 16000, abs=1)


def test_a_crop_of_a_short_clip_is_held_and_masked(rng, basis):
    whole = example(rng, basis, frames=12)
    _, _, z, mask, voiced, _ = crop(whole, 0, 20, 30.0)
    assert mask.sum() == voiced.sum() == 12
    np.testing.assert_array_equal(z[12:], np.repeat(whole.z[-1:], 8, axis=0))
    batch = draw([whole], 3, 20, 30.0, rng)
    assert batch.z.shape == (3, 20, basis.size)


def expert_of(points: int, window: int) -> SyncNet3D:
    shape = {"channels": 2, "width": 8, "motion_width": 8, "size": 4, "components": 3}
    expert = SyncNet3D(SyncConfig(points=points, window=window, **shape))
    torch.nn.init.normal_(expert.motion.directions, std=200.0)
    return expert.eval()


@pytest.mark.parametrize(("fps", "window"), [(30.0, 6), (25.0, 5)])
def test_gradients_of_the_sync_loss_reach_the_lips_and_not_the_expert(rng, basis, fps, window):
    lips = LipSync(expert_of(4, window), PointDecoder(basis, np.arange(4)), fps)
    batch = draw([example(rng, basis, 40, fps=fps)], 2, 30, fps, rng)
    made = torch.zeros(2, 30, basis.size, requires_grad=True)
    lips.train()
    lips(made, batch).backward()
    assert made.grad.abs().sum() > 0
    assert not lips.expert.training
    assert all(p.grad is None for p in lips.parameters())


def test_extras_wait_until_the_reconstruction_has_settled_and_keep_their_share(rng, basis):
    batch = draw([example(rng, basis, 40)], 2, 30, 30.0, rng)
    heard = []

    def hook(made, given):
        heard.append(given is batch)
        return 1e6 * made.square().mean()  # of any scale

    losses = PaperLosses(VertexLoss(basis), {"lipread": (hook, 0.5)}, first=3)
    made = torch.randn(2, 30, basis.size, requires_grad=True)
    before = losses(made, batch, 2)
    assert before["lipread"] == 0
    assert not heard
    (plain,) = torch.autograd.grad(before["total"], made)
    after = losses(made, batch, 3)
    assert heard == [True]
    (both,) = torch.autograd.grad(after["total"], made)
    assert float((both - plain).norm() / plain.norm()) == pytest.approx(0.5, rel=1e-3)


def test_an_extra_of_weight_nothing_is_never_called(rng, basis):
    batch = draw([example(rng, basis, 40)], 2, 30, 30.0, rng)
    losses = PaperLosses(VertexLoss(basis), {"sync": (None, 0.0)}, first=0)
    assert set(losses(torch.zeros(2, 30, basis.size), batch, 9)) == {
        "vertices", "velocity", "total",
    }  # fmt: skip


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_batches_for_the_expert_keep_sound_and_lips_in_step(rng, basis, fps):
    """The loud frames of the mel are those where the first number of the basis is high."""
    clips = [example(rng, basis, 90, fps=fps) for _ in range(3)]
    decoder = PointDecoder(basis, np.arange(6))
    batches = ClipBatches(clips, decoder, fps, batch=3, frames=50, spoiling=CLEAN)
    mel, lips, voiced = batches.draw()
    assert mel.shape == (3, 200, 80)
    assert lips.shape == (3, 50, 6, 3)
    assert voiced.dtype == torch.bool
    way = torch.from_numpy(basis.scale[0] * basis.directions[0][: 6 * 3])
    jaw = ((lips.flatten(2) - decoder.mean) @ way).clamp(min=0)
    loud = mel.unflatten(1, (50, 4)).mean((2, 3))
    for a, b in zip(jaw, loud, strict=True):
        assert float(torch.corrcoef(torch.stack([a, b]))[0, 1]) > 0.4


def test_still_lips_have_no_confidence_and_no_offset(rng, basis):
    clip, decoder = example(rng, basis, 40), PointDecoder(basis, np.arange(4))
    lips = decoder(torch.from_numpy(clip.z))
    expert = expert_of(4, 6)
    moving = scored(expert, lips, clip.sound, clip.voiced, 30.0, decoder.spread)
    still = scored(expert, lips[:1].expand(40, -1, -1), clip.sound, clip.voiced, 30.0,
                   decoder.spread)  # fmt: skip
    assert np.isfinite([moving.lse_d, moving.lse_c, moving.offset]).all()
    assert np.isnan([still.lse_d, still.lse_c, still.offset]).all()


def test_watched_lips_are_spread_over_the_whole_mask():
    ids = np.arange(100, 600)
    places = lip_places(ids, 50)
    assert (places[0], places[-1], len(places)) == (100, 599, 50)
    assert np.diff(places).min() >= 10
    assert lip_places(ids[:7], 50).tolist() == ids[:7].tolist()


def test_figures_are_those_of_the_published_loops(rng):
    truth, made = rng.normal(size=(2, 9, 12, 3))
    lips, upper = np.array([1, 4, 5]), np.array([0, 7, 8, 9])
    worst = [max(sum((made[t, v] - truth[t, v]) ** 2) for v in lips) for t in range(9)]
    gaps = []
    for v in upper:
        own = np.std([sum(truth[t, v] ** 2) for t in range(9)])
        gaps.append(own - np.std([sum(made[t, v] ** 2) for t in range(9)]))
    assert geometry(made, truth, lips, upper) == pytest.approx(
        (np.mean(worst), np.mean(gaps), np.mean(np.abs(gaps)))
    )
    assert np.isnan(geometry(made, truth, lips, None)[1:]).all()


def test_signed_fdd_cancels_where_the_absolute_does_not(rng):
    truth = rng.normal(size=(50, 2, 3))
    made = truth * np.array([0.5, np.sqrt(2 - 0.25)])[:, None]
    made[:, 1] = truth[:, 0] * np.sqrt(2 - 0.25)
    truth[:, 1] = truth[:, 0]
    found = published_fdd(made, truth)
    assert abs(found.signed) < 1e-9 < found.absolute


def figures(lve: float, frames: int = 10, offset: float = 1.0) -> Figures:
    return Figures(frames, lve, lve / 10, lve / 5, 9.0, 3.0, offset)


def test_long_clips_count_more_in_the_pooled_error_only():
    rows = [figures(1.0, 30), figures(4.0, 10)]
    assert pooled_lve(rows) == pytest.approx((30 * 1 + 10 * 4) / 40)
    assert interval(rows, "lve")[0] == pytest.approx(2.5)


def test_styles_of_one_clip_are_averaged_and_what_is_undefined_left_out():
    mean = Figures.mean([figures(1.0), figures(3.0, offset=float("nan"))])
    assert (mean.lve, mean.offset, mean.frames) == (2.0, 1.0, 10)


def test_the_table_says_what_was_measured_and_puts_the_paper_beside_it():
    lips, upper = (Mask(np.arange(3), f"3 vertices of {name}.txt") for name in ("lve", "fdd"))
    rows = {"student": [figures(5e-4), figures(5e-4)]}
    text = results_table(BIWI, "test A", rows, lips, upper)
    assert "BIWI, test A: 2 of 24 clips, 6 subjects seen in training, 25 frames a second" in text
    assert "LVE over 3 vertices of lve.txt; FDD over 3 vertices of fdd.txt" in text
    assert "square roots of the mesh's surface area, squared" in text
    (student,) = [line for line in text.splitlines() if line.startswith("student")]
    assert student.split()[1:4] == ["5.000", "[5.000,", "5.000]"]
    paper = next(line for line in text.splitlines() if line.startswith("Learn2Talk full"))
    assert paper.split()[2:] == ["5.000", "3.776", "8.897", "9.449"]
    assert "not in training" in results_table(VOCASET, "test", rows, lips, None)
    assert "published" not in results_table(BIWI, "test B", rows, lips, upper)
