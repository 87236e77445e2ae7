"""The tracker's child process; MediaPipe itself only where it is installed."""

import importlib.util
import os
import sys

import numpy as np
import pytest

from training.data.track_faces import INDEX, NoTracker, Tracker, TrackError

# An interpreter that can import mediapipe, for the tests of the tracker itself.
OWN = sys.executable if importlib.util.find_spec("mediapipe") else os.environ.get("L2T_TRACKER")


@pytest.fixture
def interpreter(tmp_path):
    """Makes an executable that is called in the tracker's place; `lines` are its Python."""

    def make(lines: str):
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\nimport sys, numpy as np\n{lines}\n")
        path.chmod(0o755)
        return path

    return make


def picture(level, height=6, width=8):
    return np.full((height, width, 3), level, np.uint8)


def test_every_picture_reaches_the_child_and_the_80_points_come_back(interpreter):
    path = interpreter(
        "_, child, width, height, out = sys.argv\n"
        "data = np.frombuffer(sys.stdin.buffer.read(), np.uint8)\n"
        "data = data.reshape(-1, int(height), int(width), 3)\n"
        "points = np.arange(478.0)[None, :, None] + data.mean((1, 2))[:, None, :]\n"
        "np.savez(out, points=points.astype('f4'), found=data[:, 0, 0, 0] > 10,"
        " people=np.array([2, -1, 1]))"
    )
    faces = Tracker(path)(picture(level) for level in (10, 20, 30))
    assert faces.points.shape == (3, 80, 3)
    assert faces.points[1, :, 0].tolist() == (INDEX + 20).tolist()
    assert faces.found.tolist() == [False, True, True]
    assert faces.crowd == 0.5


def test_a_missing_mediapipe_names_the_command_that_brings_it(interpreter):
    tracker = Tracker(interpreter("sys.exit(3)"))
    with pytest.raises(NoTracker, match="pip install --no-deps mediapipe==0.10.21"):
        tracker([picture(0)] * 500)  # it also dies with pictures still to come
    assert not tracker.available()
    with pytest.raises(NoTracker, match="cannot be started"):
        Tracker("/nowhere/python")([picture(0)])


def test_a_child_that_fails_or_hangs_costs_one_sentence(interpreter):
    with pytest.raises(TrackError, match="no such face"):
        Tracker(interpreter("sys.exit('no such face')"))([picture(0)])
    hanging = interpreter("import time; time.sleep(60)")
    with pytest.raises(TrackError, match="time limit"):
        Tracker(hanging, seconds=0.5)([picture(0)])


def test_a_video_without_pictures_is_refused():
    with pytest.raises(TrackError, match="no pictures"):
        Tracker()([])


@pytest.mark.skipif(not OWN, reason="no mediapipe here; L2T_TRACKER may name its interpreter")
def test_mediapipe_finds_the_drawn_head_and_no_face_in_grey():
    from l2t.face import FaceTemplate
    from l2t.render.renderer import Renderer
    from training.data.clips import opening

    shut, wide = np.zeros(52, np.float32), np.zeros(52, np.float32)
    wide[17] = 0.6  # jawOpen
    with Renderer(choice="software") as renderer:
        identity = FaceTemplate.load().identities[0]
        heads = [renderer.picture(weights, identity, size=256) for weights in (shut, wide)]
    faces = Tracker(OWN)([*heads, np.full_like(heads[0], 128)])
    assert faces.found.tolist() == [True, True, False]
    assert faces.crowd == 0.0
    gap = opening(faces.points[:2], INDEX)
    assert gap[0] < 0.01
    assert gap[1] > 0.1
