"""The facade: speech in, take out, film on demand. App, command line, API and tests all call it."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

from l2t.avatar.avatar import Avatar
from l2t.avatar.camera import Orbit
from l2t.errors import FaceError, L2TError, WeightsError
from l2t.face import FaceTemplate
from l2t.lipstudio import LipStudio
from l2t.models.loading import Models, load_models, load_student
from l2t.movement import Movement
from l2t.render.renderer import Renderer
from l2t.speech import Speech
from l2t.takes import Progress, Speaker, Stop, Take, judge, make_motions
from l2t.values import shown
from l2t.variants import Variant, find_each, variants_of
from l2t.weights import Weights, embedded, resolve

log = logging.getLogger(__name__)


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
        self.variants = variants_of(weights)
        self._speaking = {self.variants[0].role: models}  # by role; the others once asked for
        self.template = template or FaceTemplate.load()
        self._renderer = renderer or Renderer()

    @staticmethod
    def from_pretrained(
        spec: str | Path | Weights | None = None, device: str = "auto",
        renderer: Renderer | None = None,
    ) -> "TalkingFace":  # fmt: skip
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
    def moves(self) -> bool:
        """Whether these weights can move the head."""
        return self.models.head is not None

    @property
    def device(self) -> str:
        return str(next(self.models.student.parameters()).device)

    @property
    def renderer(self) -> str:
        """What draws the pictures; empty until the drawing process has started."""
        return self._renderer.info

    @cached_property
    def lips(self) -> LipStudio:
        """What reads lips through noise, made when first asked for."""
        return LipStudio(self.models, self.weights, self.template)

    def animate(
        self,
        speech: Speech,
        style: str | None = None,
        identity: str | None = None,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
        variant: str | None = None,
        head: float = 0.0,
        seed: int | None = None,
    ) -> Take:
        """The motion for a recording and its sync report.

        style, identity, variant: names in `styles`, `identities` and `variants`, None for the
        first. head, seed: how strongly the head moves and in which way, see `Movement`; the lips
        are the same with and without. progress is told the stage ("moving", "checking") and a
        share of it; `Cancelled` is raised between windows once `cancelled()` is true. Raises
        FaceError for an unknown name or a movement that cannot be, WeightsError for a variant
        whose files do not fit.
        """
        return self.animate_each(
            speech, (variant,), style, identity, progress, cancelled, head, seed
        )[0]

    def animate_each(
        self,
        speech: Speech,
        variants: Sequence[str | None],
        style: str | None = None,
        identity: str | None = None,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
        head: float = 0.0,
        seed: int | None = None,
    ) -> tuple[Take, ...]:
        """The same recording said by each of several different variants; the rest as `animate`."""
        chosen, movement = find_each(self.variants, variants), Movement(head, seed)
        identity = _known(identity, self.identities, "identity")
        speakers = [self._speaker(variant, style) for variant in chosen]
        tell = progress or (lambda stage, share: None)
        motions = make_motions(speech, speakers, movement, tell, cancelled)
        reports = judge(speech, motions, self.template, self.models, tell, cancelled)
        return tuple(
            Take(speech, motion, report, identity, speaker.style, self.weights, speaker.variant)
            for speaker, motion, report in zip(speakers, motions, reports, strict=True)
        )

    def _speaker(self, variant: Variant, style: str | None) -> Speaker:
        """A variant with its models, which are loaded when first asked for, and kept."""
        if variant.role not in self._speaking:
            student = load_student(self.weights, variant.role, torch.device(self.device))
            self._speaking[variant.role] = replace(self.models, student=student)
        models = self._speaking[variant.role]
        styles = models.student.config.styles
        return Speaker(variant, models, _known(style, styles, "speaking style"))

    def render(
        self,
        take: Take | Sequence[Take],
        path: Path | str,
        view: str = "front",
        size: int = 512,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Path:
        """A film of the take at `path` (mp4), `size` pixels high.

        Takes of one recording are shown side by side, each under the title of its variant.
        Raises RenderError, OutputError or Cancelled.
        """
        drawn = (lambda share: progress("drawing", share)) if progress else None
        takes = (take,) if isinstance(take, Take) else tuple(take)
        motions, titles = [t.motion for t in takes], [t.variant.title for t in takes]
        first = takes[0]
        return self._renderer.film(
            motions, first.speech, first.identity, view, size, path, drawn, cancelled,
            titles if len(takes) > 1 else (),
        )  # fmt: skip

    def render_avatar(
        self,
        take: Take,
        path: Path | str,
        orbit: Orbit,
        size: int = 512,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Path:
        """A film of the same take by the Gaussian head, seen from `orbit`; the rest as `render`.

        Raises WeightsError where there is no avatar.
        """
        drawn = (lambda share: progress("drawing", share)) if progress else None
        return self._renderer.avatar_film(
            take.motion, take.speech, orbit, size, path, drawn, cancelled
        )

    def write_splats(self, folder: Path) -> tuple[Path, Path]:
        """The Gaussian head at rest as .ply and .splat. Raises WeightsError, OutputError."""
        ply, splat = (folder / f"learn2talk-avatar.{ending}" for ending in ("ply", "splat"))
        return self._avatar.write_ply(ply), self._avatar.write_splat(splat)

    @cached_property
    def _avatar(self) -> Avatar:
        return Avatar.load(template=self.template)

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
    if not isinstance(name, str) or name not in names:
        raise FaceError(f"There is no {what} {shown(name)}; choose one of {', '.join(names)}.")
    return name
