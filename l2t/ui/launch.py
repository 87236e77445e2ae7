"""How the page is served: what is open, what is shown, what is allowed, what is bounded."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from l2t.disk import Quota
from l2t.logs import adopt
from l2t.service import Settings
from l2t.ui.examples import FOLDER as EXAMPLES
from l2t.ui.guard.connections import Connections
from l2t.ui.guard.disk import Disk
from l2t.ui.guard.middleware import Guard, Rules
from l2t.ui.guard.upkeep import upkeep
from l2t.ui.health import health_route
from l2t.ui.theme import read, theme

TIDY, LOOK = 60.0, 5.0  # s between two looks at old files, and at idle connections
EVENTS = 64  # of the page at a time, beside those that wait for their job


def launch(
    page: gr.Blocks, host: str, port: int | None, max_bytes: int,
    status: Callable[[], dict] | None = None, quota: Quota | None = None,
    keep: float = Settings.keep, waiting: int = Settings.waiting,
) -> str:  # fmt: skip
    """Serve the page and return its address at once; nothing is shared or reported anywhere.

    host: address to listen on; port: None = the first free one from 7860 on.
    max_bytes: largest upload.  status: what `/health` tells (l2t.ui.health); None: no such route.
    quota: of the disk that uploads and results take; None: no bound.  keep: age in seconds at
    which they go.  waiting: jobs that may wait in line, each of which holds an event of the page.
    """
    disk = Disk(cache_folder(), keep, quota)
    rules = Rules(max_bytes, on_space=bool(os.environ.get("SPACE_ID")))
    idle = Connections(lambda: page.server.server_state.connections)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css=read("page.css"),
        prevent_thread_lock=True,
        share=False,
        ssr_mode=False,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        quiet=True,
        max_file_size=max_bytes,
        max_threads=waiting + EVENTS,
        allowed_paths=[str(EXAMPLES)],
        footer_links=["api"],
        app_kwargs={
            "middleware": [Middleware(Guard, rules, disk)],
            "routes": [health_route(status)] if status else [],
            "lifespan": upkeep((min(TIDY, keep), disk.sweep), (LOOK, idle.sweep)),
            "openapi_url": None,
        },
    )
    adopt("uvicorn", "uvicorn.error", "uvicorn.access")
    return address


def cache_folder() -> Path:
    """Where Gradio keeps uploads and copies of results."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir(), "gradio"))
