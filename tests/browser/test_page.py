"""The page as a visitor meets it: recording, take, plot, seek, cancel, refusals, small screens."""

import numpy as np
import pytest
import soundfile
from served import write_voice
from visitor import ALERT, CHROMIUM, NOTE, QUIET, STAGE, Visitor, wait_until_free

pytestmark = pytest.mark.browser
FRAME = 1 / 30  # s


def close(a: float, b: float, within: float = FRAME) -> bool:
    return abs(a - b) <= within


# -- making a take


def test_an_upload_becomes_a_film_that_plays_beside_its_plot(visit, served, voice):
    visitor = visit()
    visitor.take(voice)
    assert visitor.film("readyState") == 4
    assert visitor.film("videoWidth") == 512
    visitor.film("play()")
    visitor.page.wait_for_function("document.querySelector('#l2t-film video').currentTime > 0.3")
    assert visitor.film("error") is None
    assert "Old male · Calm · front · 512 px" in visitor.text("#l2t-caption")
    assert "0 ms" in visitor.text(".l2t-readings")
    assert "in step" in visitor.text(".l2t-summary")
    assert not any(served.service.runs.iterdir())  # the job's own folder is gone


def test_the_choices_reach_the_film_and_the_downloads_its_motion(visit, voice, tmp_path):
    visitor = visit()
    visitor.page.click("label:has-text('Side')")
    visitor.page.click("#l2t-identity input")
    visitor.page.click("[role=option]:has-text('Old female')")
    visitor.take(voice)
    assert "Old female · Calm · side" in visitor.text("#l2t-caption")
    with visitor.page.expect_download() as download:
        visitor.page.click("text=Motion (npz)")
    with np.load(download.value.path()) as motion:
        assert motion["arkit"].shape == (60, 52)


def test_the_head_moves_as_the_controls_say(visit, voice):
    visitor = visit()
    visitor.page.wait_for_selector("#l2t-weights:has-text('Test double')")
    visitor.page.click("button:has-text('More')")
    assert visitor.page.input_value("#l2t-head-movement input[type=number]") == "1"
    visitor.page.fill("#l2t-head-movement input[type=number]", "2")
    visitor.page.fill("#l2t-seed input", "7")
    visitor.page.keyboard.press("Tab")
    visitor.take(voice)
    with visitor.page.expect_download() as download:
        visitor.page.click("text=Motion (npz)")
    with np.load(download.value.path()) as motion:
        assert np.allclose(motion["head"], [0.02, 0.007, 0])


def test_an_example_brings_its_recording_and_its_credit(visit):
    visitor = visit()
    visitor.page.click("#l2t-examples button:has-text('Dutch')")
    visitor.wait_until_ready()
    assert "4.3 seconds" in visitor.text(NOTE)
    assert "CC0 1.0" in visitor.text("#l2t-credit")


def test_a_microphone_recording_becomes_a_film(browser, served, voice):
    fake = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}%noloop",
    ]
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=QUIET + fake)
    try:
        room = own.new_context(permissions=["microphone"])
        visitor = Visitor(room.new_page(), served.address)
        visitor.page.click("#l2t-recording button[aria-label='Record audio']")
        visitor.page.click("#l2t-recording .record-button")
        visitor.page.wait_for_timeout(1500)
        visitor.page.locator("#l2t-recording .stop-button:visible").first.click()
        visitor.wait_until_ready()
        visitor.make()
        visitor.wait_for_film()
        assert visitor.film("duration") > 0.9
        assert visitor.outside == []
    finally:
        own.close()


def test_silence_gives_a_still_face_and_no_number(visit, tmp_path):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16_000, np.float32), 16_000)
    visitor = visit()
    visitor.take(silent)
    assert "No speech found" in visitor.text(".l2t-notice")
    assert "not defined" in visitor.text(".l2t-readings")
    assert "NaN" not in visitor.text("#l2t-plot")


# -- the plot and the film


def test_the_cursor_keeps_step_with_the_playing_film(taken):
    taken.seek_film(0)
    gaps = taken.page.evaluate(
        """() => new Promise((done) => {
            const film = document.querySelector('#l2t-film video'), gaps = [];
            const stage = document.querySelector('#l2t-plot .l2t-stage');
            const look = () => {
                gaps.push(Math.abs(Number(stage.dataset.cursor) - film.currentTime));
                if (film.currentTime > 1.2 || film.ended) done(gaps);
                else requestAnimationFrame(look);
            };
            film.play().then(() => setTimeout(look, 100));
        })"""
    )
    taken.film("pause()")
    assert len(gaps) > 5
    assert np.percentile(gaps, 95) <= FRAME


def test_a_click_on_the_plot_seeks_the_film(taken):
    box = taken.page.locator(STAGE).bounding_box()
    left, right = 30, 10  # px beside the drawing
    middle = box["x"] + left + (box["width"] - left - right) / 2
    taken.page.mouse.click(middle, box["y"] + 60)
    taken.page.wait_for_function("document.querySelector('#l2t-film video').currentTime > 0.5")
    assert close(taken.film("currentTime"), 1.0, 2 * FRAME)
    taken.page.mouse.move(middle, box["y"] + 60)
    taken.page.mouse.down()
    taken.page.mouse.move(box["x"] + left + 2, box["y"] + 60, steps=4)
    taken.page.mouse.up()
    taken.page.wait_for_function("document.querySelector('#l2t-film video').currentTime < 0.1")


def test_the_keyboard_moves_by_frames_tenths_and_to_the_ends(taken):
    stage = taken.page.locator(STAGE)
    stage.focus()
    assert stage.get_attribute("role") == "slider"

    def press(key: str) -> float:
        stage.press(key)
        taken.page.wait_for_function("!document.querySelector('#l2t-film video').seeking")
        return taken.film("currentTime")

    start = press("Home")
    assert start < FRAME
    assert close(press("ArrowRight"), start + FRAME, 0.002)
    assert close(press("Shift+ArrowRight"), start + FRAME + 0.1, 0.002)
    assert close(press("ArrowLeft"), start + 0.1, 0.002)
    assert press("End") > 1.9
    taken.page.wait_for_selector(f"{STAGE}[aria-valuetext*='silence']")
    assert "of 2.00 seconds" in taken.value_text()
    assert close(taken.cursor(), taken.film("currentTime"))


def test_the_plot_is_drawn_and_follows_the_dark_theme(taken):
    light = taken.drawn()
    assert len(light) > 20
    taken.page.evaluate("document.body.classList.add('dark')")
    taken.page.wait_for_timeout(200)
    assert "22,32,46" in light  # the cursor's ink
    assert "22,32,46" not in taken.drawn()


# -- what can go wrong


def test_a_renamed_text_is_refused_and_the_earlier_take_stays(visit, voice, tmp_path):
    text = tmp_path / "<img src=x onerror=alert(1)>.wav"
    text.write_text("no sound at all\n" * 99)
    visitor = visit()
    visitor.take(voice)
    visitor.clear()
    visitor.upload(text)
    visitor.page.wait_for_selector(ALERT)
    assert "accepted" in visitor.text(ALERT)
    visitor.make()
    visitor.page.wait_for_timeout(500)
    visitor.page.wait_for_selector(ALERT)
    assert visitor.film("readyState") == 4
    assert "voice · Old male" in visitor.text("#l2t-caption")


def test_a_new_recording_blanks_the_stage(visit, voice, tmp_path):
    visitor = visit()
    visitor.take(voice)
    visitor.clear()
    visitor.upload(write_voice(tmp_path / "other.wav", 1.0))
    visitor.wait_until_ready()
    visitor.page.wait_for_selector("#l2t-film video", state="detached")
    assert visitor.text("#l2t-caption .l2t-line") == ""
    assert visitor.page.get_attribute(STAGE, "tabindex") == "-1"
    assert visitor.page.locator("text=Motion (npz)").count() == 0


def test_the_button_without_a_recording_says_what_is_missing(visit):
    visitor = visit()
    visitor.make()
    visitor.page.wait_for_selector(ALERT)
    assert "no recording yet" in visitor.text(ALERT)


def test_cancel_stops_the_work_at_once_and_the_next_take_works(visit, served, voice):
    visitor = visit()
    served.face.pause = 0.2
    visitor.upload(voice)
    visitor.wait_until_ready()
    visitor.make()
    visitor.page.wait_for_selector(".l2t-current:has-text('Moving the face')")
    visitor.page.click("#l2t-cancel")
    wait_until_free(served.service, 1.5)
    visitor.page.wait_for_selector(f"{NOTE}:has-text('Cancelled')")
    served.face.pause = 0.0
    visitor.make()
    visitor.wait_for_film()


def test_a_closed_tab_frees_the_service(visit, served, voice):
    visitor = visit()
    served.face.pause = 0.3
    visitor.upload(voice)
    visitor.wait_until_ready()
    visitor.make()
    visitor.page.wait_for_selector(".l2t-current")
    visitor.page.close()
    wait_until_free(served.service, 4.0)


# -- everywhere


def test_a_phone_needs_no_sideways_scrolling(taken):
    taken.page.set_viewport_size({"width": 390, "height": 844})
    try:
        wide, screen = taken.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        stage = taken.page.locator(STAGE).bounding_box()
    finally:
        taken.page.set_viewport_size({"width": 1280, "height": 900})
    assert wide <= screen == 390
    assert stage["width"] > 280
    assert 0 <= stage["x"] <= stage["x"] + stage["width"] <= 390


def test_the_description_of_the_api_asks_nobody_outside_either(visit):
    visitor = visit()
    visitor.page.click("footer .show-api")
    visitor.page.wait_for_selector("text=/animate")
    visitor.page.wait_for_timeout(500)
    assert visitor.outside == []


def test_the_foot_says_which_weights_are_active_and_where_they_run(taken):
    taken.page.wait_for_selector("#l2t-weights:has-text('Test double, not trained')")
    assert "cpu" in taken.text("#l2t-weights")
    assert "a test renderer" in taken.text("#l2t-weights")
