"""The page: `python app.py`, then open the address it prints. Options: `python app.py --help`."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from l2t.face import FaceTemplate
from l2t.home import home
from l2t.logs import configure
from l2t.service import Service, Settings
from l2t.settings import Options, parse
from l2t.speech import Limits
from l2t.ui.catalogue import Catalogue
from l2t.worker.in_process import InProcess
from l2t.worker.supervised import Bounds, Supervised


def lent_gpu() -> Callable | None:
    """`spaces.GPU` on a Space that lends its GPU by the call; None elsewhere.

    Imported before torch, as that package asks for, and only where it has something to do.
    """
    if not os.environ.get("SPACES_ZERO_GPU"):
        return None
    import spaces

    return spaces.GPU


def worker_of(options: Options, limits: Limits) -> Supervised | InProcess:
    """What does the work: a process of its own, unless a GPU is lent to this one."""
    wanted = {"weights": options.weights, "device": options.device}
    gpu = lent_gpu()
    if gpu is None:
        return Supervised(wanted, limits, Bounds(memory=options.worker_memory_bytes))

    def load():
        from l2t.worker.pretrained import pretrained

        return pretrained(**wanted)

    return InProcess(load, limits, gpu)


def settings_of(options: Options) -> Settings:
    return Settings(
        waiting=options.waiting, waiting_each=options.waiting_each, deadline=options.deadline,
        keep=options.keep_seconds, quota=options.quota_bytes,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    configure(options.log, options.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what follows cleans up
    with home() as folder:
        serve(options, folder)


def serve(options: Options, folder: Path) -> None:
    """Run until stopped, the running job included; everything of a visitor lies below `folder`."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # these are read by Gradio, imported below
    os.environ["GRADIO_DEBUG"] = "0"  # else it waits in `launch`, and no job is ever done
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "cache")
    (folder / "tmp").mkdir()
    # For the processes that are started:
    os.environ |= {"TMPDIR": str(folder / "tmp"), "L2T_LOG": options.log,
                   "L2T_LOG_LEVEL": options.log_level}  # fmt: skip

    limits = Limits(max_seconds=options.max_seconds, max_bytes=options.max_bytes)
    worker = worker_of(options, limits)
    service = Service(worker, settings_of(options), folder)
    try:
        worker.begin()  # it loads while this process imports the page
        from l2t.ui.launch import launch
        from l2t.ui.page import build_page

        page = build_page(service, Catalogue(FaceTemplate.load().identities, limits=limits))
        address = launch(
            page, options.host, options.port, limits.max_bytes, waiting=options.waiting,
            status=service.status, quota=service.quota, keep=options.keep_seconds,
        )  # fmt: skip
        service.start()
        print(f"Learn2Talk is at {address}", flush=True)
        page.block_thread()
    finally:
        service.close(options.finish_seconds)


if __name__ == "__main__":
    main()
