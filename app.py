"""The page: `python app.py`, then open the address it prints. Options: `python app.py --help`."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from l2t.errors import RenderError
from l2t.face import FaceTemplate
from l2t.jobs import sweep
from l2t.render.renderer import Renderer
from l2t.service import Service, Settings
from l2t.speech import Limits
from l2t.ui.catalogue import Catalogue

HOME = "learn2talk-run-"  # the folder of a run: jobs and Gradio's cache
DAY = 86_400  # s


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Options; the environment gives the defaults, as a Space sets them there."""
    made = argparse.ArgumentParser("python app.py", description=__doc__)
    add, env = made.add_argument, os.environ.get
    add("--host", default=env("GRADIO_SERVER_NAME", "127.0.0.1"), help="default: %(default)s")
    add("--port", type=int, default=env("GRADIO_SERVER_PORT"), help="default: 7860 or next")
    weights_help = "folder, Hub repository org/name[@revision], or debug (default: embedded)"
    add("--weights", default=env("L2T_WEIGHTS"), metavar="DIR_OR_HUB_ID", help=weights_help)
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the models run")
    add("--max-seconds", type=float, default=60.0, metavar="S", help="longest recording accepted")
    return made.parse_args(arguments)


def lent_gpu() -> Callable | None:
    """`spaces.GPU` on a Space that lends its GPU by the call; None elsewhere.

    Imported before torch, as that package asks for, and only where it has something to do.
    """
    if not os.environ.get("SPACES_ZERO_GPU"):
        return None
    import spaces

    return spaces.GPU


def start_renderer() -> Renderer:
    """A renderer that is starting in the background; one that cannot start is told by its jobs."""

    def start() -> None:
        with contextlib.suppress(RenderError):
            renderer.start()

    renderer = Renderer()
    threading.Thread(target=start, daemon=True, name="renderer-start").start()
    return renderer


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what follows cleans up
    sweep(Path(tempfile.gettempdir()), age=DAY, pattern=f"{HOME}*")  # of runs that were killed
    with tempfile.TemporaryDirectory(prefix=HOME, ignore_cleanup_errors=True) as home:
        serve(options, Path(home))


def serve(options: argparse.Namespace, home: Path) -> None:
    """Run until stopped; everything of a visitor lies below `home`."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # both are read by Gradio, imported below
    os.environ["GRADIO_TEMP_DIR"] = str(home / "cache")

    ahead = [start_renderer()]  # in a process of its own, while this one imports

    def load():
        from l2t.talkingface import TalkingFace

        renderer = ahead.pop() if ahead else None
        return TalkingFace.from_pretrained(options.weights, options.device, renderer)

    limits = Limits(max_seconds=options.max_seconds)
    service = Service(load, Settings(limits=limits), home, gpu=lent_gpu())
    from l2t.ui.launch import launch
    from l2t.ui.page import build_page

    page = build_page(service, Catalogue(FaceTemplate.load().identities, limits=limits))
    try:
        address = launch(page, options.host, options.port, limits.max_bytes)
        service.start()  # after the page is up: torch and the renderer take seconds to import
        print(f"Learn2Talk is at {address}", flush=True)
        page.block_thread()
    finally:
        service.close()


if __name__ == "__main__":
    main()
