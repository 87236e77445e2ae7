"""The child process that draws: owns the one painter and makes one film at a time.

Started by `renderer.py` as `python -m l2t.render.worker FD PAINTER`; speaks over the connection FD:
    -> template (a path or None)         <- Ready | Refused
    -> FilmJob | AvatarJob | PictureJob  <- Progress..., then Done | Refused
    -> CANCEL while a film is made
An unforeseen exception ends the process; the parent reports it and starts another.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from l2t.errors import L2TError
from l2t.logs import configure
from l2t.motion import Motion
from l2t.orphan import end_with_parent
from l2t.render.messages import (
    CANCEL,
    AvatarJob,
    Done,
    FilmJob,
    PictureJob,
    Progress,
    Ready,
    Refused,
)

log = logging.getLogger("l2t.render.worker")  # run as a program, its name would be another
REPORT_EVERY = 4  # frames between two reports


def main(argv: list[str]) -> None:
    """Serves jobs until the parent closes the connection."""
    connection = Connection(int(argv[0]))
    configure()
    end_with_parent()
    try:
        serve(connection, argv[1])
    except (EOFError, ConnectionError):  # the parent is gone, or no longer interested
        return
    except Exception:
        log.exception("drawing failed")
        sys.exit(1)


def serve(connection: Connection, painter: str) -> None:
    """Gets ready, then answers each job."""
    try:
        studio = open_studio(connection.recv(), painter)
    except L2TError as error:
        connection.send(Refused(type(error).__name__, str(error)))
        return
    connection.send(Ready(studio.painter.info))
    import moviepy.video.io.ffmpeg_writer  # noqa: F401  early: it takes most of a second

    while True:
        job = connection.recv()
        if job == CANCEL:  # came too late for the job before
            continue
        try:
            result = JOBS[type(job)](job, studio, connection)
        except L2TError as error:
            connection.send(Refused(type(error).__name__, str(error)))
        else:
            connection.send(Done(result))


def open_studio(template: Path | None, painter: str):
    """A studio that has drawn its first picture: what is slow at first is behind it."""
    from l2t.face import FaceTemplate
    from l2t.render.painters import pyvista_painter
    from l2t.render.raster import SoftwarePainter
    from l2t.render.studio import Studio

    face = FaceTemplate.load(template)
    made = SoftwarePainter(face.faces) if painter == "software" else pyvista_painter(face)
    studio = Studio(face, made)
    still = Motion(np.zeros((1, 52), np.float32))
    list(studio.frames(still, face.identities[0], "front", 256))
    return studio


def film(job: FilmJob, studio, connection: Connection) -> None:
    """Draws and encodes; Cancelled when the parent says so or is gone."""
    from l2t.render.beside import side_by_side

    heads = [studio.frames(m, job.identity, job.view, job.size) for m in job.motions]
    _encode(job, side_by_side(heads, job.titles), job.motions[0], connection)


def avatar_film(job: AvatarJob, studio, connection: Connection) -> None:
    """The same of the Gaussian head, which moves as the studio's template does."""
    _encode(job, avatar(studio.template).frames(job.motion, job.orbit, job.size), job.motion,
            connection)  # fmt: skip


@cache
def avatar(template):
    """Loaded when first asked for, and kept."""
    from l2t.avatar.avatar import Avatar

    return Avatar.load(template=template)


def picture(job: PictureJob, studio, _: Connection) -> np.ndarray:
    """One (size, size, 3) uint8 picture."""
    motion = Motion(job.arkit[None], head=job.head[None])
    return next(studio.frames(motion, job.identity, job.view, job.size))


JOBS = {FilmJob: film, AvatarJob: avatar_film, PictureJob: picture}


def _encode(
    job: FilmJob | AvatarJob, frames: Iterator[np.ndarray], motion: Motion, connection: Connection
) -> None:
    from l2t.render.film import encode

    encode(job.part, frames, motion.fps, job.samples, len(motion),
           _reporter(connection, len(motion)),
           lambda: connection.poll() and connection.recv() == CANCEL)  # fmt: skip


def _reporter(connection: Connection, count: int) -> Callable[[float], None]:
    def report(share: float) -> None:
        if round(share * count) % REPORT_EVERY == 0 or share >= 1:
            connection.send(Progress(share))

    return report


if __name__ == "__main__":
    main(sys.argv[1:])
