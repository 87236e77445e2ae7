"""Nobody reads a file of the server or makes it fetch one: traversal, links, addresses."""

import os
from pathlib import Path

import pytest
from attacker import API, META, REPOSITORY, file, harmless

PASSWD = b"root:x:0:0"
EXAMPLES = f"{REPOSITORY}/assets/examples"
REST = ["", "", "front", 256]  # what /animate takes besides the recording

TRAVERSALS = [
    "/etc/passwd", "//etc/passwd", "../../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd", "..%2f..%2f..%2fetc%2fpasswd", "/etc/passwd%00.mp4",
    "/etc/passwd%2500", "\\\\127.0.0.1\\share", "%5c%5c127.0.0.1%5cshare", "file:///etc/passwd",
    "/proc/self/environ", "/proc/self/cmdline", "/proc/self/root/etc/passwd", "/dev/zero", "..",
    f"{REPOSITORY}/app.py", f"{REPOSITORY}/.git/config", f"{EXAMPLES}/../../app.py", "{cache}",
    "{cache}/../../../../../../etc/passwd", "{cache}/%2e%2e/%2e%2e/log", "{cache}/../log",
    "C:/Windows/win.ini",
]  # fmt: skip


def served_paths() -> list[str]:
    """Every traversal through every route that takes a path."""
    prefixes = (f"{API}/file=", f"{API}/file/", "/static/", "/assets/", "/svelte/", f"{API}/proxy=",
                f"{API}/custom_component/a/client/", f"{API}/stream/", "/")  # fmt: skip
    return [prefix + path for prefix in prefixes for path in TRAVERSALS]


def test_no_route_gives_a_file_of_the_server(attacker):
    for path in served_paths():
        answer = attacker.get(path.format(cache=attacker.cache))
        assert 400 <= answer.status < 500, path
        assert PASSWD not in answer.body, path
        assert b"import " not in answer.body, path
        asked = path.format(cache=attacker.cache)
        told = answer.text.replace("\\\\", "\\")
        for piece in (asked, asked.partition("=")[2]):  # Gradio repeats what it was asked for
            told = told.replace(piece, "") if piece else told
        if not path.startswith(f"{API}/file="):
            assert harmless(told), path


def test_a_link_in_the_cache_is_no_way_out_of_it(attacker):
    """Nothing that a visitor sends makes one; should there be one, it is not followed."""
    link = attacker.cache / "linked" / "secret.mp4"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/etc/passwd")
    try:
        assert PASSWD not in attacker.get(f"{API}/file={link}").body
        kind, told = attacker.call("animate", [file(str(link)), *REST])
        assert kind == "error"
        assert "root" not in str(told)
    finally:
        link.unlink()


LOCAL = {
    "a file of the system": file("/etc/passwd"),
    "without its mark": {"path": "/etc/passwd"},
    "with a wrong mark": {"path": "/etc/passwd", "meta": {"_type": "x"}},
    "as a stream": file("/etc/passwd", is_stream=True),
    "a recording of the server": file(f"{EXAMPLES}/examples.json"),
    "the environment": file("/proc/self/environ"),
    "an endless device": file("/dev/zero"),
    "out of the cache": file("{cache}/../log"),
    "the cache itself": file("{cache}"),
    "with a null byte": file("{cache}/x\0.wav"),
    "a plain text": "/etc/passwd",
    "a list": [file("/etc/passwd")],
    "one inside the other": {"path": file("/etc/passwd"), "meta": META},
    "a number": 7,
    "a path that is a number": file(7),
    "very long": file("/" + "a/" * 3000),
}


@pytest.mark.parametrize("what", LOCAL)
@pytest.mark.parametrize("endpoint", ["animate", "read_lips"])
def test_no_file_of_the_server_is_taken_as_an_upload(attacker, uploaded, what, endpoint):
    sent = _filled(LOCAL[what], str(attacker.cache))
    data = [sent, *REST] if endpoint == "animate" else [file(uploaded), sent, "none", 0, "grid"]
    kind, told = attacker.call(endpoint, data)
    assert kind in ("error", "refused")
    assert told
    assert harmless(told)


def _filled(value, cache: str):
    if isinstance(value, str):
        return value.replace("{cache}", cache)
    if isinstance(value, list):
        return [_filled(each, cache) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, cache) for name, each in value.items()}
    return value


ADDRESSES = [
    "http://127.0.0.1:{port}/a.wav", "http://localhost:{port}/a.wav", "http://[::1]:{port}/a.wav",
    "http://0.0.0.0:{port}/a.wav", "http://0:{port}/", "http://2130706433:{port}/a.wav",
    "http://127.1:{port}/a", "http://0x7f.1:{port}/a", "HTTP://127.0.0.1:{port}/a.wav",
    " http://127.0.0.1:{port}/a.wav", "\thttp://127.0.0.1:{port}/a.wav",
    "//127.0.0.1:{port}/a.wav", "\\\\127.0.0.1:{port}\\a.wav", "http://user@127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/a", "ftp://127.0.0.1:{port}/a.wav", "file:///etc/passwd",
    "concat:http://127.0.0.1:{port}/a.wav", "tcp://127.0.0.1:{port}", "data:audio/wav;base64,AAAA",
]  # fmt: skip


@pytest.mark.parametrize("form", ["path", "stream", "url", "bare"])
def test_no_input_makes_the_server_ask_an_address(attacker, canary, uploaded, form):
    for address in ADDRESSES:
        address = address.format(port=canary.port)
        sent = {
            "path": file(address),
            "stream": file(address, is_stream=True),
            "url": file("", url=address),
            "bare": {"path": address, "url": address},
        }[form]
        for endpoint, data in (
            ("animate", [sent, *REST]),
            ("avatar", [sent, "", 0, 0, 256, 0, -1]),
            ("compare", [sent, "full", "reconstruction", *REST]),
            ("read_lips", [file(uploaded), sent, "none", 0, "grid"]),
        ):
            kind, told = attacker.call(endpoint, data)
            assert kind in ("error", "refused"), (address, endpoint)
            assert harmless(told)


def test_no_route_makes_the_server_ask_an_address(attacker, canary):
    for address in ADDRESSES:
        address = address.format(port=canary.port).strip()
        for route in (f"{API}/file=", f"{API}/file/", f"{API}/proxy=", f"{API}/stream/"):
            assert 400 <= attacker.get(route + address).status < 500, route + address


def test_addresses_outside_are_not_fetched_for_others_either(attacker):
    """Without the guard Gradio fetches any public address and hands it on: an open proxy."""
    for address in ("http://example.com/", "https://huggingface.co/", "http%3A%2F%2Fexample.com/x"):
        answer = attacker.get(f"{API}/file={address}")
        assert answer.status == 404, address
        kind, told = attacker.call("animate", [file(address.replace("%3A%2F%2F", "://")), *REST])
        assert (kind, "addresses are not read" in str(told)) == ("refused", True)


def test_the_address_beside_a_sound_path_is_ignored(attacker, canary, uploaded):
    sent = file(uploaded, url=f"http://127.0.0.1:{canary.port}/a.wav")
    assert attacker.call("animate", [sent, *REST])[0] == "complete"


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "text.xml", "code.js", "notes.txt",
                                  "data.json", "style.css", "none"])  # fmt: skip
def test_an_upload_that_is_no_media_is_saved_and_not_shown(attacker, name):
    path = attacker.upload(name.encode(), b"<script>alert(1)</script>" + os.urandom(8))
    answer = attacker.get(f"{API}/file={path}")
    assert answer.status == 200
    assert "content-disposition: attachment" in answer.head
    assert "x-content-type-options: nosniff" in answer.head
    assert "content-security-policy: sandbox; default-src 'none'" in answer.head
    assert "text/html" not in answer.head


def test_a_range_brings_back_its_part_and_none_of_the_requests_headers(attacker, uploaded):
    whole = Path(uploaded).read_bytes()
    asked = ("Range: bytes=10-19", "Cookie: session=canary", "X-Evil: 1", "Set-Cookie: a=b")
    answer = attacker.get(f"{API}/file={uploaded}", *asked)
    assert answer.status == 206
    assert answer.body == whole[10:20]
    assert not {"canary", "x-evil", "set-cookie"} & set(answer.head.replace("=", ":").split())
    assert "canary" not in answer.head
    assert "x-evil" not in answer.head


@pytest.mark.parametrize("span", ["bytes=0-1-2", "bytes=5-1", "bytes=-1", "bytes=99999999999-",
                                  "bytes=0-99999999999999999999", "bytes=a-b", "bytes=²-³",
                                  "bytes=" + "0-0," * 400, "lines=1-2"])  # fmt: skip
def test_a_wrong_range_is_answered_without_a_failure(attacker, uploaded, span):
    answer = attacker.request("GET", f"{API}/file={uploaded}", [f"Range: {span}"])
    assert answer.status in (200, 206, 400, 416)
    assert harmless(answer.text[:2000])
