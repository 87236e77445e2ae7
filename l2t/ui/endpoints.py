"""Puts the endpoints for scripts on the page; `l2t.ui.api` says what each does."""

import gradio as gr

from l2t.movement import USUAL
from l2t.service import Service
from l2t.ui.api import Api
from l2t.ui.catalogue import Catalogue


def name_endpoints(service: Service, catalogue: Catalogue) -> None:
    """Put the endpoints on the page that is being built; wrong values are told in a sentence."""
    api = Api(service)
    with gr.Row(visible=False):
        recording = gr.Audio(type="filepath", label="recording")
        first = gr.Textbox("default", label="first")
        second = gr.Textbox("reconstruction", label="second")
        identity, style = gr.Textbox("", label="identity"), gr.Textbox("", label="style")
        view = gr.Textbox(catalogue.views[0], label="view")
        size = gr.Number(catalogue.usual, precision=0, label="size")
        film, sync = gr.File(label="film"), gr.JSON(label="sync")
        csv, npz = gr.File(label="arkit_csv"), gr.File(label="motion_npz")
        scores, other = gr.JSON(label="scores"), gr.File(label="second_npz")
        stopped = gr.Number(label="stopped")
        go, both, stop = gr.Button("animate"), gr.Button("compare"), gr.Button("cancel")
        head, seed = gr.Number(USUAL, label="head"), gr.Number(-1, precision=0, label="seed")
        still = gr.Number(0, label="head")
        azimuth, elevation = gr.Number(0, label="azimuth"), gr.Number(0, label="elevation")
        ply, splat = gr.File(label="ply"), gr.File(label="splat")
        move, gaussian = gr.Button("animate_head"), gr.Button("avatar")
        both_move = gr.Button("compare_head")
    choices, made = [identity, style, view, size], [film, sync, csv, npz]
    pair, compared = [first, second, *choices], [film, scores, npz, other]
    go.click(api.animate, [recording, *choices], made, api_name="animate")
    move.click(
        api.animate_head, [recording, *choices, head, seed], made, api_name="animate_head"
    )
    gaussian.click(
        api.avatar, [recording, style, azimuth, elevation, size, still, seed],
        [film, sync, npz, ply, splat], api_name="avatar",
    )  # fmt: skip
    both.click(api.compare, [recording, *pair], compared, api_name="compare")
    both_move.click(
        api.compare_head, [recording, *pair, head, seed], compared, api_name="compare_head"
    )
    stop.click(api.cancel, None, stopped, queue=False, api_name="cancel")
