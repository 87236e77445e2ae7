"""A browser for the page; its tests are skipped where Chromium or playwright are missing."""

import contextlib
from pathlib import Path

import pytest
from visitor import CHROMIUM, QUIET, Visitor, visiting

api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="session")
def browser():
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; set L2T_CHROMIUM to its path")
    with api.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield made
        made.close()


@pytest.fixture(scope="module")
def taken(browser, served, voice):
    """A page with a finished take, for tests that only look at it and move in it."""
    with visiting(browser, served.address, color_scheme="light") as visitor:
        visitor.take(voice)
        yield visitor


@pytest.fixture
def visit(browser, served):
    """Opens the page: `visit(width=390)`."""
    with contextlib.ExitStack() as opened:

        def open_page(address: str = served.address, **context) -> Visitor:
            return opened.enter_context(visiting(browser, address, **context))

        yield open_page
        served.face.pause = 0.0
