"""The named endpoints of the page, for scripts: plain values in, files and JSON out."""

import asyncio
import json
from pathlib import Path

import gradio as gr

from l2t.avatar.camera import Orbit
from l2t.errors import L2TError
from l2t.jobs import Job, Order, Result
from l2t.lipjobs import LipResult
from l2t.service import Service
from l2t.ui import texts
from l2t.values import as_whole

LOOK = 0.1  # s between two looks at a job


class Api:
    """The handlers; a job belongs to the client that ordered it."""

    def __init__(self, service: Service):
        self.service = service

    async def animate(self, recording, identity, style, view, size, request: gr.Request):
        """Make a 3D head say a recording, and read how well lips and voice agree.

        Args:
            recording: audio file with 0.2 to 60 seconds of speech.
            identity: name of the head; empty for the default.
            style: name of the speaking style; empty for the default.
            view: front, three-quarter or side.
            size: width and height of the film in pixels, 256 to 1024.

        Returns:
            The film (mp4), the sync report (fps, offset_frames, offset_ms, lse_d, lse_c and
            confidence, one number or null a frame; and receipt: what made the files, and their
            sha256, for `python -m l2t --replay`), the ARKit weights as CSV at 30 fps, and the
            motion as npz (arkit, names, fps, head).
        """
        wanted = (identity, style, view, size, (None,))
        return _alone(await self._made(recording, wanted, request))

    async def animate_head(
        self, recording, identity, style, view, size, head, seed, request: gr.Request
    ):
        """As /animate, with a head that moves; an endpoint of its own, as callers that post the
        values of /animate in a list would break if it took more.

        Args:
            recording: audio file with 0.2 to 60 seconds of speech.
            identity: name of the head; empty for the default.
            style: name of the speaking style; empty for the default.
            view: front, three-quarter or side.
            size: width and height of the film in pixels, 256 to 1024.
            head: how strongly it moves, 0 (still) to 3; 1 looks natural. Refused above 0 where
                the weights hold no head movement.
            seed: in which way it moves, a whole number; -1 for the recording's own.

        Returns:
            The same as /animate.
        """
        wanted = (identity, style, view, size, (None,), head, _seed(seed))
        return _alone(await self._made(recording, wanted, request))

    async def avatar(
        self, recording, style, azimuth, elevation, size, head, seed, request: gr.Request
    ):
        """Let the Gaussian head say a recording.

        Args:
            recording: audio file with 0.2 to 60 seconds of speech.
            style: name of the speaking style; empty for the default.
            azimuth: from where it is filmed, degrees round it towards its left.
            elevation: the same, degrees above it, -80 to 80.
            size: width and height of the film in pixels, 256 to 1024.
            head, seed: how strongly and in which way the head moves, as in /animate_head.

        Returns:
            The film (mp4), the sync report as from /animate, the motion as npz, and the Gaussians
            at rest as .ply and as .splat.
        """
        orbit, seed = Orbit(azimuth, elevation), _seed(seed)
        wanted = ("", style, "front", size, (None,), head, seed, orbit)
        result = await self._made(recording, wanted, request)
        film, sync, _, npz = _alone(result)
        return film, sync, npz, *map(str, result.splats)

    async def compare(
        self, recording, first, second, identity, style, view, size, request: gr.Request
    ):
        """Let two variants of the student say a recording, side by side in one film.

        Args:
            recording: audio file with 0.2 to 60 seconds of speech.
            first: variant on the left: default, full, lipread (without sync loss), sync (without
                lipread loss), reconstruction or faceformer, of those that the weights hold.
            second: variant on the right.
            identity: name of the head; empty for the default.
            style: name of the speaking style; empty for the default.
            view: front, three-quarter or side.
            size: height of the film in pixels, 256 to 1024; it is twice as wide.

        Returns:
            The film (mp4), the scores (weights, receipt, and for each variant its name, title and
            sync report as from /animate), and the motion of the first and of the second as npz.
        """
        wanted = (identity, style, view, size, (first or None, second or None))
        return _both(await self._made(recording, wanted, request))

    async def compare_head(
        self, recording, first, second, identity, style, view, size, head, seed,
        request: gr.Request,
    ):  # fmt: skip
        """As /compare, with a head that moves, the same way in both.

        Args:
            recording: audio file with 0.2 to 60 seconds of speech.
            first: variant on the left, as in /compare.
            second: variant on the right.
            identity: name of the head; empty for the default.
            style: name of the speaking style; empty for the default.
            view: front, three-quarter or side.
            size: height of the film in pixels, 256 to 1024; it is twice as wide.
            head, seed: how strongly and in which way the head moves, as in /animate_head.

        Returns:
            The same as /compare.
        """
        variants = first or None, second or None
        wanted = (identity, style, view, size, variants, head, _seed(seed))
        return _both(await self._made(recording, wanted, request))

    async def _made(self, recording, wanted: tuple, request: gr.Request) -> Result:
        """wanted: an `Order` without its recording."""
        if not recording:
            raise gr.Error(texts.NO_RECORDING, print_exception=False)
        identity, style, view, size, *more = wanted
        try:
            named = identity or None, style or None, view, as_whole(size)
            order = Order(Path(recording), *named, *more)
            job = self.service.submit(order, request.session_hash or "")
            return await outcome(self.service, job)
        except L2TError as refusal:
            raise gr.Error(str(refusal), print_exception=False) from None

    def cancel(self, request: gr.Request) -> int:
        """Stop every take that this client ordered and that is not done yet; returns how many."""
        return self.service.cancel(request.session_hash or "")


async def outcome(service: Service, job: Job) -> "Result | LipResult":
    """The result of a job once it is there. Raises L2TError.

    A client that goes away or cancels its call (`job.cancel()` of gradio_client) ends this task:
    its job ends too, and nothing stays.
    """
    try:
        while not job.finished:
            await asyncio.sleep(LOOK)
    except asyncio.CancelledError:
        service.stop(job)
        job.discard()
        raise
    return job.outcome()


def _alone(result: Result) -> tuple:
    (said,) = result.said
    sync = said.sync | {"receipt": receipt_of(result)}
    return str(result.film), sync, str(said.csv), str(said.npz)


def _both(result: Result) -> tuple:
    left, right = result.said
    scores = texts.scores(result.said) | {"receipt": receipt_of(result)}
    return str(result.film), scores, str(left.npz), str(right.npz)


def receipt_of(result: Result) -> dict:
    """The receipt as JSON values."""
    return json.loads(result.receipt.read_text(encoding="ascii"))


def _seed(number: float | None) -> float | None:
    """A number below 0 stands for none."""
    return None if number is None or number < 0 else number
