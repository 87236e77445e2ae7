"""The tab Read lips: a GRID clip to try, its noisy sound, three transcripts, refusals."""

import pytest
from visitor import ALERT, NOTE

pytestmark = pytest.mark.browser
TAB = "#l2t-tabs [role=tab][data-tab-id=read]"


def test_a_clip_is_read_by_ear_by_eye_and_by_both(visit):
    visitor = visit()
    page = visitor.page
    page.click(TAB)
    assert page.is_hidden("#l2t-make")
    page.click("#l2t-read")
    assert "no recording yet" in visitor.text(ALERT)
    page.click("#l2t-lip-clips button, #l2t-lip-clips td >> nth=0")
    page.wait_for_selector(f"{NOTE}:has-text('3.0 seconds of sound')")
    assert page.input_value("#l2t-said textarea, #l2t-said input") == "lay blue at d six now"
    assert "CC BY 4.0" in visitor.text("#l2t-lip-credit")
    page.click("#l2t-hear")
    page.wait_for_selector("#l2t-heard audio, #l2t-heard [data-testid=waveform-Waveform]",
                           state="attached")  # fmt: skip
    page.click("#l2t-read")
    page.wait_for_selector("#l2t-timeline .l2t-word")
    rows = page.locator("#l2t-timeline section").all_inner_texts()
    assert [row.split("\n")[0] for row in rows] == ["Sound alone", "Lips alone", "Sound and lips"]
    assert "bin blue" in rows[2]
    assert page.locator("#l2t-timeline .l2t-wrong").count() == 3
    assert "lay blue at d six now" in visitor.text("#l2t-timeline")
    assert "the film's lips" in visitor.text("#l2t-lips-caption")
    assert "Whisper" in visitor.text("#l2t-lips-free")
    page.wait_for_function("document.querySelector('#l2t-lips-film video').readyState > 0")
    assert page.is_visible("#l2t-read")
    page.click("#l2t-tabs [role=tab][data-tab-id=talk]")
    assert page.is_hidden("#l2t-timeline")
    assert page.is_visible("#l2t-make")
