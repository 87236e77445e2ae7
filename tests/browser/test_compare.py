"""The Compare tab: two heads in one film and in step, two curves in one plot, on any screen."""

import pytest
from visitor import ALERT, COMPARE, NOTE, PAIR, visiting, wait_until_free

pytestmark = pytest.mark.browser

# Mean grey of the left and of the right head as a film of the test double shows them.
GREYS = """(side) => {
    const film = document.querySelector('#l2t-pair-film video');
    const second = document.querySelector('canvas.l2t-second');
    const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    const grey = (source, x, wide) => {
        canvas.width = canvas.height = 1;
        pen.drawImage(source, x, 0, wide, wide, 0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data[0];
    };
    const high = film.videoHeight;
    return { left: grey(film, 0, high), right: grey(film, film.videoWidth - high, high),
             copy: second.clientWidth ? grey(second, 0, high) : null };
}"""


@pytest.fixture(scope="module")
def compared(browser, served, voice):
    """A page with a finished comparison, for tests that only look at it and move in it."""
    with visiting(browser, served.address, color_scheme="light") as visitor:
        visitor.compare(voice)
        yield visitor


def test_both_heads_are_in_one_film_with_both_curves_in_one_plot(compared):
    page = compared.page
    assert compared.film("videoWidth", PAIR) == 2 * compared.film("videoHeight", PAIR)
    caption = compared.text("#l2t-pair-caption")
    assert "Left: Default; right: Reconstruction only. Weights: Test double" in caption
    plot = "#l2t-pair-plot"
    assert page.locator(f"{plot} .l2t-legend li").all_inner_texts()[:2] == [
        "Default", "Reconstruction only",
    ]  # fmt: skip
    scores = page.locator(f"{plot} .l2t-scores section").all_inner_texts()
    for text, name in zip(scores, ("Default", "Reconstruction only"), strict=True):
        assert text.startswith(name)
        assert all(word in text for word in ("0 ms", "LSE-D", "6.50", "LSE-C", "7.25"))
    assert {"15,118,110", "194,65,12"} <= compared.drawn(plot)  # teal and orange


def test_seeking_moves_both_heads_and_the_cursor_to_the_same_frame(compared):
    stage = "#l2t-pair-plot .l2t-stage"
    for seconds in (0.05, 0.55, 1.05):
        compared.seek_film(seconds, PAIR)
        greys = compared.page.evaluate(GREYS)
        # The double's right mouth opens half as far as its left one in the same frame.
        assert greys["right"] - 60 == pytest.approx((greys["left"] - 60) / 2, abs=6)
        assert float(compared.page.get_attribute(stage, "data-cursor")) == pytest.approx(seconds)
    assert "|" in compared.text("#l2t-pair-plot .l2t-now")


def test_on_a_phone_the_heads_stand_below_each_other_and_show_the_same_frame(compared):
    page = compared.page
    page.set_viewport_size({"width": 375, "height": 800})
    try:
        compared.seek_film(0.55, PAIR)
        page.wait_for_function("document.querySelector('canvas.l2t-second').clientWidth > 280")
        first = page.locator(PAIR).bounding_box()
        second = page.locator("canvas.l2t-second").bounding_box()
        greys = page.evaluate(GREYS)
        wide = page.evaluate("document.documentElement.scrollWidth")
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})
    assert first["width"] == pytest.approx(first["height"], abs=2)  # cut to the left head
    assert second["y"] >= first["y"] + first["height"]
    assert greys["copy"] == pytest.approx(greys["right"], abs=2) != greys["left"]
    assert wide <= 375


def test_every_file_of_both_can_be_taken_along(compared):
    page = compared.page
    names = []
    for button in page.locator(".l2t-saves button:has-text('npz')").all():
        with page.expect_download() as download:
            button.click()
        names.append(download.value.suggested_filename)
    assert names == ["learn2talk-default-motion.npz", "learn2talk-reconstruction-motion.npz"]
    assert page.locator(".l2t-saves button:visible").count() == 6


def test_leaving_the_tab_stops_its_sound_and_keeps_its_film(compared):
    compared.seek_film(0, PAIR)
    compared.film("play()", PAIR)
    compared.page.click("#l2t-tabs [role=tab][data-tab-id=talk]")
    compared.page.wait_for_function(f"document.querySelector('{PAIR}').paused")
    assert not compared.page.is_visible("#l2t-compare")
    compared.page.click(COMPARE)
    assert compared.page.is_visible(PAIR)
    assert not compared.page.is_visible("#l2t-make")


def test_twice_the_same_variant_is_refused_and_a_cancel_frees_the_service(visit, served, voice):
    visitor = visit()
    visitor.page.click(COMPARE)
    visitor.upload(voice)
    visitor.wait_until_ready()
    visitor.page.click("#l2t-right input")
    visitor.page.click("[role=option]:has-text('Default')")
    visitor.page.click("#l2t-compare")
    visitor.page.wait_for_selector(ALERT)
    assert "cannot be compared with itself" in visitor.text(ALERT)
    visitor.page.click("#l2t-right input")
    visitor.page.click("[role=option]:has-text('Full')")
    visitor.page.wait_for_selector("#l2t-what:has-text('the sync expert and the lip reader')")
    served.face.pause = 0.2
    visitor.page.click("#l2t-compare")
    visitor.page.wait_for_selector(".l2t-current:has-text('Moving the face')")
    visitor.page.click("#l2t-cancel")
    wait_until_free(served.service, 1.5)
    visitor.page.wait_for_selector(f"{NOTE}:has-text('Cancelled')")
    visitor.page.wait_for_selector("#l2t-compare", state="visible")
