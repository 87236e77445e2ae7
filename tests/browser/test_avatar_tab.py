"""The Avatar tab: film, plot, downloads and the Gaussians at rest; cancel frees the service."""

import base64
import io
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image
from visitor import CHROMIUM, NOTE, QUIET, visiting, wait_until_free

from l2t.avatar import Avatar

pytestmark = pytest.mark.browser
TAB = "#l2t-tabs [role=tab][data-tab-id=avatar]"
FILM = "#l2t-avatar-film video"
CANVAS, TURN = "#l2t-avatar-model canvas", "#l2t-avatar-turn button:has-text('Turn it by hand')"
# WebGL without a graphics card: slow, and so the page needs patience.
WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PATIENCE = 180  # seconds
# Of so many Gaussians one is shown, so much wider: a face still, but little for such a browser.
EVERY, WIDER = 6, 2.5


@pytest.fixture(scope="module")
def filmed(browser, served, voice):
    """A page with a finished film of the avatar."""
    with visiting(browser, served.address, color_scheme="light") as visitor:
        film(visitor, voice)
        yield visitor


def film(visitor, voice):
    """Films the avatar from 20 degrees aside, and holds the film."""
    visitor.page.wait_for_selector("#l2t-weights:has-text('Test double')")
    visitor.page.click(TAB)
    visitor.page.fill("#l2t-azimuth input[type=number]", "20")
    visitor.page.keyboard.press("Tab")
    visitor.upload(voice)
    visitor.wait_until_ready()
    visitor.page.click("#l2t-avatar")
    visitor.wait_for_film(FILM, "#l2t-avatar")
    visitor.film("pause()", FILM)


@pytest.fixture
def head(served, monkeypatch):
    """The service hands out the real head's Gaussians, fewer and therefore wider."""
    avatar = Avatar.load()
    arrays = {f.name: getattr(avatar.gaussians, f.name)[::EVERY]
              for f in fields(avatar.gaussians)}
    arrays["scale_log"] = arrays["scale_log"] + np.float32(np.log(WIDER))
    fewer = replace(avatar, gaussians=replace(avatar.gaussians, **arrays))

    def write_splats(folder):
        return (fewer.write_ply(folder / "learn2talk-avatar.ply"),
                fewer.write_splat(folder / "learn2talk-avatar.splat"))  # fmt: skip

    monkeypatch.setattr(served.face, "write_splats", write_splats)


@pytest.fixture
def drawing(browser):
    """A browser that draws in three dimensions, on the processor."""
    made = browser.browser_type.launch(executable_path=CHROMIUM, args=QUIET + WEBGL)
    yield made
    made.close()


def seen(page) -> np.ndarray:
    """(n, 3) colours of the canvas as a person sees it, without waiting for the page to rest."""
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "png"})
    session.detach()
    window = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB"))
    left, top, right, bottom = page.evaluate(f"""() => {{
        const at = document.querySelector('{CANVAS}').getBoundingClientRect();
        return [at.left + 10, at.top + 40, at.right - 50, at.bottom - 20].map(Math.round);
    }}""")
    return window[max(0, top) : bottom, left:right].reshape(-1, 3).astype(int)


def test_the_film_stands_beside_its_plot_and_the_gaussians(filmed):
    assert "Gaussian head · Calm · 20° round, 0° up · 512 px" in filmed.text("#l2t-avatar-caption")
    assert "0 ms" in filmed.text("#l2t-avatar-plot .l2t-readings")
    filmed.seek_film(0.5, FILM)
    cursor = filmed.page.get_attribute("#l2t-avatar-plot .l2t-stage", "data-cursor")
    assert float(cursor) == pytest.approx(0.5)


def test_a_head_is_seen_when_it_is_turned_by_hand(drawing, served, voice, head):
    """Skin and hair, not one colour: a canvas alone may stay black."""
    with visiting(drawing, served.address, color_scheme="light") as visitor:
        visitor.page.set_default_timeout(1000 * PATIENCE)
        film(visitor, voice)
        visitor.page.click(TURN)
        visitor.page.wait_for_selector(CANVAS)
        visitor.page.evaluate(f"document.querySelector('{CANVAS}').scrollIntoView()")
        end, skin, hair = time.monotonic() + PATIENCE, 0.0, 0.0
        while not (skin > 0.05 and hair > 0.03):
            assert time.monotonic() < end, f"skin {skin:.3f}, hair {hair:.3f} of the canvas"
            red, green, blue = seen(visitor.page).T
            skin = np.mean((red > 130) & (red > green + 15) & (green > blue))
            hair = np.mean((red > 25) & (red < 110) & (red > green + 8) & (green > blue))


def test_what_the_avatar_does_not_have_is_not_offered(filmed):
    page = filmed.page
    assert not page.is_visible("#l2t-identity")
    assert not page.is_visible("#l2t-view")
    assert not page.is_visible("#l2t-make")
    assert page.is_visible("#l2t-style")


def test_motion_and_gaussians_can_be_taken_along(filmed):
    names, files = [], []
    for label in ("Motion (npz)", "Gaussians (ply)", "Gaussians (splat)"):
        with filmed.page.expect_download() as download:
            filmed.page.locator(f"button:visible:has-text('{label}')").click()
        names.append(download.value.suggested_filename)
        files.append(download.value.path())
    assert names[1:] == ["learn2talk-avatar.ply", "learn2talk-avatar.splat"]
    with np.load(files[0]) as motion:
        assert np.allclose(motion["head"], [0.01, 0, 0])  # the head moves unless told otherwise


def test_a_cancel_frees_the_service(visit, served, voice):
    visitor = visit()
    visitor.page.click(TAB)
    visitor.upload(voice)
    visitor.wait_until_ready()
    served.face.pause = 0.2
    visitor.page.click("#l2t-avatar")
    visitor.page.wait_for_selector(".l2t-current:has-text('Moving the face')")
    visitor.page.click("#l2t-cancel")
    wait_until_free(served.service, 1.5)
    visitor.page.wait_for_selector(f"{NOTE}:has-text('Cancelled')")
    visitor.page.wait_for_selector("#l2t-avatar", state="visible")
