"""Makes the talking face in the worker process, quickly: the renderer starts while torch loads."""

import contextlib
import logging
import threading

from l2t.errors import L2TError, RenderError
from l2t.render.renderer import Renderer
from l2t.weights import Weights
from l2t.worker.faults import fault_of

log = logging.getLogger(__name__)


def pretrained(weights: str | Weights | None = None, device: str = "auto"):
    """A `TalkingFace` as `TalkingFace.from_pretrained` makes it; raises L2TError.

    weights: as `l2t.weights.resolve` takes them.

    A card that fails or is full while the models are put on it is given up for the processor,
    unless it was asked for by name.
    """
    renderer = start_renderer()
    from l2t.talkingface import TalkingFace

    try:
        return TalkingFace.from_pretrained(weights, device, renderer)
    except L2TError:
        renderer.close()
        raise
    except RuntimeError as error:
        if fault_of(error) is None or device != "auto":
            renderer.close()
            raise
        log.exception("the graphics card cannot be used; the models run on the CPU")
        return TalkingFace.from_pretrained(weights, "cpu", renderer)


def start_renderer() -> Renderer:
    """A renderer that is starting in the background; one that cannot start is told by its jobs."""

    def start() -> None:
        with contextlib.suppress(RenderError):
            renderer.start()

    renderer = Renderer()
    threading.Thread(target=start, daemon=True, name="renderer-start").start()
    return renderer
