"""The renderer: films from a supervised drawing process that may die without taking us along."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from l2t import errors
from l2t.errors import Cancelled, RenderError
from l2t.motion import Motion
from l2t.render.child import Child, ChildGone
from l2t.render.film import Progress, Stop, part_of
from l2t.render.messages import CANCEL, Done, FilmJob, PictureJob, Ready, Refused
from l2t.render.messages import Progress as Report
from l2t.render.painters import wanted
from l2t.render.scene import SIZE_DEFAULT, check_size, check_view

log = logging.getLogger(__name__)
START_SECONDS = 90.0  # for the process to get ready; the first start compiles
STALL_SECONDS = 45.0  # without a word from a job that should be working
CANCEL_SECONDS = 0.5  # to obey a cancel before it is ended
LISTEN_SECONDS = 0.05  # between two looks at `cancelled`
CRASHES_ALLOWED = 2  # in a row, before the software rasteriser takes over from pyvista


class Renderer:
    """Makes films and pictures, one job at a time, from any thread.

    The drawing process starts with the first job, or ahead of it with `start`; it is started
    again when it has died. Where pyvista cannot draw (no GL library), the process dies in its
    place and a second one draws in software. `with Renderer() as renderer:` or `close()`.
    """

    def __init__(self, template: Path | str | None = None, choice: str | None = None):
        """template: npz of another head; choice: "auto", "pyvista", "software" (None: what the
        environment variable L2T_RENDERER says, else "auto").
        """
        self._template = None if template is None else Path(template)
        self._choice = wanted() if choice is None else choice
        self._painter = "software" if self._choice == "software" else "pyvista"
        self._busy = threading.Lock()
        self._child: Child | None = None
        self._info = ""
        self._crashes = 0

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def info(self) -> str:
        """What draws, such as "pyvista (EGL, llvmpipe)" or "software"; "" before the start."""
        return self._info

    def start(self) -> "Renderer":
        """Starts the drawing process and waits until it is warm. Raises RenderError."""
        with self._busy:
            self._ready_child(lambda: False)
        return self

    def film(
        self,
        motion: Motion,
        speech,
        identity: str,
        view: str = "front",
        size: int = SIZE_DEFAULT,
        path: Path | str = "film.mp4",
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Path:
        """Draws `motion`, adds the sound of `speech` (float32 mono 16 kHz `.samples`), and puts
        the film at `path`, whole or not at all.

        progress gets the share that is done, 0..1, in this thread; cancelled is asked often.
        Raises RenderError, FaceError (unknown identity), OutputError, Cancelled.
        """
        check_view(view), check_size(size)
        with part_of(Path(path)) as part:
            samples = np.ascontiguousarray(speech.samples, np.float32)
            job = FilmJob(
                motion.arkit, motion.head, motion.fps, samples, identity, view, size, part
            )
            self._run(job, progress, cancelled or (lambda: False))
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
        return self._run(job, None, lambda: False)

    def close(self) -> None:
        """Ends the drawing process; a later job would start another."""
        with self._busy:
            child, self._child = self._child, None
            if child is not None:
                child.leave()

    def _run(self, job, progress: Progress | None, cancelled: Stop):
        """Waits for its turn, does the job, cleans up after a death."""
        while not self._busy.acquire(timeout=LISTEN_SECONDS):
            _obey(cancelled)
        try:
            child = self._ready_child(cancelled)
            try:
                child.send(job)
                result = self._follow(child, progress, cancelled)
            except ChildGone as gone:
                self._bury(gone)
                raise RenderError(
                    f"The drawing process stopped in the middle of the job ({gone.reason}); "
                    "please try again."
                ) from gone
            except errors.L2TError:
                raise
            except BaseException:  # from `progress`, `cancelled` or Ctrl-C: the job is orphaned
                self._drop()
                raise
            self._crashes = 0
            return result
        finally:
            self._busy.release()

    def _follow(self, child: Child, progress: Progress | None, cancelled: Stop):
        """Listens until the job is done, refused or cancelled."""
        heard = time.monotonic()
        while True:
            message = child.receive(LISTEN_SECONDS)
            if message is None:
                if time.monotonic() - heard > STALL_SECONDS:
                    self._drop()
                    raise RenderError("The drawing process hung; please try again.")
            elif isinstance(message, Done):
                return message.result
            elif isinstance(message, Refused):
                raise getattr(errors, message.error, RenderError)(message.message)
            elif isinstance(message, Report) and progress is not None:
                progress(message.share)
            heard = time.monotonic() if message is not None else heard
            if cancelled():
                self._cancel(child)
                raise Cancelled("The film was cancelled.")

    def _cancel(self, child: Child) -> None:
        """Asks the process to stop, and makes it."""
        child.send(CANCEL)
        until = time.monotonic() + CANCEL_SECONDS
        while time.monotonic() < until:
            if isinstance(child.receive(LISTEN_SECONDS), Done | Refused):
                return
        self._drop()

    def _ready_child(self, cancelled: Stop) -> Child:
        """A process that waits for a job; falls back to software if pyvista does not start."""
        if self._child is not None and not self._child.alive():
            self._drop()
        if self._child is None:
            try:
                self._child = self._begin(self._painter, cancelled)
            except RenderError as error:
                if self._painter == "software" or self._choice == "pyvista":
                    raise
                log.warning("%s The software rasteriser draws instead.", error)
                self._painter = "software"
                self._child = self._begin(self._painter, cancelled)
        return self._child

    def _begin(self, painter: str, cancelled: Callable[[], bool]) -> Child:
        """Starts a process and waits for its word. Raises RenderError or Cancelled."""
        child = Child(painter)
        try:
            child.send(self._template)
            until = time.monotonic() + START_SECONDS
            while (message := child.receive(LISTEN_SECONDS)) is None:
                _obey(cancelled)
                if time.monotonic() > until:
                    raise RenderError(f"Drawing with {painter} did not start in time.")
        except ChildGone as gone:
            child.kill()
            raise RenderError(f"Drawing with {painter} did not start ({gone.reason}).") from gone
        except BaseException:
            child.kill()
            raise
        if isinstance(message, Ready):
            self._info = message.info
            log.info("drawing with %s", message.info)
            return child
        child.kill()
        raise getattr(errors, message.error, RenderError)(message.message)

    def _bury(self, gone: ChildGone) -> None:
        """Takes note of a death; too many in a row and pyvista is given up."""
        log.error("the drawing process died: %s", gone.reason)
        self._drop()
        self._crashes += 1
        if self._crashes >= CRASHES_ALLOWED and self._choice == "auto":
            self._painter = "software"

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def _obey(cancelled: Stop) -> None:
    if cancelled():
        raise Cancelled("The film was cancelled.")
