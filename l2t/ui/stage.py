"""Where a result is shown: film, caption, plot and downloads; one head, or two side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from l2t.jobs import Result, Said
from l2t.ui import texts
from l2t.ui.parts import line, scripted
from l2t.ui.plot import as_json, plot_data

RECEIPT = "Receipt (json)"


@dataclass(frozen=True)
class Saves:
    """The downloads of one take's motion, under a line that says whose it is."""

    whose: gr.HTML | None
    csv: gr.DownloadButton
    npz: gr.DownloadButton
    glb: gr.DownloadButton

    def buttons(self) -> list[gr.DownloadButton]:
        return [self.csv, self.npz, self.glb]


@dataclass(frozen=True)
class Stage:
    """The components of one result."""

    film: gr.Video
    caption: gr.HTML
    plot: gr.HTML
    save_film: gr.DownloadButton
    receipt: gr.DownloadButton
    saves: tuple[Saves, ...]  # one a head
    model: tuple[gr.Model3D, ...] = ()  # of the Gaussian head alone: it at rest,
    splats: tuple[gr.DownloadButton, ...] = ()  # and its files

    def components(self) -> list[gr.components.Component]:
        whose = [saves.whose for saves in self.saves if saves.whose]
        return [self.film, self.caption, self.plot, *whose, *self.model, *self._buttons()]

    def _buttons(self) -> list[gr.DownloadButton]:
        buttons = (button for saves in self.saves for button in saves.buttons())
        return [self.save_film, *buttons, *self.splats, self.receipt]

    def blank(self) -> dict:
        """Nothing of an earlier recording stays beside a new one."""
        texts_gone = {part: "" for part in self.components() if isinstance(part, gr.HTML)}
        hidden = {button: gr.update(value=None, visible=False) for button in self._buttons()}
        return {self.film: None} | texts_gone | hidden

    def show(self, result: Result) -> dict:
        """What each component gets."""
        return {
            self.film: str(result.film),
            self.caption: texts.caption(result),
            self.plot: as_json(plot_data(result.said)),
            self.save_film: _offered(result.film),
            self.receipt: _offered(result.receipt),
            **dict(self._downloads(result.said)),
            **dict(self._gaussians(result.splats)),
        }

    def _gaussians(self, splats: tuple[Path, ...]) -> Iterator[tuple]:
        """For the Gaussian head: its files, and the first of them to look at.

        The .ply, although it is larger: Gradio's viewer never begins on a .splat that it is told
        of twice in a row, as happens at the end of an event with several steps.
        """
        for button, file in zip(self.splats, splats, strict=True):
            yield button, _offered(file)
        for model in self.model:
            yield model, str(splats[0])

    def _downloads(self, said: tuple[Said, ...]) -> Iterator[tuple]:
        for saves, own in zip(self.saves, said, strict=True):
            if saves.whose:
                yield saves.whose, own.take.variant.title
            for button, file in zip(saves.buttons(), (own.csv, own.npz, own.glb), strict=True):
                yield button, _offered(file)


def _offered(file: Path) -> dict:
    return gr.update(value=str(file), visible=True)


def solo_stage() -> Stage:
    """One head and its plot beside it."""
    return _beside("talk", "")


def _beside(tab: str, prefix: str) -> Stage:
    """Film and plot of one head side by side; prefix: of the names on the page."""
    with gr.Row(equal_height=False, elem_classes=f"l2t-on-{tab}"):
        with gr.Column(min_width=300):
            film, caption = _film(f"{prefix}film"), line(f"{prefix}caption")
        with gr.Column(min_width=300):
            plot = _plot(f"{prefix}plot", f"{prefix}film")
            with gr.Row(elem_id=f"l2t-{prefix}files"):
                save_film = _download("Film (mp4)")
                saves = _saves(None)
                receipt = _download(RECEIPT)
    return Stage(film, caption, plot, save_film, receipt, (saves,))


def pair_stage() -> Stage:
    """Two heads in one film, so that they cannot fall out of step, and one plot below them."""
    with gr.Column(elem_classes="l2t-on-compare"):
        film = _film("pair-film")
        scripted("second", film="#l2t-pair-film")
        caption, plot = line("pair-caption"), _plot("pair-plot", "pair-film")
        with gr.Row():
            save_film, receipt = _download("Film of both (mp4)"), _download(RECEIPT)
        with gr.Row(elem_id="l2t-pair-files"):
            saves = []
            for side in ("left", "right"):
                with gr.Column(min_width=240), gr.Row(elem_classes="l2t-saves"):
                    saves.append(_saves(line(f"whose-{side}")))
    return Stage(film, caption, plot, save_film, receipt, tuple(saves))


def avatar_stage() -> Stage:
    """The Gaussian head: film and plot, and it at rest, to be turned by hand."""
    stage = _beside("avatar", "avatar-")
    with gr.Column(elem_classes="l2t-on-avatar"):
        with gr.Row():
            splats = tuple(map(_download, ("Gaussians (ply)", "Gaussians (splat)")))
        # Closed: without a graphics card its viewer is a load for the whole page.
        with gr.Accordion("Turn it by hand", open=False, elem_id="l2t-avatar-turn"):
            model = gr.Model3D(
                label="The Gaussians at rest", interactive=False, height=420,
                elem_id="l2t-avatar-model",
            )  # fmt: skip
    return replace(stage, model=(model,), splats=splats)


def _film(name: str) -> gr.Video:
    return gr.Video(
        label="Film", show_label=False, interactive=False, autoplay=True, buttons=[],
        elem_id=f"l2t-{name}", elem_classes="l2t-film",
    )  # fmt: skip


def _plot(name: str, film: str) -> gr.HTML:
    return scripted("plot", f"l2t-{name}", film=f"#l2t-{film}")


def _saves(whose: gr.HTML | None) -> Saves:
    return Saves(whose, *map(_download, ("ARKit CSV", "Motion (npz)", "Head (glb)")))


def _download(label: str) -> gr.DownloadButton:
    return gr.DownloadButton(label, visible=False, size="sm")
