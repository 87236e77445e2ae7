"""Script in names and transcripts stays text; what gets into the page all the same does not run."""

import json
import shutil

import pytest
from visitor import CHROMIUM, COMPARE, FILM, QUIET, visiting

pytestmark = pytest.mark.browser
READ = "#l2t-tabs [role=tab][data-tab-id=read]"
AVATAR = "#l2t-tabs [role=tab][data-tab-id=avatar]"
TOAST = ".toast-body, [data-testid=toast-body]"
CODE = '<img src=x onerror="window.stolen=1"><script>window.stolen=1</script>'
# Counts what the page's own policy forbids it, from the first script on.
WATCH = """window.forbidden = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.forbidden.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""
# Ways in which text becomes script once it is in the document.
INSERT = """async () => {
  window.ran = [];
  const put = (html) => document.body.insertAdjacentHTML('beforeend', html);
  put(`<img src=x onerror="window.ran.push('onerror')">`);
  put(`<svg onload="window.ran.push('onload')"></svg>`);
  put(`<a href="javascript:window.ran.push('href')" id=way-in>x</a>`);
  put(`<iframe srcdoc="<script>parent.ran.push('srcdoc')</script>"></iframe>`);
  document.getElementById('way-in').click();
  const script = document.createElement('script');
  script.textContent = "window.ran.push('inline')";
  document.head.append(script);
  const far = document.createElement('script');
  far.src = 'http://127.0.0.1:1/far.js';
  far.onerror = () => window.ran.push('refused');
  document.head.append(far);
  const said = [];
  for (const address of ['http://127.0.0.1:1/', 'https://example.com/'])
    await fetch(address).then(() => said.push(address), () => {});
  await new Promise((done) => setTimeout(done, 700));
  return [...window.ran, ...said];
}"""




@pytest.fixture
def visitor(browser, served):
    with visiting(browser, served.address) as made:
        made.page.add_init_script(WATCH)
        made.page.goto(served.address)
        made.page.wait_for_selector("#l2t-make")
        yield made


def stolen(visitor) -> object:
    return visitor.page.evaluate("window.stolen")


NAMES = [
    "img src=x onerror=window.stolen=1.wav", "&lt;img src=x onerror=window.stolen=1&gt;.wav",
    "<img src=x onerror=window.stolen=1>.wav", "javascript:window.stolen=1.wav",
    '"><svg onload=window.stolen=1>.wav', "{{constructor.constructor('window.stolen=1')()}}.wav",
    "${window.stolen=1}.wav", "\u202egnp.wav",
]  # fmt: skip


def test_the_name_of_a_recording_is_text(visitor, voice, tmp_path):
    for name in NAMES:
        recording = shutil.copy(voice, tmp_path / name.replace("/", "_"))
        visitor.take(recording)
        assert stolen(visitor) is None, name
        assert visitor.page.locator("#l2t-caption img, #l2t-caption svg").count() == 0
        visitor.clear()


def test_what_is_really_said_is_text(visitor, voice):
    visitor.page.click(READ)
    visitor.upload(voice)
    visitor.wait_until_ready()
    visitor.page.fill("#l2t-said textarea, #l2t-said input", f"bin {CODE} blue")
    visitor.page.click("#l2t-read")
    visitor.page.wait_for_selector("#l2t-timeline .l2t-word")
    assert "<img src=x onerror" in visitor.text("#l2t-timeline .l2t-said")
    assert visitor.page.locator("#l2t-timeline img, #l2t-timeline script").count() == 0
    assert stolen(visitor) is None


def test_a_refusal_that_repeats_a_visitors_words_is_text(visitor, voice):
    """An order with a made-up identity, as a page that was tampered with would send it."""
    visitor.upload(voice)
    visitor.wait_until_ready()
    code = json.dumps(CODE)[1:-1]

    def tamper(route) -> None:
        route.continue_(post_data=(route.request.post_data or "").replace("old-male", code))

    visitor.page.route("**/queue/join*", tamper)
    visitor.make()
    visitor.page.wait_for_selector(TOAST)
    assert "is not in the list" in visitor.text(TOAST)
    assert visitor.page.locator("[onerror], [onload]").count() == 0
    assert visitor.page.locator(TOAST).locator("script").count() == 0
    assert stolen(visitor) is None


def test_what_gets_into_the_page_all_the_same_does_not_run(visitor):
    assert visitor.page.evaluate(INSERT) == ["refused"]
    kinds = {told.split()[0] for told in visitor.page.evaluate("window.forbidden")}
    assert {"script-src-attr", "script-src-elem", "connect-src"} <= kinds
    visitor.outside.clear()  # asked for by this test alone, and not sent


def test_the_page_itself_does_nothing_that_its_policy_forbids(browser, served, voice):
    """Every tab, film and plot, the list of the API; the viewer under the same policy is in
    test_avatar_tab."""
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=QUIET)
    try:
        with visiting(own, served.address) as visitor:
            page = visitor.page
            page.add_init_script(WATCH)
            page.goto(served.address)
            visitor.take(voice)
            page.evaluate(f"document.querySelector('{FILM}').play()")
            page.click(COMPARE)
            page.click("#l2t-compare")
            visitor.wait_for_film("#l2t-pair-film video", "#l2t-compare")
            page.click(READ)
            page.click("#l2t-hear")
            page.wait_for_selector("#l2t-heard audio, #l2t-heard [data-testid=waveform-Waveform]",
                                   state="attached")  # fmt: skip
            page.click("#l2t-read")
            page.wait_for_selector("#l2t-timeline .l2t-word")
            page.click(AVATAR)
            page.click("#l2t-avatar")
            visitor.wait_for_film("#l2t-avatar-film video", "#l2t-avatar")
            page.click("footer button:has-text('API')")
            page.wait_for_selector("text=/animate_head")
            page.wait_for_timeout(500)
            assert page.evaluate("window.forbidden") == []
    finally:
        own.close()
