"""Uploads: names, sizes, numbers, halves, slow ones, and a disk that does not fill."""

import contextlib
import json
import os
import threading
import time
from pathlib import Path, PurePosixPath

import pytest
from attacker import API, chunked, file, harmless, multipart, wait_until

LARGEST = 2_000_000  # bytes, as tests/served.py launches the page
KIND = "Content-Type: multipart/form-data; boundary=B"
CHUNKED = [KIND, "Transfer-Encoding: chunked"]
BEGIN = b'--B\r\nContent-Disposition: form-data; name="files"; filename="half.wav"\r\n\r\n'

NAMES = [
    b"../../../../tmp/evil.wav", b"..\\..\\evil.wav", b"/etc/cron.d/evil", b"C:\\evil.wav", b".",
    b"...", b"", b"   ", b"a\0b.wav", b"a" * 400 + b".wav", b"\xff\xfe.wav", b"con", b"nul.wav",
    b"-rf.wav", b"`id`.wav", b"$(id).wav", b";id;.wav", b"|id", b"\xe2\x80\xaevaw.exe", b"a\rb.wav",
    b"<img src=x onerror=alert(1)>.wav", b"%2e%2e%2f%2e%2e%2fevil", b"a/../../b.wav", b".bashrc",
    b"state.json", b"deep_links", b"\xf0\x9f\x98\x80" * 60, b"x.wav/", b"~root/.ssh/id",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_an_upload_lands_in_a_folder_of_its_own_whatever_it_is_called(attacker, name):
    answer = attacker.post_upload(multipart((name, os.urandom(20))))
    if answer.status == 200:
        path = Path(json.loads(answer.body)[0])
        assert path.resolve().parent.parent == attacker.cache.resolve()
        assert path.is_file()
        assert not path.is_symlink()
    else:
        assert answer.status == 400
        assert harmless(answer.text)
    assert attacker.leftovers() == []


def test_a_file_cannot_be_named_after_the_folder_above(attacker):
    answer = attacker.post_upload(multipart((b"..", os.urandom(20))))
    assert (answer.status, "cannot be named" in answer.text) == (400, True)
    assert attacker.leftovers() == []


def test_an_archive_is_not_unpacked(attacker):
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        link = tarfile.TarInfo("voice.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    path = attacker.upload(b"voice.wav", packed.getvalue())
    kind, told = attacker.call("animate", [file(path), "", "", "front", 256])
    assert (kind, harmless(told)) == ("error", True)
    assert sorted(each.name for each in Path(path).parent.iterdir()) == ["voice.wav"]


@pytest.mark.parametrize("told", ["by its length", "by its length alone", "in chunks"])
def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(attacker, told):
    body = multipart((b"large.wav", bytes(LARGEST + 100_000)))
    if told == "by its length":
        answer = attacker.post_upload(body)
    elif told == "by its length alone":  # no byte of it is waited for
        headers = [KIND, "Content-Length: 99999999999"]
        answer = attacker.request("POST", f"{API}/upload", headers)
    else:
        pieces = chunked(*(body[at : at + 60_000] for at in range(0, len(body), 60_000)))
        answer = attacker.request("POST", f"{API}/upload", CHUNKED, b"".join(pieces) + b"0\r\n\r\n")
    assert answer.status == 413
    assert "too large" in answer.text or "maximum allowed size" in answer.text
    assert harmless(answer.text)
    wait_until(lambda: attacker.leftovers() == [])


def test_many_files_and_large_fields_are_refused_and_leave_nothing(attacker):
    many = multipart(*((b"%d.wav" % i, b"x") for i in range(900)))
    answer = attacker.post_upload(many)
    assert (answer.status, "At most 8 files" in answer.text) == (413, True)
    field = b'--B\r\nContent-Disposition: form-data; name="files"\r\n\r\n' + bytes(900_000)
    answer = attacker.post_upload(field + b"\r\n--B--\r\n")  # it would be gathered in memory
    assert (answer.status, "is made of files" in answer.text) == (400, True)
    both = multipart((b"a.wav", b"x")).removesuffix(b"--B--\r\n") + field + b"\r\n--B--\r\n"
    assert attacker.post_upload(both).status == 400
    wait_until(lambda: attacker.leftovers() == [])


BROKEN = {
    "garbage": (b"garbage" * 9, KIND),
    "empty": (b"", KIND),
    "no end": (BEGIN + b"x", KIND),
    "many heads": (b"--B\r\n" + b"A: b\r\n" * 900 + b"\r\nx\r\n--B--\r\n", KIND),
    "a long head": (b"--B\r\nA: " + b"b" * 90_000 + b"\r\n\r\nx\r\n--B--\r\n", KIND),
    "no disposition": (b"--B\r\n\r\nx\r\n--B--\r\n", KIND),
    "no name": (multipart((b"a.wav", b"x")).replace(b'name="files"; ', b""), KIND),
    "another field": (multipart((b"a.wav", b"x"), field=b"other"), KIND),
    "no boundary": (multipart((b"a.wav", b"x")), "Content-Type: multipart/form-data"),
    "a long boundary": (b"x", "Content-Type: multipart/form-data; boundary=" + "b" * 200),
    "a strange charset": (multipart((b"a.wav", b"x")), KIND + "; charset=no-such"),
    "a plain text": (b"x" * 99, "Content-Type: text/plain"),
    "no type": (b"x" * 99, "X-Nothing: 1"),
    "a mixed type": (multipart((b"a.wav", b"x")), "Content-Type: multipart/mixed; boundary=B"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_upload_is_refused_in_a_sentence_and_leaves_nothing(attacker, what):
    body, kind = BROKEN[what]
    answer = attacker.request("POST", f"{API}/upload", [kind], body)
    assert 200 <= answer.status < 500
    if answer.status != 200:
        assert answer.text
        assert harmless(answer.text)
    wait_until(lambda: attacker.leftovers() == [])


@pytest.mark.parametrize("form", ["with a length", "in chunks"])
def test_an_upload_that_breaks_off_leaves_nothing(attacker, form):
    """Without the guard its half stays on the disk until the server ends."""
    piece = BEGIN + os.urandom(300_000)
    head = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\n{KIND}\r\n"
    if form == "with a length":
        sent = f"{head}Content-Length: 1000000\r\n\r\n".encode() + piece
    else:
        sent = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(piece)[0]
    for _ in range(3):
        with attacker.connection() as line:
            line.sendall(sent)
            wait_until(lambda: attacker.leftovers() != [])
    wait_until(lambda: attacker.leftovers() == [])


def test_a_crowd_of_half_uploads_leaves_room_for_a_whole_one(attacker):
    """As many as are let in trickle along; they hold places, not the page, and are given up."""
    head = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\n{KIND}\r\nContent-Length: 900000\r\n\r\n"
    with contextlib.ExitStack() as lines:
        slow = [lines.enter_context(attacker.connection(40)) for _ in range(40)]
        for line in slow:
            line.sendall(head.encode() + BEGIN + bytes(20_000))
        wait_until(lambda: len(attacker.leftovers()) >= 20)
        assert len(attacker.leftovers()) <= 32
        assert attacker.http.get("/config").status_code == 200
        refused = attacker.post_upload(multipart((b"a.wav", b"x")))
        assert (refused.status, "uploads are under way" in refused.text) == (503, True)
    wait_until(lambda: attacker.leftovers() == [])
    assert attacker.upload(b"a.wav", os.urandom(9))


def test_a_full_disk_refuses_uploads_in_a_sentence_and_not_the_page(attacker):
    """The quota of the attacked page is 12 MB; files of the last minutes are not taken away."""
    made = []
    answer = None
    for _ in range(9):
        answer = attacker.post_upload(multipart((b"fill.wav", os.urandom(1_900_000))))
        if answer.status != 200:
            break
        made.append(Path(json.loads(answer.body)[0]))
    try:
        assert answer.status == 507
        assert "disk is full" in answer.text
        assert harmless(answer.text)
        size = sum(each.stat().st_size for each in attacker.cache.rglob("*") if each.is_file())
        assert size <= 12_000_000
        assert attacker.leftovers() == []
        assert attacker.http.get("/config").status_code == 200
    finally:
        for path in made:
            path.unlink(missing_ok=True)
    wait_until(lambda: attacker.post_upload(multipart((b"a.wav", b"x"))).status == 200)


def test_uploads_of_one_content_and_many_names_do_not_touch_each_other(attacker):
    data = os.urandom(500)
    paths, failures = [], []

    def send(i: int) -> None:
        try:
            paths.append(attacker.upload(b"%d.wav" % i, data))
        except AssertionError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=send, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(set(paths)) == 8
    assert {Path(path).read_bytes() for path in paths} == {data}
    assert {PurePosixPath(path).stem for path in paths} == {str(i) for i in range(8)}


def test_the_progress_of_an_upload_that_is_none_ends(attacker):
    begun = time.monotonic()
    answer = attacker.get(f"{API}/upload_progress?upload_id=none", timeout=20)
    assert answer.status == 404
    assert time.monotonic() - begun < 15
