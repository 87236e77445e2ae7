"""The facade: speech in, take out, film on demand. App, command line, API and tests all call it."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from l2t import sync
from l2t.animate import mouth_weights
from l2t.blinks import seed_of, with_blinks
from l2t.errors import Cancelled, FaceError, L2TError, WeightsError
from l2t.face import FaceTemplate
from l2t.models.loading import Models, load_models
from l2t.motion import Motion
from l2t.render.renderer import Renderer
from l2t.speech import Speech
from l2t.weights import Weights, embedded, resolve

log = logging.getLogger(__name__)
Progress = Callable[[str, float], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Take:
    """One recording, said by the head.

    motion: 30 fps; sync: how well it fits the voice; weights: which ones spoke.
    """

    speech: Speech
    motion: Motion
    sync: sync.SyncReport
    identity: str
    style: str
    weights: Weights


class TalkingFace:
    """Models, face and renderer together; one caller at a time (a `Service` sees to that)."""

    def __init__(
        self,
        models: Models,
        weights: Weights,
        template: FaceTemplate | None = None,
        renderer: Renderer | None = None,
    ):
        self.models, self.weights = models, weights
        self.template = template or FaceTemplate.load()
        self._renderer = renderer or Renderer()

    @staticmethod
    def from_pretrained(
        spec: str | Path | None = None, device: str = "auto", renderer: Renderer | None = None
    ) -> "TalkingFace":
        """Chooses and loads weights (`l2t.weights.resolve`) onto "cpu", "cuda" or "auto".

        renderer: one that was started ahead, as it takes seconds; closed with the face.
        Weights from a Hub that load badly are replaced by the embedded ones, with the reason in
        `weights.label`. Raises WeightsError, or L2TError for a device that is not there.
        """
        place, weights = pick_device(device), resolve(spec)
        try:
            models = load_models(weights, place)
        except WeightsError as error:
            if weights.source != "hub":
                raise
            reason = f"Hub repository {weights.repo} cannot be used: {str(error).rstrip('.')}"
            weights = embedded(reason)
            models = load_models(weights, place)
        log.info("weights: %s, device: %s", weights.label, place)
        return TalkingFace(models, weights, renderer=renderer)

    @property
    def identities(self) -> tuple[str, ...]:
        return self.template.identities

    @property
    def styles(self) -> tuple[str, ...]:
        return self.models.student.config.styles

    @property
    def device(self) -> str:
        return str(next(self.models.student.parameters()).device)

    @property
    def renderer(self) -> str:
        """What draws the pictures; empty until the drawing process has started."""
        return self._renderer.info

    def animate(
        self,
        speech: Speech,
        style: str | None = None,
        identity: str | None = None,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Take:
        """The motion for a recording and its sync report.

        style, identity: names in `styles` and `identities`, None for the first. progress is told
        the stage ("moving", "checking") and a share of it; `Cancelled` is raised between windows
        once `cancelled()` is true. Raises FaceError for an unknown name.
        """
        style = _known(style, self.styles, "speaking style")
        identity = _known(identity, self.identities, "identity")
        tell = progress or (lambda stage, share: None)
        arkit = mouth_weights(
            self.models, speech.samples, self.styles.index(style),
            lambda share: tell("moving", share), cancelled,
        )  # fmt: skip
        motion = Motion(with_blinks(arkit, seed_of(speech.samples)))
        tell("checking", 0.0)
        if cancelled and cancelled():
            raise Cancelled("The job was cancelled.")
        report = sync.score(speech, self.template, motion, self.models.expert)
        tell("checking", 1.0)
        return Take(speech, motion, report, identity, style, self.weights)

    def render(
        self,
        take: Take,
        path: Path | str,
        view: str = "front",
        size: int = 512,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Path:
        """A film of the take at `path` (mp4). Raises RenderError, OutputError or Cancelled."""
        drawn = (lambda share: progress("drawing", share)) if progress else None
        return self._renderer.film(
            take.motion, take.speech, take.identity, view, size, path, drawn, cancelled
        )

    def close(self) -> None:
        """Ends the drawing process."""
        self._renderer.close()

    def __enter__(self) -> "TalkingFace":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def pick_device(name: str) -> torch.device:
    """"auto": CUDA where there is one. Raises L2TError for CUDA without a device."""
    if name not in ("auto", "cpu", "cuda"):
        raise L2TError(f"There is no device {name!r}; accepted are auto, cpu and cuda.")
    there = False
    with contextlib.suppress(RuntimeError):  # a broken driver is as good as none
        there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise L2TError("No CUDA device was found; choose the device auto or cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _known(name: str | None, names: tuple[str, ...], what: str) -> str:
    if name is None:
        return names[0]
    if name not in names:
        raise FaceError(f"There is no {what} {name!r}; choose one of {', '.join(names)}.")
    return name
