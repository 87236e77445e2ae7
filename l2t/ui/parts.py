"""Small pieces that the page is built of."""

import gradio as gr

from l2t.ui.theme import read

LINE = '<p class="l2t-line"></p>'


def quiet() -> dict:
    """An event of the page alone: no overlay of Gradio's, not part of the public API."""
    return {"show_progress": "hidden", "api_visibility": "private"}


def scripted(name: str, elem_id: str | None = None, **props: str) -> gr.HTML:
    """The page's own NAME.html with NAME.js, which finds `props` among what it is given."""
    return gr.HTML(
        value="", html_template=read(f"{name}.html"), js_on_load=read(f"{name}.js"),
        elem_id=elem_id or f"l2t-{name}", **props,
    )  # fmt: skip


def line(name: str, value: str = "") -> gr.HTML:
    """A line of plain text."""
    return gr.HTML(
        value=value, html_template=LINE, js_on_load=read("line.js"), elem_id=f"l2t-{name}"
    )
