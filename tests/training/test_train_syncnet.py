"""Training the sync expert: the losses' oracles, what augmentation keeps, two steps on toys."""

import json

import numpy as np
import pytest
import torch

from l2t.models.syncnet3d import SyncConfig
from training.losses.contrastive import (
    all_pairs,
    clip_loss,
    distances,
    frame_loss,
    pair_loss,
    rank_loss,
    shift_means,
)
from training.sync_data import CLEAN, Batches, Clip, Spoiling, cut, spoil_motion, voiced_frames
from training.sync_sources import pieces
from training.train_syncnet import TrainConfig, fresh, load_expert, save_expert, train

SMALL = SyncConfig(channels=4, width=16, motion_width=16, size=8, points=5, components=6)


def toy_clip(seed: int, frames: int = 70) -> Clip:
    """Noise whose loudness follows the jaw."""
    rng = np.random.default_rng(seed)
    jaw = np.clip(np.convolve(rng.normal(size=frames), np.ones(5) / 3, "same"), 0, 1)
    envelope = np.interp(np.arange(frames * 1600 // 3) / 1600 * 3, np.arange(frames) + 0.5, jaw)
    sound = (rng.normal(size=len(envelope)) * envelope * 3000).astype(np.int16)
    arkit = np.zeros((frames, 52), np.float32)
    arkit[:, 17] = jaw
    return Clip(sound, arkit, np.ones(frames, bool), "toy", f"toy{seed % 2}")


@pytest.fixture(scope="module")
def basis():
    return torch.randn(52, 5, 3, generator=torch.Generator().manual_seed(0)) * 0.01


@pytest.fixture
def batches(basis):
    return Batches([toy_clip(s) for s in range(6)], basis, seed=0, batch=4, frames=40)


def test_two_steps_move_the_weights_and_survive_the_disk(batches, tmp_path):
    torch.set_num_threads(1)
    before = fresh(batches, SMALL, seed=3)
    start = {k: v.clone() for k, v in before.state_dict().items()}
    how = TrainConfig(steps=2, batch=4, frames=40, check_every=1)
    expert = train(before, batches, how, tmp_path / "first", {"half": 0})
    assert json.loads((tmp_path / "first.json").read_text())["notes"]["half"] == 0
    moved = [k for k, v in expert.named_parameters() if not torch.equal(v, start[k])]
    assert len(moved) == len(list(expert.parameters()))
    torch.testing.assert_close(expert.motion.directions, start["motion.directions"])
    save_expert(expert, tmp_path / "expert", {"steps": 2})
    back = load_expert(tmp_path / "expert")
    assert json.loads((tmp_path / "expert.json").read_text())["notes"] == {"steps": 2}
    mel = torch.randn(1, 80, 80)
    expert.eval()
    torch.testing.assert_close(back.hear(mel), expert.hear(mel), atol=0.02, rtol=0.02)


def test_training_is_the_same_twice(basis, tmp_path):
    def once(name):
        batches = Batches([toy_clip(s) for s in range(4)], basis, seed=1, batch=2, frames=36)
        torch.manual_seed(5)
        how = TrainConfig(steps=2, seed=1)
        return train(fresh(batches, SMALL, 1), batches, how, tmp_path / name)

    one, two = once("a").state_dict(), once("b").state_dict()
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_distances_equal_a_loop():
    a, b = torch.randn(4, 3), torch.randn(5, 3)
    naive = torch.tensor([[float((x - y).norm()) for y in b] for x in a])
    torch.testing.assert_close(distances(a, b), naive, atol=1e-4, rtol=1e-4)


def test_pair_loss_is_the_margin_formula():
    d, y = torch.tensor([1.0, 2.0, 3.0, 9.0]), torch.tensor([1, 0, 0, 0])
    expected = (1 + (5 - 2) ** 2 + (5 - 3) ** 2 + 0) / (2 * 4)
    assert float(pair_loss(d, y)) == pytest.approx(expected)


def test_frame_loss_equals_a_loop_and_leaves_neighbours_out():
    sound, mouth = torch.randn(2, 6, 3), torch.randn(2, 6, 3)
    voiced = torch.rand(2, 6) > 0.3
    voiced[0, 0] = True
    table = all_pairs(sound, mouth)
    total = []
    for swap in (False, True):
        for i in range(2):
            for s in range(6):
                if not voiced[i, s]:
                    continue
                logits = {
                    (j, t): -float(table[j, t, i, s] if swap else table[i, s, j, t])
                    for j in range(2) for t in range(6)
                    if not (j == i and 0 < abs(t - s) <= 2)
                }  # fmt: skip
                log_sum = np.log(sum(np.exp(v) for v in logits.values()))
                total.append(log_sum - logits[i, s])
    assert float(frame_loss(table, voiced)) == pytest.approx(np.mean(total), rel=1e-4)
    assert float(frame_loss(table, torch.zeros(2, 6, dtype=torch.bool))) == 0.0


def test_shift_means_equal_a_loop():
    table = all_pairs(torch.randn(2, 7, 3), torch.randn(2, 7, 3))
    means = shift_means(table, 3)
    for i in range(2):
        for j in range(2):
            for k in range(7):
                pairs = [table[i, t + k - 3, j, t] for t in range(7) if 0 <= t + k - 3 < 7]
                mean = float(sum(pairs) / len(pairs))
                assert float(means[i, j, k]) == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("loss", [clip_loss, rank_loss])
def test_losses_on_clips_prefer_the_truth(loss):
    torch.manual_seed(0)
    mouth = torch.randn(4, 60, 8)
    good = shift_means(all_pairs(mouth, mouth), 15)
    late = shift_means(all_pairs(mouth, mouth.roll(5, 1)), 15)
    swapped = shift_means(all_pairs(mouth, mouth.roll(1, 0)), 15)
    assert loss(good) < loss(swapped)
    if loss is clip_loss:  # LSE-C itself does not see a constant lag
        assert loss(good) < loss(late)


def test_a_cut_keeps_sound_and_motion_together():
    """At any speed, the loud frames of the sound are the frames of the open jaw."""
    clip = toy_clip(3)
    for speed in (0.8, 1.0, 1.25):
        sound, arkit = cut(clip, 5.0, 40, speed)
        power = np.square(sound[: 40 * 533].reshape(40, 533)).mean(1) ** 0.5
        assert np.corrcoef(power, arkit[:, 17])[0, 1] > 0.9


def test_clean_cuts_are_the_clip_itself():
    clip = toy_clip(1)
    sound, arkit = cut(clip, 6.0, 30, 1.0)
    np.testing.assert_allclose(arkit, clip.arkit[6:36])
    np.testing.assert_allclose(sound, clip.samples[3200:19200] / 32768, atol=1e-6)


def test_beyond_the_clip_is_silence_and_a_held_mouth():
    clip = toy_clip(2)
    sound, arkit = cut(clip, -30.0, 60, 1.0)
    assert not sound[: 29 * 533].any()
    np.testing.assert_allclose(arkit[:30], clip.arkit[:1].repeat(30, 0))


def test_spoilt_motion_stays_in_proportion():
    rng = np.random.default_rng(0)
    arkit = toy_clip(4).arkit
    same = spoil_motion(arkit, CLEAN, rng)
    np.testing.assert_allclose(same, arkit)
    bent = spoil_motion(arkit, Spoiling(soften=0.0), rng)
    ratio = bent[arkit > 0.1] / arkit[arkit > 0.1]
    assert ratio.std() < 1e-5
    assert 0.4 < ratio[0] < 1.8


def test_batches_have_shapes_and_no_holes(batches):
    mel, moved, voiced = batches.draw()
    assert mel.shape == (4, 160, 80)
    assert moved.shape == (4, 40, 5, 3)
    assert voiced.shape == (4, 40)
    assert torch.isfinite(mel).all()
    assert torch.isfinite(moved).all()


def test_voiced_frames_are_the_loud_ones():
    power = torch.full((1, 80, 80), 1e-6)
    power[:, 20:40] = 1.0
    assert voiced_frames(power)[0].tolist() == [5 <= i < 10 for i in range(20)]


def test_pieces_cut_long_clips_and_drop_the_rest():
    parts = pieces([toy_clip(0, 70)], frames=30)
    assert [len(p.arkit) for p in parts] == [30, 30]
    assert [len(p.samples) for p in parts] == [16000, 16000]
