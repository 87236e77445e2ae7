"""What happens on the page: each visitor's thread orders, watches and hands over.

Nothing of a visitor is kept here: jobs belong to the session that ordered them (its hash is the
owner), so a second tab or another visitor never sees them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import gradio as gr

from l2t.errors import Cancelled, L2TError
from l2t.jobs import STAGES, Job, Order, Result
from l2t.motion import FPS, frame_count
from l2t.service import Service
from l2t.speech import load_speech, speech_mask
from l2t.ui import texts
from l2t.ui.catalogue import Catalogue
from l2t.ui.plot import as_json, plot_data

log = logging.getLogger(__name__)
LOOK = 0.1  # s between two looks at a job
ASK, PATIENCE = 0.5, 120  # s between two questions to the loading models, and how many at most
FILES = ("save_film", "save_csv", "save_npz", "save_glb")


class Events:
    """The handlers of the page and of the API."""

    def __init__(self, service: Service, catalogue: Catalogue):
        self.service, self.catalogue = service, catalogue
        self._shown: dict[str, gr.components.Component] = {}

    def bind(self, shown: dict[str, gr.components.Component]) -> None:
        """Tell the handlers which components they write to, by name."""
        self._shown = shown

    def _update(self, **values) -> dict:
        return {self._shown[name]: value for name, value in values.items()}

    # -- the page

    async def talk(self, recording, identity, style, view, size, request: gr.Request):
        """The primary button: order a take, show how far it is, show it."""
        if not recording:
            yield self._refused(texts.NO_RECORDING)
            return
        job = None
        try:
            order = Order(Path(recording), identity, style, view, int(size))
            job = self.service.submit(order, request.session_hash or "")
            yield self._at_work(job)
            async for state in self._follow(job):
                yield self._update(status=state)
            yield self._finished(job.outcome())
        except Cancelled as stop:
            yield self._idle(note=texts.CANCELLED if job.cancelled else "", alert=str(stop))
        except L2TError as refusal:
            yield self._refused(str(refusal))
        except Exception:
            log.exception("a take could not be shown")
            yield self._refused(texts.UNFORESEEN)
        finally:  # also when the tab was closed
            if job is not None:
                self.service.stop(job)
                job.discard()

    async def _follow(self, job: Job) -> AsyncIterator[str]:
        """The status line each time it changes, until the job ends or is cancelled."""
        last = ""
        while not (job.finished or job.cancelled):
            state = self._progress(job)
            if state != last:
                yield (last := state)
            await asyncio.sleep(LOOK)

    def _progress(self, job: Job) -> str:
        if job.stage not in STAGES:
            ahead = self.service.ahead(job)
            note = texts.waiting(ahead) if ahead else texts.LOADING
            return as_json({"note": note})
        step, steps = STAGES.index(job.stage), [texts.STAGES[name] for name in STAGES]
        return as_json({"steps": steps, "step": step, "fraction": round(job.fraction, 2)})

    def _buttons(self, working: bool) -> dict:
        return {"make": gr.update(visible=not working), "cancel": gr.update(visible=working)}

    def _at_work(self, job: Job) -> dict:
        return self._update(status=self._progress(job), **self._buttons(True))

    def _idle(self, alert: str = "", note: str = "") -> dict:
        state = {"note": note} if note else {"alert": alert}
        return self._update(status=as_json(state), **self._buttons(False))

    def _refused(self, sentence: str) -> dict:
        return self._idle(alert=sentence)

    def _finished(self, result: Result) -> dict:
        take, order = result.take, result.order
        shown = (take.speech.name, texts.name_of(take.identity), texts.name_of(take.style))
        made = texts.made_of((*shown, order.view), order.size, result.seconds)
        files = (result.film, result.csv, result.npz, result.glb)
        return self._idle() | self._update(
            film=str(result.film),
            caption=made,
            plot=as_json(plot_data(take, result.sync)),
            **{
                name: gr.update(value=str(file), visible=True)
                for name, file in zip(FILES, files, strict=True)
            },
        )

    def _blank(self) -> dict:
        """An empty stage: nothing of an earlier recording stays beside a new one."""
        hidden = {name: gr.update(value=None, visible=False) for name in FILES}
        return self._update(film=None, caption="", plot="", **hidden)

    def stop(self, request: gr.Request) -> str:
        """The cancel button: stop what this session ordered."""
        self.service.cancel(request.session_hash or "")
        return as_json({"note": texts.CANCELLED})

    def check(self, recording, request: gr.Request):
        """A new recording: say at once whether it can be used; only then blank the stage.

        A cleared or refused one leaves the earlier take, whose caption names its recording.
        """
        self.service.cancel(request.session_hash or "")
        if not recording:
            return self._idle()
        try:
            speech = load_speech(recording, self.catalogue.limits)
        except L2TError as refusal:
            return self._refused(str(refusal))
        voice = bool(speech_mask(speech.samples, FPS, frame_count(speech.seconds)).any())
        return self._blank() | self._idle(note=texts.ready(speech.seconds, voice))

    async def introduce(self) -> AsyncIterator[tuple]:
        """The line at the foot: which weights, from where, why, on what they run.

        The speaking styles come with it, as each set of weights brings its own.
        """
        try:
            while (face := self.service.face()) is None:
                yield texts.LOADING, gr.skip()
                await asyncio.sleep(ASK)
        except L2TError as error:
            yield str(error), gr.skip()
            return
        styles = gr.update(choices=texts.choices(face.styles), value=face.styles[0])
        yield texts.weights_line(face), styles
        for _ in range(PATIENCE):  # what draws is known once the drawing process has started
            if face.renderer:
                break
            await asyncio.sleep(ASK)
        yield texts.weights_line(face), gr.skip()

    # -- the API

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
            confidence, one number or null a frame), the ARKit weights as CSV at 30 fps, and the
            motion as npz (arkit, names, fps, head).
        """
        if not recording:
            raise gr.Error(texts.NO_RECORDING, print_exception=False)
        try:
            order = Order(Path(recording), identity or None, style or None, view, int(size))
            job = self.service.submit(order, request.session_hash or "")
            while not job.finished:
                await asyncio.sleep(LOOK)
            result = job.outcome()
        except L2TError as refusal:
            raise gr.Error(str(refusal), print_exception=False) from None
        return str(result.film), result.sync, str(result.csv), str(result.npz)

    def cancel(self, request: gr.Request) -> int:
        """Stop every take that this client ordered and that is not done yet; returns how many."""
        return self.service.cancel(request.session_hash or "")
