"""What happens on the page: each visitor's thread orders, watches and hands over.

Nothing of a visitor is kept here: jobs belong to the session that ordered them (its hash is the
owner), so a second tab or another visitor never sees them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from l2t.avatar.camera import Orbit
from l2t.errors import Cancelled, L2TError
from l2t.jobs import STAGES, Job, Order
from l2t.motion import FPS, frame_count
from l2t.movement import USUAL
from l2t.service import Service
from l2t.speech import load_speech, speech_mask
from l2t.ui import texts
from l2t.ui.api import LOOK
from l2t.ui.catalogue import Catalogue
from l2t.ui.plot import as_json
from l2t.ui.stage import Stage
from l2t.values import as_whole
from l2t.variants import opponents

log = logging.getLogger(__name__)
ASK, PATIENCE = 0.5, 120  # s between two questions to the loading models, and how many at most


@dataclass(frozen=True)
class Shown:
    """The components that the handlers write to."""

    status: gr.HTML
    make: gr.Button  # one head
    compare: gr.Button  # two of them
    avatar: gr.Button  # the Gaussian head
    cancel: gr.Button
    solo: Stage
    pair: Stage
    gaussian: Stage

    def all(self) -> list[gr.components.Component]:
        fixed = [self.status, self.make, self.compare, self.avatar, self.cancel]
        return fixed + [part for stage in self.stages() for part in stage.components()]

    def stages(self) -> tuple[Stage, ...]:
        return self.solo, self.pair, self.gaussian


class Events:
    """The handlers of the page."""

    def __init__(self, service: Service, catalogue: Catalogue, shown: Shown):
        self.service, self.catalogue, self.shown = service, catalogue, shown

    async def talk(self, recording, identity, style, view, size, head, seed, request: gr.Request):
        """The primary button: order a take, show how far it is, show it."""
        wanted = (identity, style, view, size, (None,), head, seed)
        async for update in self._make(self.shown.solo, recording, wanted, request):
            yield update

    async def talk_both(
        self, recording, identity, style, view, size, head, seed, first, second,
        request: gr.Request,
    ):  # fmt: skip
        """The button of the other tab: the same by two variants."""
        wanted = (identity, style, view, size, (first, second), head, seed)
        async for update in self._make(self.shown.pair, recording, wanted, request):
            yield update

    async def talk_avatar(
        self, recording, _identity, style, view, size, head, seed, azimuth, elevation,
        request: gr.Request,
    ):  # fmt: skip
        """The button of the Avatar tab: the same by the Gaussian head, which has its own face."""
        wanted = (None, style, view, size, (None,), head, seed, Orbit(azimuth, elevation))
        async for update in self._make(self.shown.gaussian, recording, wanted, request):
            yield update

    async def _make(self, stage: Stage, recording, wanted, request) -> AsyncIterator[dict]:
        if not recording:
            yield self._refused(texts.NO_RECORDING)
            return
        job = None
        try:
            identity, style, view, size, *more = wanted
            order = Order(Path(recording), identity, style, view, as_whole(size), *more)
            job = self.service.submit(order, request.session_hash or "")
            yield {self.shown.status: self._progress(job), **self._buttons(True)}
            async for state in self._follow(job):
                yield {self.shown.status: state}
            yield self._idle() | stage.show(job.outcome())
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
            return as_json({"note": texts.waiting(*self.service.place(job))})
        step, steps = STAGES.index(job.stage), [texts.STAGES[name] for name in STAGES]
        return as_json({"steps": steps, "step": step, "fraction": round(job.fraction, 2)})

    def _buttons(self, working: bool) -> dict:
        makers = self.shown.make, self.shown.compare, self.shown.avatar
        ready = {button: gr.update(visible=not working) for button in makers}
        return ready | {self.shown.cancel: gr.update(visible=working)}

    def _idle(self, alert: str = "", note: str = "") -> dict:
        state = {"note": note} if note else {"alert": alert}
        return {self.shown.status: as_json(state), **self._buttons(False)}

    def _refused(self, sentence: str) -> dict:
        return self._idle(alert=sentence)

    def stop(self, request: gr.Request) -> str:
        """The cancel button: stop what this session ordered."""
        self.service.cancel(request.session_hash or "")
        return as_json({"note": texts.CANCELLED})

    def check(self, recording, request: gr.Request):
        """A new recording: say at once whether it can be used; only then blank the stages.

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
        ready = self._idle(note=texts.ready(speech.seconds, voice))
        blank = {part: new for stage in self.shown.stages() for part, new in stage.blank().items()}
        return blank | ready

    async def introduce(self) -> AsyncIterator[tuple]:
        """The line at the foot: which weights, from where, why, on what they run.

        Styles, variants and the head's movement come with it, as each set of weights brings its
        own.
        """
        nothing = [gr.skip()] * 7
        try:
            while (about := self.service.about()) is None:
                yield texts.LOADING, *nothing
                await asyncio.sleep(ASK)
        except L2TError as error:
            yield str(error), *nothing
            return
        styles = gr.update(choices=texts.choices(about.styles), value=about.styles[0])
        head = gr.update(visible=about.moves, value=USUAL if about.moves else 0)
        seed = gr.update(visible=about.moves)
        yield texts.weights_line(about), styles, head, seed, *self._variants(about.variants)
        for _ in range(PATIENCE):  # what draws is known once the drawing process has started
            about = self.service.worker.about or about
            if about.renderer:
                break
            await asyncio.sleep(ASK)
        yield texts.weights_line(about), *nothing

    def _variants(self, there) -> tuple:
        """For both lists, the line below them, and the button that needs two to compare."""
        left, right = opponents(there)
        names = [(variant.title, variant.name) for variant in there]
        lists = [gr.update(choices=names, value=variant.name) for variant in (left, right)]
        two = left != right
        what = texts.both(left, right) if two else texts.ALONE
        return *lists, what, gr.update(interactive=two)

    def describe(self, first, second) -> str:
        """The line below the lists: what the chosen variants are."""
        about = self.service.worker.about
        by_name = {variant.name: variant for variant in about.variants} if about else {}
        if first not in by_name or second not in by_name:
            return ""
        return texts.both(by_name[first], by_name[second])
