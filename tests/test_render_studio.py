"""Frames of the embedded head: both painters, expressions, turning, identities."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from l2t.errors import FaceError, RenderError
from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES, Motion
from l2t.render import probe
from l2t.render.choice import wanted
from l2t.render.mesh import gl_facts
from l2t.render.painters import make_painter
from l2t.render.picture import background
from l2t.render.scene import VIEWS, frame_shot
from l2t.render.studio import Studio, render_frames

SIZE = 256
PAINTERS = ("software", "pyvista")


@pytest.fixture(scope="module")
def face():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def studios(face):
    made = {}
    for name in PAINTERS:
        if name == "pyvista" and not probe.gl().works:
            continue
        made[name] = Studio(face, make_painter(face, name))
    yield made
    for studio in made.values():
        studio.painter.close()


@pytest.fixture(params=PAINTERS)
def studio(request, studios):
    if request.param not in studios:
        pytest.skip("no GL here")
    return studios[request.param]


def motion(*poses, head=None):
    """One frame for each dict of ARKit weights."""
    arkit = np.zeros((len(poses), 52), np.float32)
    for row, pose in zip(arkit, poses, strict=True):
        for name, weight in pose.items():
            row[ARKIT_NAMES.index(name)] = weight
    return Motion(arkit, head=head)


def shots(studio, moves, view="front", identity=0, size=SIZE):
    return list(studio.frames(moves, studio.template.identities[identity], view, size))


def silhouette(frame):
    return np.abs(frame.astype(int) - background(len(frame))).max(axis=-1) > 8


def lips_box(face, view="front"):
    """Rows and columns of the picture that hold the lips."""
    neutral = face.neutral(face.identities[0])
    screen = frame_shot(neutral, view, SIZE).project(neutral[face.region("lips")], SIZE)
    low, high = screen[:, :2].min(0).astype(int), screen[:, :2].max(0).astype(int)
    return slice(low[1] - 2, high[1] + 12), slice(low[0] - 2, high[0] + 2)


def test_both_painters_draw_the_same_picture(studios):
    if "pyvista" not in studios:
        pytest.skip("no GL here")
    moves = motion({"jawOpen": 0.4}, head=np.array([[0.1, 0.2, -0.1]], np.float32))
    for view in VIEWS:
        a, b = (shots(studios[name], moves, view)[0] for name in PAINTERS)
        assert np.abs(a.astype(int) - b).mean() < 1.0
        assert (silhouette(a) != silhouette(b)).mean() < 0.005


def test_the_head_is_there_and_whole(studio):
    for view in VIEWS:
        frame = shots(studio, motion({}), view)[0]
        assert frame.shape == (SIZE, SIZE, 3)
        assert frame.dtype == np.uint8
        assert 0.2 < silhouette(frame).mean() < 0.75
        assert not silhouette(frame)[:4].any()  # air above the crown
        assert not silhouette(frame)[:, :3].any()  # and in front of the nose


def test_edges_are_antialiased(studio):
    """Along the crown's outline there are colours between the head's and the background's."""
    frame = shots(studio, motion({}))[0].astype(int)
    column = frame[: SIZE // 3, SIZE // 2 + 25, 0]
    jump = np.abs(np.diff(column)).argmax()
    levels = {tuple(frame[jump + k, x]) for x in range(100, 156) for k in (-1, 0, 1)}
    assert len(levels) > 20


def test_an_open_mouth_changes_the_lips_and_not_the_brow(studio, face):
    closed, opened = shots(studio, motion({}, {"jawOpen": 0.5}))
    change = np.abs(closed.astype(int) - opened).mean(axis=-1)
    assert change[lips_box(face)].mean() > 10
    assert change[: SIZE // 4].max() <= 1


def test_a_smile_shows_at_the_mouth_and_a_blink_at_the_eyes(studio, face):
    rest, smile, blink = shots(
        studio, motion({}, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},
                       {"eyeBlinkLeft": 0.9, "eyeBlinkRight": 0.9}))
    rows, columns = lips_box(face)
    for frame, mouth in ((smile, True), (blink, False)):
        change = np.abs(rest.astype(int) - frame).mean(axis=-1)
        assert (change[rows, columns].mean() > 3) == mouth


def test_turning_the_head_moves_the_crown_and_not_the_shoulders(studio):
    head = np.array([[0, 0, 0], [0, 0, 0.12]], np.float32)
    still, tipped = (silhouette(f) for f in shots(studio, motion({}, {}, head=head)))
    middle = [np.flatnonzero(s[SIZE // 5]).mean() for s in (still, tipped)]
    assert middle[1] < middle[0] - 4
    assert (still[-18:-12] != tipped[-18:-12]).mean() < 0.02


def test_identities_differ(studio):
    first, second = (shots(studio, motion({}), identity=i)[0] for i in (0, 5))
    assert np.abs(first.astype(int) - second).mean() > 5


def test_the_same_bytes_again_whatever_came_between(studio):
    moves = motion({"jawOpen": 0.3})
    first = shots(studio, moves)[0]
    shots(studio, motion({"jawOpen": 0.9}, {}), "side", 3, 300)
    np.testing.assert_array_equal(first, shots(studio, moves)[0])


def test_long_motions_equal_their_frames_alone(studio):
    """Frames are computed in blocks; the seams do not show."""
    poses = [{"jawOpen": k / 20} for k in range(18)]
    together = shots(studio, motion(*poses))
    for k in (0, 15, 16, 17):
        np.testing.assert_array_equal(together[k], shots(studio, motion(poses[k]))[0])


def test_refusals(studio):
    with pytest.raises(RenderError, match="no view"):
        shots(studio, motion({}), "top")
    with pytest.raises(RenderError, match="256 to 1024"):
        shots(studio, motion({}), size=2000)
    with pytest.raises(FaceError, match="nobody"):
        list(studio.frames(motion({}), "nobody"))


def test_render_frames_in_this_process(face):
    frames = list(render_frames(face, motion({}, {}), face.identities[0], "side", SIZE, "software"))
    assert len(frames) == 2
    np.testing.assert_array_equal(*frames)


def test_the_environment_chooses(monkeypatch, face):
    monkeypatch.setenv("L2T_RENDERER", "software")
    assert make_painter(face).info == "software"
    monkeypatch.delenv("L2T_RENDERER")
    assert wanted() == "auto"
    monkeypatch.setenv("L2T_RENDERER", "crayons")
    with pytest.raises(RenderError, match="auto, pyvista, software, found 'crayons'"):
        wanted()


def test_without_gl_auto_draws_in_software_and_pyvista_says_why(monkeypatch, face):
    crash = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
    answer = probe.ask(crash)
    assert not answer.works
    assert "signal 11" in answer.reason
    monkeypatch.setattr(probe, "gl", lambda: answer)
    assert make_painter(face, "auto").info == "software"
    with pytest.raises(RenderError, match="signal 11"):
        make_painter(face, "pyvista")


def test_a_probe_that_hangs_is_given_up():
    answer = probe.ask([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.3)
    assert not answer.works
    assert "no answer" in answer.reason


def test_the_probe_finds_its_package_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    command = [sys.executable, "-c", "import l2t.render.probe"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert probe.ask(command).works


@pytest.mark.parametrize(
    ("renderer", "version", "facts"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", "4.5 (Core Profile) Mesa 22.3.6",
         ["llvmpipe", "LLVM 15.0.6", "256 bits", "Mesa 22.3.6"]),
        ("NVIDIA H100 PCIe/PCIe/SSE2", "4.6.0 NVIDIA 535.104.05",
         ["NVIDIA H100 PCIe/PCIe/SSE2", "NVIDIA 535.104.05"]),
        ("", "", []),
    ],
)  # fmt: skip
def test_the_driver_of_gl_is_named(renderer, version, facts):
    lines = f"OpenGL vendor string:  Mesa\nOpenGL renderer string:  {renderer}\n"
    assert gl_facts(lines + f"OpenGL version string:  {version}\nExtensions:\n") == facts


def test_a_plotter_refuses_other_threads(studios):
    if "pyvista" not in studios:
        pytest.skip("no GL here")
    caught = []

    def elsewhere():
        try:
            shots(studios["pyvista"], motion({}))
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "thread" in str(caught[0])
