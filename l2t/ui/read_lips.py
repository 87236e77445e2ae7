"""The tab "Read lips": its parts, in three places of the page, and what happens on them."""

import asyncio
import json
import logging
from dataclasses import dataclass, fields
from pathlib import Path

import gradio as gr
import numpy as np

from l2t.errors import Cancelled, L2TError
from l2t.jobs import Job
from l2t.lipjobs import STAGES, LipOrder, LipResult, preview
from l2t.noisy import Noise
from l2t.service import Service
from l2t.ui import lip_texts, texts
from l2t.ui.api import LOOK
from l2t.ui.catalogue import Catalogue
from l2t.ui.parts import line, quiet
from l2t.ui.plot import as_json
from l2t.ui.timeline import timeline
from l2t.voice import SAMPLE_RATE

log = logging.getLogger(__name__)
CLIPS = Path(__file__).resolve().parents[2] / "assets" / "lips"
LISTENERS = 2  # previews that are made at the same time


@dataclass(frozen=True)
class Wishes:
    """What a visitor sets in the tab."""

    noise: gr.Radio
    snr: gr.Slider
    rules: gr.Radio


@dataclass(frozen=True)
class Lips:
    """Film and truth of a recording, and the buttons, below the recorder."""

    film: gr.Video
    said: gr.Textbox
    read: gr.Button
    hear: gr.Button


@dataclass(frozen=True)
class LipStage:
    """Where a reading is shown."""

    sound: gr.Audio
    lines: gr.HTML
    caption: gr.HTML
    free: gr.HTML
    film: gr.Video

    def parts(self) -> list[gr.components.Component]:
        return [getattr(self, field.name) for field in fields(self)]

    def blank(self) -> dict:
        """Nothing of an earlier recording stays beside a new one."""
        return {part: "" if isinstance(part, gr.HTML) else None for part in self.parts()}

    def show(self, result: LipResult) -> dict:
        return {
            self.sound: str(result.sound),
            self.film: str(result.film),
            self.lines: timeline(result.take, result.order.said),
            self.caption: lip_texts.outcome(result),
            self.free: lip_texts.free(result.take.free),
        }


def lip_wishes() -> Wishes:
    """The inside of the tab: what it does, and what is put over the sound."""
    line("lips-how", lip_texts.HOW)
    line("lips-words", lip_texts.VOCABULARY)
    with gr.Row():
        noise = gr.Radio(lip_texts.NOISES, value="babble", label="Noise", elem_id="l2t-noise",
                         min_width=260)  # fmt: skip
        snr = gr.Slider(-10, 20, -5, step=1, label="Voice over noise in dB", elem_id="l2t-snr",
                        min_width=220)  # fmt: skip
    rules = gr.Radio(lip_texts.RULES, value="grid", label="What may be said", elem_id="l2t-rules")
    return Wishes(noise, snr, rules)


def lip_controls(recording: gr.Audio) -> Lips:
    """Below the recorder: GRID clips to try, a film of the mouth, what was really said, buttons."""
    with gr.Column(elem_classes="l2t-on-read", elem_id="l2t-lips-controls"):
        clips = _clips()
        choice = gr.Dataset(
            label="Or try a clip of the GRID corpus", components=[gr.Textbox(visible=False)],
            samples=[[clip["label"]] for clip in clips], type="index", elem_id="l2t-lip-clips",
        )  # fmt: skip
        credit = line("lip-credit")
        line("mouth-how", lip_texts.FILM)
        film = gr.Video(
            label="Film of the mouth", show_label=False, sources=["upload"], height=150,
            elem_id="l2t-mouth", buttons=[],
        )  # fmt: skip
        said = gr.Textbox(
            label="What is really said (optional)", elem_id="l2t-said", max_length=200
        )
        read = gr.Button("Read lips", variant="primary", size="lg", elem_id="l2t-read")
        hear = gr.Button("Hear it under noise", size="sm", elem_id="l2t-hear")

    def chosen(index: int):
        clip = clips[index]
        sound, mouth = (str(CLIPS / f"{clip['name']}.{kind}") for kind in ("opus", "mp4"))
        return sound, mouth, clip["said"], f"{clip['credit']}, {clip['licence']}."

    choice.click(chosen, choice, [recording, film, said, credit], queue=False, **quiet())
    return Lips(film, said, read, hear)


def lip_stage() -> LipStage:
    """The noisy sound, the transcripts along the time line, and the mouth that was read."""
    with gr.Column(elem_classes="l2t-on-read"):
        sound = gr.Audio(label="What was heard", interactive=False, elem_id="l2t-heard", buttons=[])
        lines = gr.HTML(elem_id="l2t-timeline")
        caption, free = line("lips-caption"), line("lips-free")
        film = gr.Video(label="The lips that were read", show_label=False, interactive=False,
                        height=300, elem_id="l2t-lips-film", buttons=["download"])  # fmt: skip
    return LipStage(sound, lines, caption, free, film)


def _clips() -> list[dict]:
    """The clips listed in lips.json; an empty list without them."""
    listing = CLIPS / "lips.json"
    return json.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else []


class LipEvents:
    """The handlers of the tab; like `Events` nothing of a visitor is kept."""

    def __init__(
        self, service: Service, catalogue: Catalogue, lips: Lips, stage: LipStage,
        status: gr.HTML, cancel: gr.Button,
    ):  # fmt: skip
        self.service, self.catalogue = service, catalogue
        self.lips, self.stage, self.status, self.cancel = lips, stage, status, cancel

    def wire(self, recording: gr.Audio, wishes: Wishes) -> None:
        """Put the handlers on the components."""
        heard = [recording, wishes.noise, wishes.snr]
        outputs = [self.status, self.lips.read, self.cancel, *self.stage.parts()]
        inputs = [*heard, wishes.rules, self.lips.film, self.lips.said]
        self.lips.read.click(self.read, inputs, outputs, **quiet())
        self.lips.hear.click(
            self.hear, heard, [self.status, self.stage.sound],
            concurrency_limit=LISTENERS, **quiet(),
        )  # fmt: skip
        recording.change(self.stage.blank, None, self.stage.parts(), queue=False, **quiet())

    async def read(self, recording, noise, snr, rules, film, said, request: gr.Request):
        """The primary button: order a reading, show how far it is, show it."""
        job = None
        try:
            order = lip_order(recording, noise, snr, rules, film, said)
            job = self.service.submit(order, request.session_hash or "")
            yield {self.status: self._progress(job), **self._buttons(True)}
            last = ""
            while not (job.finished or job.cancelled):
                if (state := self._progress(job)) != last:
                    last = state
                    yield {self.status: state}
                await asyncio.sleep(LOOK)
            yield self._idle({"alert": ""}) | self.stage.show(job.outcome())
        except Cancelled as stop:
            cancelled = job is not None and job.cancelled
            yield self._idle({"note": texts.CANCELLED} if cancelled else {"alert": str(stop)})
        except L2TError as refusal:
            yield self._idle({"alert": str(refusal)})
        except Exception:
            log.exception("a reading could not be shown")
            yield self._idle({"alert": texts.UNFORESEEN})
        finally:  # also when the tab was closed
            if job is not None:
                self.service.stop(job)
                job.discard()

    def hear(self, recording, noise, snr):
        """The noisy sound at once, without reading anything."""
        try:
            order = lip_order(recording, noise, snr, "grid", None, "")
            speech = preview(order.recording, order.noise, self.catalogue.limits)
        except L2TError as refusal:
            return {self.status: as_json({"alert": str(refusal)})}
        sound = np.round(np.clip(speech.samples, -1, 1) * 32767).astype(np.int16)
        return {self.stage.sound: (SAMPLE_RATE, sound), self.status: as_json({"alert": ""})}

    def _progress(self, job: Job) -> str:
        if job.stage not in STAGES:
            return as_json({"note": texts.waiting(*self.service.place(job))})
        steps = [lip_texts.STAGES[name] for name in STAGES]
        return as_json({"steps": steps, "step": STAGES.index(job.stage),
                        "fraction": round(job.fraction, 2)})  # fmt: skip

    def _buttons(self, working: bool) -> dict:
        return {self.lips.read: gr.update(visible=not working),
                self.cancel: gr.update(visible=working)}  # fmt: skip

    def _idle(self, state: dict) -> dict:
        return {self.status: as_json(state), **self._buttons(False)}


def lip_order(recording, noise, snr, rules, film, said) -> LipOrder:
    """From the page's or a script's values. Raises L2TError."""
    if not recording:
        raise L2TError(texts.NO_RECORDING)
    kind = None if noise in (None, "", lip_texts.NONE) else noise
    return LipOrder(Path(recording), Path(film) if film else None, Noise(kind, float(snr)), rules,
                    said or "")  # fmt: skip
