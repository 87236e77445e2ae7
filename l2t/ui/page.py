"""Layout of the page and its wiring; what happens on an event stands in events.py.

The tabs share the recorder and the choices below them, so that nothing has to be recorded twice;
the style sheet shows what belongs to the tab that is open.
"""

from dataclasses import dataclass

import gradio as gr

from l2t.movement import STRONGEST
from l2t.service import Service
from l2t.ui import texts
from l2t.ui.catalogue import Catalogue
from l2t.ui.endpoints import name_endpoints
from l2t.ui.events import Events, Shown
from l2t.ui.examples import Example, load_examples
from l2t.ui.lip_api import name_lip_endpoint
from l2t.ui.parts import line, quiet, scripted
from l2t.ui.read_lips import LipEvents, Wishes, lip_controls, lip_stage, lip_wishes
from l2t.ui.stage import avatar_stage, pair_stage, solo_stage

SWEEP = 300  # s between two looks at what is old in Gradio's cache
CHECKS = 4  # uploads that are decoded at the same time


@dataclass(frozen=True)
class Controls:
    """What the visitor sets, in the order the handlers take it."""

    recording: gr.Audio
    identity: gr.Dropdown
    style: gr.Dropdown
    view: gr.Radio
    size: gr.Slider
    head: gr.Slider
    seed: gr.Number

    def all(self) -> list[gr.components.Component]:
        head = [self.head, self.seed]
        return [self.recording, self.identity, self.style, self.view, self.size, *head]


@dataclass(frozen=True)
class Variants:
    """Which two are compared, and what they are."""

    first: gr.Dropdown
    second: gr.Dropdown
    what: gr.HTML


def build_page(service: Service, catalogue: Catalogue) -> gr.Blocks:
    """The whole page, ready to launch."""
    examples = load_examples()
    settings = service.settings
    old = (SWEEP, int(settings.keep))  # how often and from which age uploads and films go
    with gr.Blocks(title=texts.TITLE, delete_cache=old, analytics_enabled=False) as page:
        with gr.Column(elem_classes="l2t-frame"):
            variants, wishes, orbit = _head()
            with gr.Row(equal_height=False):
                with gr.Column(scale=4, min_width=300):
                    limits = texts.limits_line(catalogue.limits, settings, SWEEP)
                    controls = _controls(catalogue, examples, limits)
                    lips = lip_controls(controls.recording)
                    *buttons, cancel = _buttons()
                    status = scripted("status")
                with gr.Column(scale=9, min_width=300):
                    stages = solo_stage(), pair_stage(), avatar_stage()
                    shown = Shown(status, *buttons, cancel, *stages)
                    read = lip_stage()
        weights = line("weights", texts.LOADING)
        _wire(page, Events(service, catalogue, shown), controls, variants, orbit, weights)
        lip_events = LipEvents(service, catalogue, lips, read, status, cancel)
        lip_events.wire(controls.recording, wishes)
        name_endpoints(service, catalogue)
        name_lip_endpoint(service)
    # Not open: direct calls would go round the queue, and so round the limits of each event.
    page.queue(max_size=64, default_concurrency_limit=None, api_open=False)
    return page


def _wire(
    page: gr.Blocks, events: Events, controls: Controls, variants: Variants,
    orbit: list[gr.Slider], weights: gr.HTML,
) -> None:  # fmt: skip
    shown, pair = events.shown, [variants.first, variants.second]
    outputs = shown.all()
    shown.make.click(events.talk, controls.all(), outputs, **quiet())
    shown.compare.click(events.talk_both, controls.all() + pair, outputs, **quiet())
    shown.avatar.click(events.talk_avatar, controls.all() + orbit, outputs, **quiet())
    shown.cancel.click(events.stop, None, shown.status, queue=False, **quiet())
    controls.recording.change(
        events.check, controls.recording, outputs, concurrency_limit=CHECKS, **quiet()
    )
    for choice in pair:
        choice.input(events.describe, pair, variants.what, queue=False, **quiet())
    own = [controls.style, controls.head, controls.seed]
    known = [weights, *own, *pair, variants.what, shown.compare]
    page.load(events.introduce, None, known, **quiet())


def _head() -> tuple[Variants, Wishes, list[gr.Slider]]:
    """Title and tabs; the second asks which two to compare, the third which noise to add, the
    fourth from where to film.
    """
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            gr.HTML(
                f'<header class="l2t-head"><h1>{texts.TITLE}</h1><p>{texts.PITCH}</p></header>',
                elem_id="l2t-head",
            )
        with gr.Column(scale=9, min_width=300), gr.Tabs(elem_id="l2t-tabs"):
            with gr.Tab("Talk", id="talk"):
                line("how", texts.HOW)
            with gr.Tab("Compare", id="compare"):
                with gr.Row():
                    first, second = (  # see Events.introduce
                        gr.Dropdown(
                            [], label=f"{side} head", elem_id=f"l2t-{side.lower()}", min_width=240
                        )
                        for side in ("Left", "Right")
                    )
                what = line("what")
            with gr.Tab("Read lips", id="read"):
                wishes = lip_wishes()
            with gr.Tab("Avatar", id="avatar"):
                line("avatar-how", texts.AVATAR)
                with gr.Row():
                    orbit = [
                        gr.Slider(-90, 90, 0, step=5, label="Round it, in degrees", min_width=240,
                                  elem_id="l2t-azimuth"),
                        gr.Slider(-20, 40, 0, step=5, label="Above it, in degrees", min_width=240,
                                  elem_id="l2t-elevation"),
                    ]  # fmt: skip
    return Variants(first, second, what), wishes, orbit


def _controls(catalogue: Catalogue, examples: list[Example], limits: str) -> Controls:
    recording = gr.Audio(
        sources=["upload", "microphone"],
        type="filepath",
        label="Your speech",
        buttons=["download"],
        elem_id="l2t-recording",
    )
    line("limits", limits)
    if examples:
        _examples(examples, recording)
    identity = gr.Dropdown(
        texts.choices(catalogue.identities), label="Identity", elem_id="l2t-identity",
        elem_classes="l2t-off-avatar",
    )  # fmt: skip
    style = gr.Dropdown([], label="Speaking style", elem_id="l2t-style")  # see Events.introduce
    view = gr.Radio(
        texts.choices(catalogue.views), value=catalogue.views[0], label="View", elem_id="l2t-view",
        elem_classes="l2t-off-avatar",
    )  # fmt: skip
    with gr.Accordion("More", open=False, elem_id="l2t-more"):
        size = gr.Slider(
            catalogue.smallest, catalogue.largest, catalogue.usual, step=64,
            label="Size of the film in pixels",
        )  # fmt: skip
        head = gr.Slider(  # this and the next: see Events.introduce
            0, STRONGEST, 0, step=0.1, label="Head movement", info=texts.HEAD, visible=False,
            elem_id="l2t-head-movement",
        )  # fmt: skip
        seed = gr.Number(
            None, label="Seed", info=texts.SEED, precision=0, visible=False, elem_id="l2t-seed"
        )
    return Controls(recording, identity, style, view, size, head, seed)


def _examples(examples: list[Example], recording: gr.Audio) -> None:
    """A row of buttons, and below it what the chosen one says, with its credit."""
    choice = gr.Dataset(
        label="Or try one of these",
        components=[gr.Textbox(visible=False)],
        samples=[[example.label] for example in examples],
        type="index",
        elem_id="l2t-examples",
    )
    caption = line("credit")
    choice.click(
        lambda index: (str(examples[index].path), examples[index].caption),
        choice, [recording, caption], queue=False, **quiet(),
    )  # fmt: skip


def _buttons() -> tuple[gr.Button, ...]:
    def button(label: str, name: str, variant: str = "primary", **more) -> gr.Button:
        return gr.Button(label, variant=variant, size="lg", elem_id=f"l2t-{name}", **more)

    return (
        button("Make it talk", "make", elem_classes="l2t-on-talk"),
        button("Compare", "compare", elem_classes="l2t-on-compare"),
        button("Make the avatar talk", "avatar", elem_classes="l2t-on-avatar"),
        button("Cancel", "cancel", "stop", visible=False),
    )
