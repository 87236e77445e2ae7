"""The sync expert on films: shapes, what it must not see, and the controls on toy mouths."""

import json

import numpy as np
import pytest
import torch

from l2t.models.syncnet3d import SyncConfig, SyncNet3D
from training.evaluate_sync2d import evaluate, show
from training.files import save_module
from training.loop import Loop, LoopConfig
from training.models.syncnet2d import (
    MARGIN,
    SIDE,
    Sync2DConfig,
    SyncNet2D,
    load_expert2d,
    plain_motion,
    shrunk,
)
from training.mouth_sync import estimate_lag, judge, mouth_sync, moves
from training.mouth_sync_data import Bending, Film, bend, cut, draw_batch, pooled
from training.sync_data import CLEAN
from training.train_syncnet2d import check_on, start_from, step_on

SMALL = Sync2DConfig(channels=4, width=24, size=16, pictures=(8, 8, 8, 8), dropout=0.0)


def toy_film(seed: int, frames: int = 75, side: int = SIDE) -> Film:
    """A dark disc whose height follows the loudness of a noise."""
    rng = np.random.default_rng(seed)
    wave = np.convolve(rng.normal(size=frames + 4), np.ones(5) / 2.2, "valid")
    jaw = np.clip(wave + 0.4, 0.02, 1)
    rise = np.interp(np.arange(frames * 640) / 640, np.arange(frames) + 0.5, jaw)
    sound = (rng.normal(size=len(rise)) * rise**2 * 6000).astype(np.int16)
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    hole = (columns**2)[None] + (rows[None] / (0.15 + jaw[:, None, None])) ** 2 < 0.09
    return Film(str(seed), sound, np.where(hole, 40, 170).astype(np.uint8))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An expert after a few steps on toys: enough to tell aligned from not."""
    torch.set_num_threads(1)
    films = [toy_film(s) for s in range(12)]
    config = LoopConfig(seed=1, steps=40, rate=5e-3, warm=4, average=0.7, clip=5, check_every=40)
    loop = Loop(tmp_path_factory.mktemp("run"), config)
    torch.manual_seed(0)
    expert = SyncNet2D(SMALL)
    step = plain_step(films, loop)
    saved = {}
    loop.run(expert, step, check_on(films[:4], 36), save=lambda m, _: saved.update(model=m))
    return saved["model"].eval().requires_grad_(False)


def plain_step(films, loop):
    """Toys need no augmentation."""
    from training.train_syncnet2d import losses_of

    return lambda model, number: losses_of(model, draw_batch(films, loop.rng, 5, 36, CLEAN, None))


def test_one_vector_a_frame_for_crops_of_any_size():
    expert = SyncNet2D(SMALL).eval()
    assert expert.see(torch.rand(2, 7, 96, 96)).shape == (2, 7, 16)
    assert expert.see(torch.rand(1, 1, 48, 48)).shape == (1, 1, 16)
    assert expert.hear(torch.zeros(2, 28, 80)).shape == (2, 7, 16)


def test_a_picture_is_pooled_and_its_border_cut():
    picture = torch.arange(96 * 96.0).reshape(1, 96, 96)
    whole = picture.reshape(48, 2, 48, 2).mean((1, 3))
    torch.testing.assert_close(shrunk(picture)[0], whole[MARGIN:-MARGIN, MARGIN:-MARGIN])


def test_light_contrast_and_a_still_face_do_not_count():
    film = torch.rand(1, 9, 48, 48)
    other = plain_motion(0.5 * film + 0.2)
    torch.testing.assert_close(other, plain_motion(film), atol=1e-4, rtol=1e-4)
    still = film[:, :1].expand(-1, 9, -1, -1)
    assert plain_motion(still).abs().max() < 1e-5


def test_each_vector_sees_five_frames():
    expert = SyncNet2D(SMALL).eval()
    film = torch.rand(1, 20, 48, 48)
    seen = film.clone().requires_grad_(True)
    # The mean picture is over the clip: it is held fixed here to see the window alone.
    fixed = (seen - film.mean(1, keepdim=True)) + film.mean(1, keepdim=True)
    expert.see(fixed)[0, 10].sum().backward()
    size = seen.grad.abs().sum((0, 2, 3))
    assert (size[8:13].min() > 5 * size[[0, 1, 2, 17, 18, 19]].max()).item()


def test_gradients_reach_the_film():
    expert = SyncNet2D(SMALL).eval().requires_grad_(False)
    film = torch.rand(1, 6, 96, 96, requires_grad=True)
    expert.see(film).square().sum().backward()
    assert film.grad.abs().sum() > 0


def test_the_audio_tower_of_the_3d_expert_can_be_its_start(tmp_path):
    config = SyncConfig(channels=4, width=24, size=16, motion_width=8)
    other = SyncNet3D(config)
    save_module(other, tmp_path, "expert", half=False)
    expert = SyncNet2D(SMALL)
    start_from(expert, tmp_path / "expert")
    for name, tensor in other.audio.state_dict().items():
        torch.testing.assert_close(expert.audio.state_dict()[name], tensor)


def test_weights_survive_the_disk(tmp_path):
    expert = SyncNet2D(SMALL).eval()
    save_module(expert, tmp_path, "syncnet2d")
    back = load_expert2d(tmp_path / "syncnet2d")
    assert json.loads((tmp_path / "syncnet2d.json").read_text())["pictures"] == [8, 8, 8, 8]
    film = torch.rand(1, 5, 48, 48)
    torch.testing.assert_close(back.see(film), expert.see(film), atol=2e-2, rtol=2e-2)
    assert not any(p.requires_grad for p in back.parameters())


def test_aligned_is_nearer_than_shifted_and_swapped(trained):
    own, late, other = [], [], []
    for seed in range(20, 26):
        film, wrong = toy_film(seed), toy_film(seed + 50)
        sound = film.samples / np.float32(32768)
        own.append(mouth_sync(trained, film.mouths, sound))
        late.append(mouth_sync(trained, np.roll(film.mouths, 4, 0), sound))
        other.append(mouth_sync(trained, wrong.mouths, sound))
    assert np.mean([r.lse_c for r in own]) > 1.3 * np.mean([r.lse_c for r in other])
    assert np.mean([r.confidence for r in own]) > np.mean([r.confidence for r in other])
    assert np.median([r.lag for r in own]) == 0
    assert np.median([r.lag for r in late]) == pytest.approx(4, abs=1)


@pytest.mark.parametrize("by", [-10, -3, 0, 6, 10])
def test_the_lag_follows_the_shift(trained, by):
    film = toy_film(31)
    at = np.clip(np.arange(len(film.mouths)) - by, 0, len(film.mouths) - 1)
    lag, confidence = estimate_lag(trained, film.mouths[at], film.samples / np.float32(32768))
    assert abs(lag - by) <= 1
    assert confidence > 0


def test_the_evaluation_orders_the_controls(trained, capsys):
    found = evaluate(trained, [toy_film(s) for s in range(40, 44)])
    show("toys", found)
    table = capsys.readouterr().out
    assert np.mean(found["follows"]) > 0.8
    assert found["auc"] > 0.8
    played = {name: np.mean([p for p, _ in rows]) for name, rows in found["controls"].items()}
    assert played["aligned"] < played["shifted by 3"]
    assert played["aligned"] < played["swapped"]
    assert all(r.confidence == 0 and r.lag is None for _, r in found["controls"]["frozen"])
    assert "lag within one frame" in table
    assert "frozen" in table


def test_a_still_mouth_and_silence_get_no_confidence(trained):
    film = toy_film(3)
    still = np.repeat(film.mouths[:1], 75, 0)
    assert estimate_lag(trained, still, film.samples / np.float32(32768)) == (None, 0.0)
    assert estimate_lag(trained, film.mouths, np.zeros(48000, np.float32)) == (None, 0.0)
    assert estimate_lag(trained, film.mouths[:0], np.zeros(0, np.float32)) == (None, 0.0)
    assert moves(film.mouths)
    assert not moves(still)


def test_grain_alone_is_no_motion():
    rng = np.random.default_rng(0)
    face = toy_film(0).mouths[:1].astype(int)
    assert not moves((face + rng.integers(-1, 2, (40, SIDE, SIDE))).clip(0, 255).astype(np.uint8))


def test_judge_equals_a_loop_over_shifts():
    rng = np.random.default_rng(1)
    sound = rng.normal(size=(60, 4)).astype(np.float32)
    mouth = np.roll(sound, 3, 0) + 0.1 * rng.normal(size=(60, 4)).astype(np.float32)
    voiced = rng.random(60) < 0.7
    means = {}
    for lag in range(-15, 16):
        pairs = [np.linalg.norm(mouth[i] - sound[i - lag])
                 for i in range(60) if voiced[i] and 0 <= i - lag < 60]  # fmt: skip
        means[lag] = np.mean(pairs)
    found = judge(mouth, sound, voiced, True)
    assert found.lag == min(means, key=means.get) == 3
    assert found.lse_d == pytest.approx(means[3], rel=1e-4)
    assert found.lse_c == pytest.approx(np.median(list(means.values())) - means[3], rel=1e-3)
    assert judge(mouth, sound, voiced, False).confidence == 0


def test_four_pixels_become_one():
    film = np.random.default_rng(0).integers(0, 256, (3, 96, 96), np.uint8)
    mean = film.reshape(3, 48, 2, 48, 2).mean((2, 4))
    assert np.abs(pooled(film) - mean).max() <= 0.5


def test_cut_keeps_sound_and_film_together():
    film = toy_film(5)
    sound, mouths = cut(film, 10, 20, 1.0)
    assert sound.shape == (20 * 640,)
    np.testing.assert_allclose(mouths, film.mouths[10:30] / 255.0, atol=1e-6)
    np.testing.assert_allclose(sound, film.samples[6400:19200] / 32768.0, atol=1e-6)
    fast, quick = cut(film, 10, 20, 1.5)
    np.testing.assert_allclose(quick[4], film.mouths[16:18].mean(0) / 255.0, atol=0.3)
    assert fast.shape == (20 * 640,)


def test_beyond_the_ends_there_is_silence_and_a_held_picture():
    film = toy_film(6, frames=30)
    sound, mouths = cut(film, -5, 40, 1.0)
    assert not sound[: 5 * 640].any()
    assert not sound[35 * 640 + 1 :].any()
    np.testing.assert_allclose(mouths[0], film.mouths[0] / 255.0, atol=1e-6)
    np.testing.assert_allclose(mouths[-1], film.mouths[-1] / 255.0, atol=1e-6)


def test_bending_nothing_changes_nothing_and_bending_keeps_time():
    rng = np.random.default_rng(0)
    film = torch.from_numpy(toy_film(7).mouths[None, :9] / np.float32(255))
    none = Bending((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0)
    same = bend(film, none, rng)
    mirrored = same.flip(-1)
    near = min(float((same - film).abs().max()), float((mirrored - film).abs().max()))
    assert near < 1e-4
    still = bend(film[:, :1].expand(-1, 9, -1, -1), Bending(noise=0.0), rng)
    assert float(still.std(1).max()) < 1e-5


def test_batches_are_drawn_from_the_given_generator_alone():
    films = [toy_film(s) for s in range(4)]
    torch.manual_seed(1)
    one = draw_batch(films, np.random.default_rng(3), 2, 30, CLEAN, Bending())
    torch.manual_seed(2)
    two = draw_batch(films, np.random.default_rng(3), 2, 30, CLEAN, Bending())
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert [tuple(t.shape) for t in one] == [(2, 120, 80), (2, 30, SIDE, SIDE), (2, 30)]


def test_a_step_gives_finite_losses(tmp_path):
    films = [toy_film(s) for s in range(3)]
    loop = Loop(tmp_path, LoopConfig(steps=1))
    terms = step_on(films, loop, 2, 34)(SyncNet2D(SMALL), 0)
    assert set(terms) == {"frame", "clip", "rank", "total"}
    assert all(torch.isfinite(v) for v in terms.values())
