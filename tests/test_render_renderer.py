"""The supervised drawing process: films, death, cancel, waiting in line."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from films import family, read, tone

from l2t.errors import Cancelled, FaceError, OutputError, RenderError
from l2t.motion import ARKIT_NAMES, Motion
from l2t.render import Renderer

WHO = "caucasian-female-young"


def soon_gone(pid, but=0, seconds=20.0):
    """Whether a process and all below it end, all `but` so many."""
    until = time.monotonic() + seconds
    while len(family(pid)) > but and time.monotonic() < until:
        time.sleep(0.05)
    return len(family(pid)) <= but


@pytest.fixture(scope="module")
def renderer():
    with Renderer() as made:
        yield made


def talking(frames):
    arkit = np.zeros((frames, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = 0.25 - 0.25 * np.cos(np.arange(frames) * 0.8)
    return Motion(arkit)


def test_a_film_that_talks(renderer, tmp_path):
    shares = []
    path = renderer.film(talking(12), tone(0.4), WHO, "front", 256, tmp_path / "a.mp4",
                         shares.append)
    facts, frames, _ = read(path)
    assert (facts.video, facts.pix_fmt) == ("h264", "yuv420p")
    assert len(frames) == 12
    assert facts.seconds[0] == pytest.approx(facts.seconds[1], abs=1 / 30)
    assert min(f.mean() for f in frames) > 60  # not black
    assert np.abs(frames[0].astype(int) - frames[4]).mean() > 0.5  # the mouth moved
    assert shares[-1] == 1
    assert "pyvista" in renderer.info or renderer.info == "software"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_a_picture_equals_the_one_in_the_film(renderer, tmp_path):
    moves = talking(5)
    _, frames, _ = read(renderer.film(moves, tone(1 / 6), WHO, "side", 256, tmp_path / "a.mp4"))
    still = renderer.picture(moves.arkit[4], WHO, "side", 256)
    assert np.abs(still.astype(int) - frames[4]).mean() < 4  # what the encoder loses


@pytest.mark.parametrize(("change", "kind", "words"), [
    ({"view": "above"}, RenderError, "front, three-quarter, side"),
    ({"size": 2048}, RenderError, "256 to 1024"),
    ({"identity": "nobody"}, FaceError, "nobody"),
    ({"path": "missing/a.mp4"}, OutputError, "a.mp4"),
    ({"path": "a.gif"}, OutputError, "mp4"),
])  # fmt: skip
def test_refused_in_one_sentence_and_the_next_job_works(renderer, tmp_path, change, kind, words):
    job = {"identity": WHO, "view": "front", "size": 256, "path": "a.mp4"} | change
    with pytest.raises(kind, match=words) as caught:
        renderer.film(talking(2), tone(0.1), **job | {"path": tmp_path / job["path"]})
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert renderer.picture(np.zeros(52), WHO, size=256).mean() > 60


def test_a_killed_process_fails_its_job_and_no_other(renderer, tmp_path):
    def murder(share):
        os.kill(renderer._supervisor.child.process.pid, signal.SIGKILL)

    with pytest.raises(RenderError, match="signal 9.*again"):
        renderer.film(talking(90), tone(3.0), WHO, "front", 256, tmp_path / "a.mp4", murder)
    assert list(tmp_path.iterdir()) == []
    renderer.film(talking(3), tone(0.1), WHO, "front", 256, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").stat().st_size > 1000


def test_a_process_killed_between_jobs_is_not_noticed(renderer):
    renderer.start()
    os.kill(renderer._supervisor.child.process.pid, signal.SIGKILL)
    renderer._supervisor.child.process.wait()
    assert renderer.picture(np.zeros(52), WHO, size=256).mean() > 60


def test_cancel_at_once_leaves_no_file_and_no_encoder(renderer, tmp_path):
    renderer.start()
    pressed = []

    def press(share):
        if not pressed:
            pressed.append(time.monotonic())

    with pytest.raises(Cancelled):
        renderer.film(talking(600), tone(20.0), WHO, "front", 512, tmp_path / "a.mp4", press,
                      lambda: bool(pressed))
    assert time.monotonic() - pressed[0] < 2.0  # half a second is usual; other work may run here
    assert list(tmp_path.iterdir()) == []
    child = renderer._supervisor.child
    assert child is None or soon_gone(child.process.pid, but=1)
    assert renderer.picture(np.zeros(52), WHO, size=256).mean() > 60


def test_a_process_that_does_not_listen_is_ended(renderer, tmp_path):
    renderer.start()
    pid, pressed = renderer._supervisor.child.process.pid, []

    def freeze(share):
        if not pressed:
            os.kill(pid, signal.SIGSTOP)
            pressed.append(time.monotonic())

    with pytest.raises(Cancelled):
        renderer.film(talking(300), tone(10.0), WHO, "front", 256, tmp_path / "a.mp4", freeze,
                      lambda: bool(pressed))
    assert time.monotonic() - pressed[0] < 4.0
    assert soon_gone(pid)
    assert list(tmp_path.iterdir()) == []


def test_an_idle_process_that_hangs_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("l2t.child.SEND_SECONDS", 1)
    with Renderer(choice="software") as made:
        pid = made.start()._supervisor.child.process.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(RenderError, match="stopped answering"):
            made.film(talking(300), tone(20.0), WHO, "front", 256, tmp_path / "a.mp4")
        assert soon_gone(pid)
        assert made.picture(np.zeros(52), WHO, size=256).mean() > 60


@pytest.mark.parametrize("kind", [KeyError, Cancelled])
def test_an_exception_in_the_callback_passes_through(renderer, tmp_path, kind):
    def stumble(share):
        raise kind("mine")

    with pytest.raises(kind, match="mine"):
        renderer.film(talking(60), tone(2.0), WHO, "front", 256, tmp_path / "a.mp4", stumble)
    assert list(tmp_path.iterdir()) == []
    assert renderer.picture(np.zeros(52), WHO, size=256).mean() > 60


def test_four_threads_get_what_one_gets(renderer):
    poses = [talking(8).arkit[k] for k in range(4)]
    alone = [renderer.picture(p, WHO, size=256) for p in poses]
    together = [None] * 4

    def job(k):
        together[k] = renderer.picture(poses[k], WHO, size=256)

    threads = [threading.Thread(target=job, args=(k,)) for k in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_waiting_in_line_can_be_cancelled(renderer, tmp_path):
    renderer._busy.acquire()
    try:
        with pytest.raises(Cancelled):
            renderer.film(talking(3), tone(0.1), WHO, "front", 256, tmp_path / "a.mp4",
                          cancelled=lambda: True)
    finally:
        renderer._busy.release()


def test_software_by_choice_and_nothing_left_after_close():
    with Renderer(choice="software") as made:
        assert made.info == ""
        assert made.picture(np.zeros(52), WHO, size=256).mean() > 60
        assert made.info == "software"
        pid = made._supervisor.child.process.pid
    assert soon_gone(pid)


def test_software_steps_in_where_pyvista_dies(monkeypatch):
    """As on a machine without GL: the child that tries it is ended by a signal."""
    from l2t.render import supervisor as module

    class NoGL(module.Child):
        def __init__(self, module_name, painter):
            super().__init__(module_name, painter)
            if painter == "pyvista":
                os.kill(self.process.pid, signal.SIGSEGV)

    monkeypatch.setattr(module, "Child", NoGL)
    with Renderer(choice="auto") as made:
        assert made.start().info == "software"
    with Renderer(choice="pyvista") as made, pytest.raises(RenderError, match="signal 11"):
        made.start()


def test_speech_needs_nothing_but_samples(renderer, tmp_path):
    silent = SimpleNamespace(samples=np.zeros(100, np.float32))
    facts, _, _ = read(renderer.film(talking(6), silent, WHO, "front", 256, tmp_path / "a.mp4"))
    assert facts.seconds[1] == pytest.approx(0.2, abs=0.02)


def test_importing_the_renderer_is_light():
    """The page starts with it: nothing that draws or encodes is imported before the first film."""
    code = ("import sys, l2t.render.renderer;"
            "print([m for m in ('numba', 'pyvista', 'moviepy', 'scipy') if m in sys.modules])")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
