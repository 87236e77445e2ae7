"""What a person does on the page, and what he then sees, in headless Chromium."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

CHROMIUM = os.environ.get("L2T_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
QUIET = [  # a browser that asks nobody but the page for anything
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]
COMPARE = "#l2t-tabs [role=tab][data-tab-id=compare]"
FILM, PAIR = "#l2t-film video", "#l2t-pair-film video"
NOTE, ALERT = ".l2t-note:not([hidden])", ".l2t-alert:not([hidden])"
STAGE = "#l2t-plot .l2t-stage"
WAIT = 30_000  # ms


class Visitor:
    """What a person does on the page, and what he then sees."""

    def __init__(self, page, address: str):
        self.page, self.address = page, address
        self.outside: list[str] = []
        self.failures: list[str] = []
        page.on("request", self._note_request)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.set_default_timeout(WAIT)
        page.goto(address)
        page.wait_for_selector("#l2t-make")

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def upload(self, path: Path) -> None:
        self.page.set_input_files("#l2t-recording input[type=file]", str(path))

    def clear(self) -> None:
        self.page.locator("#l2t-recording [aria-label=Clear]").first.click()

    def wait_until_ready(self) -> None:
        self.page.wait_for_selector(f"{NOTE}:has-text('seconds of sound')")

    def make(self) -> None:
        self.page.click("#l2t-make")

    def wait_for_film(self, film: str = FILM, button: str = "#l2t-make") -> None:
        self.page.wait_for_selector(film)
        self.page.wait_for_function(f"document.querySelector('{film}').readyState === 4")
        self.page.wait_for_selector(button, state="visible")

    def compare(self, path: Path) -> None:
        """Open the other tab, upload, let both heads say it, hold the film."""
        self.page.click(COMPARE)
        self.upload(path)
        self.wait_until_ready()
        self.page.click("#l2t-compare")
        self.wait_for_film(PAIR, "#l2t-compare")
        self.film("pause()", PAIR)

    def take(self, path: Path) -> None:
        """Upload, press the button, wait for the film, hold it."""
        self.upload(path)
        self.wait_until_ready()
        self.make()
        self.wait_for_film()
        self.film("pause()")

    def film(self, expression: str, film: str = FILM):
        return self.page.evaluate(f"document.querySelector('{film}').{expression}")

    def seek_film(self, seconds: float, film: str = FILM) -> None:
        self.film(f"currentTime = {seconds}", film)
        self.page.wait_for_function(f"!document.querySelector('{film}').seeking")

    def cursor(self) -> float:
        """Time at which the plot's cursor stands, in seconds."""
        return float(self.page.get_attribute(STAGE, "data-cursor"))

    def value_text(self) -> str:
        return self.page.get_attribute(STAGE, "aria-valuetext")

    def drawn(self, plot: str = "#l2t-plot") -> set[str]:
        """Colours in the plot, each as "red,green,blue"."""
        return set(
            self.page.evaluate(
                """(selector) => {
                    const canvas = document.querySelector(selector);
                    const pen = canvas.getContext('2d'), seen = new Set();
                    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
                    for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
                    return [...seen];
                }""",
                f"{plot} canvas",
            )
        )

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)


@contextlib.contextmanager
def visiting(browser, address: str, width: int = 1280, **context) -> Iterator[Visitor]:
    """A page in a room of its own; afterwards no request may have left the machine."""
    room = browser.new_context(viewport={"width": width, "height": 900}, **context)
    visitor = Visitor(room.new_page(), address)
    yield visitor
    room.close()
    assert visitor.outside == []
    assert visitor.failures == []


def wait_until_free(service, seconds: float) -> None:
    """The service has no job in hand any more, within `seconds`."""
    begun = time.monotonic()
    while service.busy:
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)
