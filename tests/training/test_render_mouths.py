"""Renders of tracked motion: the same clips and frames as the photos."""

import numpy as np
import torch

from l2t.motion import ARKIT_NAMES
from training import render_mouths
from training.data.mouths import FRAMES, load_mouths

JAW = ARKIT_NAMES.index("jawOpen")


def draw(arkit: torch.Tensor) -> torch.Tensor:
    """A picture as bright as the jaw is open, a little beyond white at the end."""
    return (arkit[:, JAW] * 1.2)[:, None, None].expand(-1, 96, 96)


def test_motion_is_resampled_by_its_time_stamps():
    arkit = np.zeros((90, 52), np.float32)
    arkit[:, JAW] = (np.arange(90) + 0.5) / 30 / 4  # a quarter of the time in seconds
    made = render_mouths.drawn(draw, arkit)
    assert made.shape == (75, 96, 96)
    expected = (np.arange(75) + 0.5) / 25 / 4 * 1.2 * 255
    np.testing.assert_allclose(made[1:-1, 0, 0], expected[1:-1].clip(0, 255), atol=1)


def test_other_faces_are_for_half_of_the_training_clips():
    shown = [render_mouths.face_of("grid_s1", i, 8) for i in range(1000)]
    assert not any(shown[0::20] + shown[10::20])
    assert set(shown) == set(range(8))
    for half in (shown[0::2], shown[1::2]):
        assert 0.5 < np.mean(np.equal(half, 0)) < 0.7
    assert not any(render_mouths.face_of("grid_s26", i, 8) for i in range(10))


def test_the_command_keeps_names_and_rows(tmp_path, monkeypatch):
    (tmp_path / "targets").mkdir()
    arkit = np.zeros((2, 90, 52), np.float16)
    arkit[1, :, JAW] = 0.5
    np.savez(tmp_path / "targets" / "grid_s9.npz", names=np.array(["a", "b"]), arkit=arkit)
    monkeypatch.setattr(render_mouths, "MouthRenderer", lambda template, identity: draw)
    render_mouths.main(["grid_s9", "--cache", str(tmp_path)])
    names, packed = load_mouths(tmp_path, "grid_s9_render")
    assert names == ["a", "b"]
    assert packed.shape == (2, FRAMES, 96, 96)
    assert packed[:, 40, 50, 50].tolist() == [0, 153]
