"""A browser for the page; its tests are skipped where Chromium or playwright are missing."""

from pathlib import Path

import pytest
from visitor import CHROMIUM, QUIET, Visitor

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
    room = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    visitor = Visitor(room.new_page(), served.address)
    visitor.take(voice)
    yield visitor
    room.close()
    assert visitor.outside == []
    assert visitor.failures == []


@pytest.fixture
def visit(browser, served):
    """Opens the page: `visit(width=390)`; afterwards no request may have left the machine."""
    opened = []

    def open_page(address: str = served.address, width: int = 1280, **context) -> Visitor:
        room = browser.new_context(viewport={"width": width, "height": 900}, **context)
        opened.append((room, Visitor(room.new_page(), address)))
        return opened[-1][1]

    yield open_page
    served.face.pause = 0.0
    for room, visitor in opened:
        room.close()
        assert visitor.outside == []
        assert visitor.failures == []
