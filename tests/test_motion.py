"""Motion: a grid of times and 52 named weights."""

import numpy as np
import pytest

from l2t.motion import ARKIT_NAMES, Motion, frame_count, frame_times


def test_there_are_52_different_names():
    assert len(set(ARKIT_NAMES)) == len(ARKIT_NAMES) == 52


@pytest.mark.parametrize(("seconds", "frames"), [(0.0, 1), (0.01, 1), (1.0, 30), (1.001, 31)])
def test_frames_cover_the_sound(seconds, frames):
    assert frame_count(seconds) == frames


def test_a_frame_belongs_to_its_middle():
    assert frame_times(3).tolist() == pytest.approx([0.5 / 30, 1.5 / 30, 2.5 / 30])


def test_resampling_goes_by_time_stamps():
    ramp = np.zeros((50, 52), np.float32)
    ramp[:, 17] = frame_times(50, 25.0)  # the weight is its own time
    moved = Motion(ramp, 25.0).resampled(30.0)
    assert len(moved) == 60
    inner = slice(2, -2)
    assert moved.arkit[inner, 17] == pytest.approx(frame_times(60)[inner], abs=1e-5)


@pytest.mark.parametrize("bad", [np.zeros((3, 51)), np.zeros(52), np.full((2, 52), np.nan)])
def test_what_is_no_motion_is_refused(bad):
    with pytest.raises(ValueError, match="arkit"):
        Motion(bad)
