"""The Avatar tab: film, plot, downloads and the Gaussians at rest; cancel frees the service."""

import numpy as np
import pytest
from visitor import NOTE, visiting, wait_until_free

pytestmark = pytest.mark.browser
TAB = "#l2t-tabs [role=tab][data-tab-id=avatar]"
FILM = "#l2t-avatar-film video"


@pytest.fixture(scope="module")
def filmed(browser, served, voice):
    """A page with a finished film of the avatar."""
    with visiting(browser, served.address, color_scheme="light") as visitor:
        visitor.page.wait_for_selector("#l2t-weights:has-text('Test double')")
        visitor.page.click(TAB)
        visitor.page.fill("#l2t-azimuth input[type=number]", "20")
        visitor.page.keyboard.press("Tab")
        visitor.upload(voice)
        visitor.wait_until_ready()
        visitor.page.click("#l2t-avatar")
        visitor.wait_for_film(FILM, "#l2t-avatar")
        visitor.film("pause()", FILM)
        yield visitor


def test_the_film_stands_beside_its_plot_and_the_gaussians(filmed):
    assert "Gaussian head · Calm · 20° round, 0° up · 512 px" in filmed.text("#l2t-avatar-caption")
    assert "0 ms" in filmed.text("#l2t-avatar-plot .l2t-readings")
    filmed.seek_film(0.5, FILM)
    cursor = filmed.page.get_attribute("#l2t-avatar-plot .l2t-stage", "data-cursor")
    assert float(cursor) == pytest.approx(0.5)
    filmed.page.click("#l2t-avatar-turn button:has-text('Turn it by hand')")
    filmed.page.wait_for_selector("#l2t-avatar-model canvas")
    filmed.page.click("#l2t-avatar-turn button:has-text('Turn it by hand')")


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
