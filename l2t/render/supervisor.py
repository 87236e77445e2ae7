"""Keeps one drawing process ready: starts it, starts it again, falls back to software."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from l2t import errors
from l2t.child import Child, ChildGone
from l2t.errors import Cancelled, RenderError
from l2t.render.messages import Ready

log = logging.getLogger(__name__)
START_SECONDS = 90.0  # for the process to get ready; the first start compiles
LISTEN_SECONDS = 0.05  # between two looks at `cancelled`
CRASHES_ALLOWED = 2  # in a row, before the software rasteriser takes over from pyvista


class Supervisor:
    """Owns at most one `Child`; to be used by one thread at a time.

    Where pyvista cannot draw (no GL library), the process dies in our place and a second one
    draws in software.
    """

    def __init__(self, template: Path | None, choice: str):
        """template: npz of another head, or None; choice: "auto", "pyvista" or "software"."""
        self._template, self._choice = template, choice
        self._painter = "software" if choice == "software" else "pyvista"
        self._crashes = 0
        self.child: Child | None = None
        self.info = ""

    def ready(self, cancelled: Callable[[], bool]) -> Child:
        """A process that waits for a job. Raises RenderError, FaceError or Cancelled."""
        if self.child is not None and not self.child.alive():
            self.drop()
        if self.child is None:
            try:
                self.child = self._begin(cancelled)
            except RenderError as error:
                if self._painter == "software" or self._choice == "pyvista":
                    raise
                log.warning("%s The software rasteriser draws instead.", error)
                self._painter = "software"
                self.child = self._begin(cancelled)
        return self.child

    def worked(self) -> None:
        """Takes note that a job was done: crashes count only in a row."""
        self._crashes = 0

    def bury(self, gone: ChildGone) -> None:
        """Takes note of a death in a job; too many in a row and pyvista is given up."""
        log.error("the drawing process died: %s", gone.reason)
        self.drop()
        self._crashes += 1
        if self._crashes >= CRASHES_ALLOWED and self._choice == "auto":
            self._painter = "software"

    def drop(self) -> None:
        """Ends the process at once, with its encoder."""
        child, self.child = self.child, None
        if child is not None:
            child.kill()

    def leave(self) -> None:
        """Ends an idle process politely."""
        child, self.child = self.child, None
        if child is not None:
            child.leave()

    def _begin(self, cancelled: Callable[[], bool]) -> Child:
        """Starts a process and waits for its word."""
        child = Child("l2t.render.worker", self._painter)
        try:
            child.send(self._template)
            until = time.monotonic() + START_SECONDS
            while (message := child.receive(LISTEN_SECONDS)) is None:
                obey(cancelled)
                if time.monotonic() > until:
                    raise RenderError(f"Drawing with {self._painter} did not start in time.")
            if not isinstance(message, Ready):
                raise errors.named(message.error, message.message)
        except ChildGone as gone:
            child.kill()
            sentence = f"Drawing with {self._painter} did not start ({gone.reason})."
            raise RenderError(sentence) from gone
        except BaseException:
            child.kill()
            raise
        self.info = message.info
        log.info("drawing with %s", message.info)
        return child


def obey(cancelled: Callable[[], bool]) -> None:
    """Raises Cancelled if the job is."""
    if cancelled():
        raise Cancelled("The film was cancelled.")
