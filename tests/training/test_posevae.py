"""Training PoseVAE: angles as the renderer turns, two steps on toys, measures with oracles."""

import numpy as np
import pytest
import torch

from l2t.models.posevae import PoseConfig
from l2t.render.pose import rotation
from training.data.head_pose import angles_of, head_pose
from training.evaluate_posevae import beat, jerk, size
from training.files import load_parts
from training.train_posevae import HeadClip, TrainConfig, train, windows

SMALL = PoseConfig(frames=12, channels=6, audio=4, latent=3, width=8)


def toy(seed):
    rng = np.random.default_rng(seed)
    pose = 0.02 * np.sin(np.arange(40)[:, None] / rng.uniform(3, 9, 3))
    return HeadClip(pose - pose.mean(0), rng.normal(size=(40, 6)).astype(np.float32))


def test_angles_are_those_the_renderer_turns_by():
    wanted = np.array([[0.1, -0.2, 0.05], [0.0, 0.3, 0.0], [-0.2, 0.0, 0.1]])
    transforms = np.tile(np.eye(4), (3, 1, 1))
    transforms[:, :3, :3] = [rotation(*angles) for angles in wanted]
    np.testing.assert_allclose(angles_of(transforms), wanted, atol=1e-7)


def test_a_clip_is_read_about_its_mean_and_without_its_gaps(tmp_path):
    transforms = np.tile(np.eye(4), (75, 1, 1))
    pitch = 0.02 * np.sin(2 * np.pi * (np.arange(75) + 0.5) / 25)
    transforms[:, :3, :3] = [rotation(0.3 + p, 0, 0) for p in pitch]
    valid = np.ones(75, bool)
    valid[10] = False
    transforms[10] = 0
    np.savez(tmp_path / "a.npz", head_transform=transforms.astype(np.float32), valid=valid, fps=25)
    pose = head_pose(tmp_path / "a.npz")
    times = (np.arange(90) + 0.5) / 30
    assert pose.shape == (90, 3)
    assert np.corrcoef(pose[:, 0], np.sin(2 * np.pi * times))[0, 1] > 0.99
    assert pose.mean(0) == pytest.approx(0, abs=1e-9)


def test_two_steps_leave_weights_that_load(tmp_path):
    clips = [toy(s) for s in range(4)]
    config = TrainConfig(steps=2, batch=4, check_every=1)
    line = train(clips, clips, config, tmp_path, SMALL)
    assert "unseen pose" in line
    saved, tensors = load_parts(tmp_path, "posevae")
    assert PoseConfig(**saved).scale == pytest.approx(
        np.concatenate([c.pose for c in clips]).std(0).tolist()
    )
    assert all(torch.isfinite(t).all() for t in tensors.values())


def test_windows_keep_pose_and_sound_together():
    from training.train_posevae import fresh

    clip = toy(0)
    marked = HeadClip(clip.pose, np.arange(40)[:, None] * np.ones((1, 6), np.float32))
    model = fresh([marked], SMALL)
    pose, features = windows([marked], model, 8, np.random.default_rng(1))
    for one, heard in zip(pose.numpy(), features.numpy(), strict=True):
        start = int(heard[0, 0])
        own = clip.pose[start : start + 12] / np.array(model.config.scale)
        np.testing.assert_allclose(one[:, 0], (own - own.mean(0))[:, 0], atol=1e-4)


def test_size_and_jerk_equal_their_formulas():
    times = np.arange(3000) / 30
    slow, fast = (np.radians(2) * np.sin(2 * np.pi * f * times)[:, None] for f in (0.5, 1.0))
    assert size(slow) == pytest.approx(2 / np.sqrt(2), rel=0.01)
    assert jerk(slow) == pytest.approx((2 * np.pi * 0.5) ** 2, rel=0.02)
    assert jerk(fast) == pytest.approx(4 * jerk(slow), rel=0.05)


def test_beats_prefer_turns_that_fall_on_them():
    times = np.arange(300) / 30
    pose = 0.02 * np.cos(2 * np.pi * 0.5 * times)[:, None]  # turns once a second
    on = np.arange(30, 300, 30)
    assert beat(pose, on) > 0.9 > 0.4 > beat(pose, on + 15)
    assert np.isnan(beat(np.zeros((50, 3)), on))
