"""The renderer: films from a supervised drawing process that may die without taking us along."""

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from l2t import errors
from l2t.avatar.camera import Orbit
from l2t.child import Child, ChildGone
from l2t.errors import RenderError
from l2t.motion import Motion
from l2t.render.choice import wanted
from l2t.render.film import Progress, Stop, part_of
from l2t.render.messages import CANCEL, AvatarJob, Done, FilmJob, PictureJob, Refused
from l2t.render.messages import Progress as Report
from l2t.render.scene import SIZE_DEFAULT, check_size, check_view
from l2t.render.supervisor import LISTEN_SECONDS, Supervisor, obey

STALL_SECONDS = 45.0  # without a word from a job that should be working
COMPILE_SECONDS = 240.0  # the same for a Gaussian head: at its very first picture it is compiled
CANCEL_SECONDS = 0.5  # to obey a cancel before it is ended


def _never() -> bool:
    return False


class Renderer:
    """Makes films and pictures, one job at a time, from any thread.

    The drawing process starts with the first job, or ahead of it with `start`; it is started
    again when it has died. `with Renderer() as renderer:` or `close()`.
    """

    def __init__(self, template: Path | str | None = None, choice: str | None = None):
        """template: npz of another head; choice: "auto", "pyvista", "software" (None: what the
        environment variable L2T_RENDERER says, else "auto").
        """
        template = None if template is None else Path(template)
        self._supervisor = Supervisor(template, wanted() if choice is None else choice)
        self._busy = threading.Lock()

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def info(self) -> str:
        """What draws: "pyvista (...)" with window, GL and driver, or "software"; "" at first."""
        return self._supervisor.info

    def start(self) -> "Renderer":
        """Starts the drawing process and waits until it is warm. Raises RenderError."""
        with self._busy:
            self._supervisor.ready(_never)
        return self

    def film(
        self,
        motion: Motion | Sequence[Motion],
        speech,
        identity: str,
        view: str = "front",
        size: int = SIZE_DEFAULT,
        path: Path | str = "film.mp4",
        progress: Progress | None = None,
        cancelled: Stop | None = None,
        titles: Sequence[str] = (),
    ) -> Path:
        """Draws `motion`, adds the sound of `speech` (float32 mono 16 kHz `.samples`), and puts
        the film at `path`, whole or not at all.

        Several motions are drawn side by side, with `titles` on them.

        progress gets the share that is done, 0..1, in this thread; cancelled is asked often.
        Raises RenderError, FaceError (unknown identity), OutputError, Cancelled.
        """
        check_view(view), check_size(size)
        with part_of(Path(path)) as part:
            samples = np.ascontiguousarray(speech.samples, np.float32)
            motions = (motion,) if isinstance(motion, Motion) else tuple(motion)
            job = FilmJob(motions, tuple(titles), samples, identity, view, size, part)
            self._run(job, progress, cancelled or _never)
        return Path(path)

    def avatar_film(
        self,
        motion: Motion,
        speech,
        orbit: Orbit,
        size: int = SIZE_DEFAULT,
        path: Path | str = "film.mp4",
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Path:
        """As `film`, of the Gaussian head seen from `orbit`.

        Raises WeightsError when there is no avatar that fits the template, else as `film`.
        """
        check_size(size)
        with part_of(Path(path)) as part:
            samples = np.ascontiguousarray(speech.samples, np.float32)
            self._run(AvatarJob(motion, samples, orbit, size, part), progress, cancelled or _never)
        return Path(path)

    def picture(
        self,
        arkit: np.ndarray,
        identity: str,
        view: str = "front",
        size: int = SIZE_DEFAULT,
        head: np.ndarray | None = None,
    ) -> np.ndarray:
        """One frame: arkit (52,), head (3,) radians or None -> (size, size, 3) uint8."""
        check_view(view), check_size(size)
        head = np.zeros(3, np.float32) if head is None else np.asarray(head, np.float32)
        job = PictureJob(np.asarray(arkit, np.float32), head, identity, view, size)
        return self._run(job, None, _never)

    def close(self) -> None:
        """Ends the drawing process; a later job would start another."""
        with self._busy:
            self._supervisor.leave()

    def _run(
        self, job: FilmJob | AvatarJob | PictureJob, progress: Progress | None, cancelled: Stop
    ):
        """Waits for its turn, does the job, cleans up after a death."""
        while not self._busy.acquire(timeout=LISTEN_SECONDS):
            obey(cancelled)
        try:
            child = self._supervisor.ready(cancelled)
            try:
                return self._done(child, job, progress, cancelled)
            except ChildGone as gone:
                self._supervisor.bury(gone)
                raise RenderError(
                    f"The drawing process stopped in the middle of the job ({gone.reason}); "
                    "please try again."
                ) from gone
        finally:
            self._busy.release()

    def _done(self, child: Child, job, progress: Progress | None, cancelled: Stop):
        """Hands the job over and sees it to its end, or calls it off whatever gets in the way."""
        child.send(job)
        answer = None
        try:
            stall = COMPILE_SECONDS if isinstance(job, AvatarJob) else STALL_SECONDS
            answer = self._follow(child, stall, progress, cancelled)
        finally:  # cancelled, hung, Ctrl-C, or an exception out of `progress`
            if answer is None:
                self._call_off(child)
        self._supervisor.worked()
        if isinstance(answer, Refused):
            raise errors.named(answer.error, answer.message)
        return answer.result

    def _follow(
        self, child: Child, stall: float, progress: Progress | None, cancelled: Stop
    ) -> Done | Refused:
        """Listens until the process has answered. Raises Cancelled, RenderError, ChildGone."""
        heard = time.monotonic()
        while True:
            message = child.receive(LISTEN_SECONDS)
            if isinstance(message, Done | Refused):
                return message
            if isinstance(message, Report) and progress is not None:
                progress(message.share)
            if message is not None:
                heard = time.monotonic()
            elif time.monotonic() - heard > stall:
                raise RenderError("The drawing process hung; please try again.")
            obey(cancelled)

    def _call_off(self, child: Child) -> None:
        """Asks the process to stop, and ends it if it does not at once."""
        until = time.monotonic() + CANCEL_SECONDS
        with contextlib.suppress(ChildGone):
            child.send(CANCEL)
            while time.monotonic() < until:
                if isinstance(child.receive(LISTEN_SECONDS), Done | Refused):
                    return
        self._supervisor.drop()
