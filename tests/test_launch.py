"""How the page is served: the number of its events, and what Gradio finds in its environment."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from l2t.settings import Options
from l2t.ui import launch, page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import app  # noqa: E402

ADDRESS = "http://127.0.0.1:7860/"


class Page:
    """Takes note of how it is launched."""

    server = None

    def launch(self, **settings):
        self.settings, self.environment = settings, dict(os.environ)
        return None, ADDRESS, None

    def block_thread(self):
        pass


@pytest.mark.parametrize("waiting", [1, 32, 1000])
def test_every_job_in_line_leaves_events_to_the_rest_of_the_page(waiting):
    """Each holds one of Gradio's for as long as it waits; without one, nothing on the page goes."""
    made = Page()
    assert launch.launch(made, "127.0.0.1", None, 1_000, waiting=waiting) == ADDRESS
    assert made.settings["max_threads"] == waiting + 64


def test_no_variable_of_gradio_changes_how_a_run_is_served(tmp_path, monkeypatch):
    """With GRADIO_DEBUG=1 `launch` would not return, and the service never be started."""
    made = Page()
    worker = SimpleNamespace(begin=lambda: None, start=lambda: None, close=lambda: None,
                             look=lambda: None, ready=True)  # fmt: skip
    environment = os.environ | {"GRADIO_DEBUG": "1", "GRADIO_ANALYTICS_ENABLED": "True"}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(app, "worker_of", lambda *_: worker)
    monkeypatch.setattr(page, "build_page", lambda *_: made)
    app.serve(Options(waiting=77, finish_seconds=0), tmp_path)
    assert made.settings["max_threads"] == 77 + 64
    assert made.settings["prevent_thread_lock"] is True
    assert made.environment["GRADIO_DEBUG"] == "0"
    assert made.environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert made.environment["GRADIO_TEMP_DIR"] == str(tmp_path / "cache")
