"""Layout of the page and its wiring; what happens on an event stands in events.py."""

from dataclasses import dataclass

import gradio as gr

from l2t.service import Service
from l2t.ui import texts
from l2t.ui.catalogue import Catalogue
from l2t.ui.events import Events
from l2t.ui.examples import Example, load_examples
from l2t.ui.theme import read

KEEP = 3000  # s that uploads and films stay in Gradio's cache, "within the hour"
SWEEP = 300  # s between two looks at it
CHECKS = 4  # uploads that are decoded at the same time
LINE = '<p class="l2t-line"></p>'


@dataclass(frozen=True)
class Controls:
    """What the visitor sets, in the order the handlers take it."""

    recording: gr.Audio
    identity: gr.Dropdown
    style: gr.Dropdown
    view: gr.Radio
    size: gr.Slider

    def all(self) -> list[gr.components.Component]:
        return [self.recording, self.identity, self.style, self.view, self.size]


def build_page(service: Service, catalogue: Catalogue) -> gr.Blocks:
    """The whole page, ready to launch."""
    events, examples = Events(service, catalogue), load_examples()
    with gr.Blocks(title=texts.TITLE, delete_cache=(SWEEP, KEEP), analytics_enabled=False) as page:
        gr.HTML(
            f'<header class="l2t-head"><h1>{texts.TITLE}</h1><p>{texts.PITCH}</p></header>',
            elem_id="l2t-head",
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=4, min_width=300):
                controls = _controls(catalogue, examples)
                make, cancel = _buttons()
                status = _scripted("status", read("status.html"), read("status.js"))
            with gr.Column(scale=9, min_width=300):
                outputs = _outputs()
        weights = _line("weights", texts.LOADING)
        outputs |= {"status": status, "make": make, "cancel": cancel}
        events.bind(outputs)
        shown = list(outputs.values())
        make.click(events.talk, controls.all(), shown, **_quiet())
        cancel.click(events.stop, None, status, queue=False, **_quiet())
        controls.recording.change(
            events.check, controls.recording, shown, concurrency_limit=CHECKS, **_quiet()
        )
        page.load(events.introduce, None, [weights, controls.style], **_quiet())
        _api(events, catalogue)
    page.queue(max_size=64, default_concurrency_limit=None)
    return page


def _quiet() -> dict:
    """An event of the page alone: no overlay of Gradio's, not part of the public API."""
    return {"show_progress": "hidden", "api_visibility": "private"}


def _scripted(name: str, template: str, script: str) -> gr.HTML:
    return gr.HTML(value="", html_template=template, js_on_load=script, elem_id=f"l2t-{name}")


def _line(name: str, value: str = "") -> gr.HTML:
    return gr.HTML(
        value=value, html_template=LINE, js_on_load=read("line.js"), elem_id=f"l2t-{name}"
    )


def _controls(catalogue: Catalogue, examples: list[Example]) -> Controls:
    recording = gr.Audio(
        sources=["upload", "microphone"],
        type="filepath",
        label="Your speech",
        buttons=["download"],
        elem_id="l2t-recording",
    )
    _line("limits", texts.limits_line(catalogue.limits))
    if examples:
        _examples(examples, recording)
    identity = gr.Dropdown(
        texts.choices(catalogue.identities), label="Identity", elem_id="l2t-identity"
    )
    style = gr.Dropdown([], label="Speaking style", elem_id="l2t-style")  # see Events.introduce
    view = gr.Radio(texts.choices(catalogue.views), value=catalogue.views[0], label="View")
    with gr.Accordion("More", open=False):
        size = gr.Slider(
            catalogue.smallest, catalogue.largest, catalogue.usual, step=64,
            label="Size of the film in pixels",
        )  # fmt: skip
    return Controls(recording, identity, style, view, size)


def _examples(examples: list[Example], recording: gr.Audio) -> None:
    """A row of buttons, and below it what the chosen one says, with its credit."""
    choice = gr.Dataset(
        label="Or try one of these",
        components=[gr.Textbox(visible=False)],
        samples=[[example.label] for example in examples],
        type="index",
        elem_id="l2t-examples",
    )
    caption = _line("credit")
    choice.click(
        lambda index: (str(examples[index].path), examples[index].caption),
        choice, [recording, caption], queue=False, **_quiet(),
    )  # fmt: skip


def _buttons() -> tuple[gr.Button, gr.Button]:
    make = gr.Button("Make it talk", variant="primary", size="lg", elem_id="l2t-make")
    cancel = gr.Button("Cancel", variant="stop", size="lg", visible=False, elem_id="l2t-cancel")
    return make, cancel


def _outputs() -> dict[str, gr.components.Component]:
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            film = gr.Video(
                label="Film", show_label=False, interactive=False, autoplay=True, buttons=[],
                elem_id="l2t-film",
            )  # fmt: skip
            caption = _line("caption")
        with gr.Column(min_width=300):
            plot = _scripted("plot", read("plot.html"), read("plot.js"))
            with gr.Row(elem_id="l2t-files"):
                files = {
                    name: gr.DownloadButton(label, visible=False, size="sm")
                    for name, label in (
                        ("save_film", "Film (mp4)"),
                        ("save_csv", "ARKit CSV"),
                        ("save_npz", "Motion (npz)"),
                        ("save_glb", "Head (glb)"),
                    )
                }
    return {"film": film, "caption": caption, "plot": plot, **files}


def _api(events: Events, catalogue: Catalogue) -> None:
    """The named endpoints: plain inputs (checked by the models, in a sentence), files and JSON."""
    with gr.Row(visible=False):
        recording = gr.Audio(type="filepath", label="recording")
        identity, style = gr.Textbox("", label="identity"), gr.Textbox("", label="style")
        view = gr.Textbox(catalogue.views[0], label="view")
        size = gr.Number(catalogue.usual, precision=0, label="size")
        film, sync = gr.File(label="film"), gr.JSON(label="sync")
        csv, npz = gr.File(label="arkit_csv"), gr.File(label="motion_npz")
        stopped = gr.Number(label="stopped")
        go, stop = gr.Button("animate"), gr.Button("cancel")
    inputs, files = [recording, identity, style, view, size], [film, sync, csv, npz]
    go.click(events.animate, inputs, files, api_name="animate")
    stop.click(events.cancel, None, stopped, queue=False, api_name="cancel")
