"""Films of the Gaussian head through the drawing process: drawn, cancelled, refused as others."""

from types import SimpleNamespace

import av
import numpy as np
import pytest

from l2t.avatar.camera import Orbit
from l2t.errors import Cancelled, OutputError, RenderError
from l2t.motion import Motion
from l2t.render import worker
from l2t.render.messages import CANCEL, AvatarJob
from l2t.render.renderer import Renderer

SOUND = np.zeros(16000, np.float32)


class Line:
    """A connection that keeps what is sent and holds what was said."""

    def __init__(self, *said):
        self.said, self.sent = list(said), []

    def poll(self):
        return bool(self.said)

    def recv(self):
        return self.said.pop(0)

    def send(self, message):
        self.sent.append(message)


class Head:
    """An avatar whose pictures show how far its head is turned."""

    def frames(self, motion, orbit, size):
        self.asked = orbit, size
        return (np.full((size, size, 3), int(200 * turn), np.uint8) for turn in motion.head[:, 1])


@pytest.fixture
def head(monkeypatch):
    made = Head()
    monkeypatch.setattr(worker, "avatar", lambda template: made)
    return made


@pytest.fixture
def job(tmp_path):
    turning = np.c_[np.zeros(30), np.linspace(0, 1, 30), np.zeros(30)]
    motion = Motion(np.zeros((30, 52)), head=turning)
    return AvatarJob(motion, SOUND, Orbit(20, 5), 256, tmp_path / "film.mp4")


def test_a_film_of_the_moving_head_from_its_orbit(head, job):
    line = Line()
    worker.JOBS[type(job)](job, SimpleNamespace(template=None), line)
    assert head.asked == (Orbit(20, 5), 256)
    assert line.sent[-1].share == 1
    with av.open(str(job.part)) as film:
        greys = [frame.to_ndarray(format="rgb24").mean() for frame in film.decode(video=0)]
    np.testing.assert_allclose(greys, 200 * np.linspace(0, 1, 30), atol=6)


def test_a_cancel_is_heard(head, job):
    with pytest.raises(Cancelled):
        worker.JOBS[type(job)](job, SimpleNamespace(template=None), Line(CANCEL))


def test_what_cannot_be_is_refused_before_the_process_starts(tmp_path, job):
    with Renderer() as renderer:
        speech = SimpleNamespace(samples=SOUND)
        with pytest.raises(RenderError, match="found 99"):
            renderer.avatar_film(job.motion, speech, Orbit(), 99, tmp_path / "x.mp4")
        with pytest.raises(OutputError, match=r"written as \.mp4"):
            renderer.avatar_film(job.motion, speech, Orbit(), 256, tmp_path / "x.mov")
        assert renderer.info == ""
