"""The parts of the guard by themselves: bounds, places, idle connections, headers."""

import contextlib
import os
import time
from types import SimpleNamespace

import pytest
from loops import finished

from l2t.ui.guard import connections, headers, json_bodies, places, uploads
from l2t.ui.guard.answers import Answer
from l2t.ui.guard.connections import Connections
from l2t.ui.guard.disk import Disk
from l2t.ui.guard.middleware import Guard, Rules
from l2t.ui.guard.places import Places
from l2t.ui.guard.refusal import Refusal
from l2t.ui.guard.routes import Kind

PUBLIC, PRIVATE = "8.8.8.8", "10.0.0.7"


# -- JSON


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": []}',
        b'{"data": [null, "a [[[[ text {{{{", 1.5, true], "session_hash": "abc-1_2"}',
        b'{"data": ["\\"[[[[[[[[[[[[[[[[[[[[[[\\\\"]}',
        '{"data": ["ä €"]}'.encode(),
        b'{"data": [{"path": "/tmp/a: b.wav", "url": "http://a/file=/tmp/a", "meta": {}}]}',
        b'{"data": ' + b"[" * 15 + b"]" * 15 + b"}",
    ],
)
def test_what_the_page_sends_passes(body):
    json_bodies.judge_json(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"data": ' + b"[" * 16 + b"]" * 16 + b"}", 400),
        (b'{"data": [{"path": "http://a"}]}', 422),
        (b'{"data": [{"path": " file:///etc/passwd"}]}', 422),
        (b'{"data": [[{"a": {"path": "//host/share"}}]]}', 422),
        (b'{"data": [{"path": "\\\\\\\\host\\\\share"}]}', 422),
        (b'{"data": [{"\\u0070ath": "ftp://a"}]}', 422),
        (b'{"data": [], "session_hash": "a b"}', 422),
        (b'{"data": [], "event_id": 7}', 422),
        (b'{"data": [Infinity]}', 422),
        (b'{"data": "' + b"a" * 8_200 + b'"}', 413),
    ],
)
def test_what_is_no_order_is_refused(body, status):
    with pytest.raises(Refusal) as refusal:
        json_bodies.judge_json(body)
    assert refusal.value.status == status


@pytest.mark.parametrize("piece", [b'"', b'\\"', b'"\\', b"[", b'["', b'{"a":"', b"\\", b'"a'])
def test_judging_takes_no_longer_for_a_body_that_was_made_for_it(piece):
    """A pattern that looks at bytes again and again would need minutes."""
    body = (piece * json_bodies.BYTES)[: json_bodies.BYTES]
    begun = time.process_time()
    with pytest.raises(Refusal):
        json_bodies.judge_json(body)
    assert time.process_time() - begun < 5


# -- uploads


def read(body: bytes, step: int = 7, limit: int = 10_000) -> uploads.Upload:
    """An upload whose body comes in small pieces, read to its end or its refusal."""
    pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False

    async def receive() -> dict:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    upload = uploads.Upload(receive, b"multipart/form-data; boundary=B", limit, lambda _: None)

    async def all_of_it() -> None:
        while (await upload.receive()).get("more_body"):
            pass

    with contextlib.suppress(uploads.MultiPartException):  # told in `refusal`, too
        finished(all_of_it())
    return upload


def part(disposition: str = 'name="files"; filename="a.wav"', data: bytes = b"x") -> bytes:
    return f"--B\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + data + b"\r\n"


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_an_upload_passes_in_pieces_of_any_size(step):
    assert read(part() + part(data=b"--B\r\n--B-"[:4]) + b"--B--\r\n", step).refusal is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (part() * 9 + b"--B--\r\n", 413),
        (part('name="files"') + b"--B--\r\n", 400),
        (part('name="other"; filename="a"') + b"--B--\r\n", 400),
        (part('name="files"; filename=".."') + b"--B--\r\n", 400),
        (part('name="files"; filename="a/.."') + b"--B--\r\n", 400),
        (part(), 400),
        (b"", 400),
        (part(data=bytes(20_000)) + b"--B--\r\n", 413),
        (b"garbage", 400),
    ],
)
def test_what_is_no_plain_upload_is_refused(body, status):
    assert read(body).refusal.status == status


def test_an_upload_that_crawls_is_given_up(monkeypatch):
    monkeypatch.setattr(uploads, "GRACE", -1.0)
    monkeypatch.setattr(uploads, "SLOWEST", 1e12)
    assert read(part() + b"--B--\r\n").refusal.status == 408


# -- places


def test_places_are_bounded_and_given_back():
    room = Places(2, "Full.")
    with room.one(PRIVATE), room.one(PRIVATE), pytest.raises(Refusal, match="Full"):
        room.one(PRIVATE).__enter__()
    with room.one(PRIVATE):
        pass


def test_one_public_address_has_half_of_them_and_a_proxy_all():
    room = Places(4, "Full.")
    with room.one(PUBLIC), room.one(PUBLIC):
        with pytest.raises(Refusal):
            room.one(PUBLIC).__enter__()
        with room.one("1.1.1.1"), room.one(PRIVATE):
            pass
    for _ in range(9):
        with room.one(PUBLIC):
            pass
    assert not room._inside


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("::1", False),
     ("192.168.0.1", False), ("", False), ("unix:", False)],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert places._public(address) is public


# -- connections


def connection(complete: bool | None) -> SimpleNamespace:
    """complete: whether its last request was answered; None: there was none yet."""
    closed = []
    transport = SimpleNamespace(close=lambda: closed.append(True))
    cycle = None if complete is None else SimpleNamespace(response_complete=complete)
    made = SimpleNamespace(cycle=cycle, transport=transport, closed=closed)
    return type("Connection", (SimpleNamespace,), {"__hash__": object.__hash__})(**vars(made))


def swept(lines: list, *times: float) -> None:
    clock = iter(times)
    sweeper = Connections(lambda: lines, lambda: next(clock))
    for _ in times:
        finished(sweeper.sweep())


def test_connections_without_a_request_are_closed_after_a_while():
    mute, kept, busy = connection(None), connection(True), connection(False)
    swept([mute, kept, busy], 0, connections.PATIENCE - 1)
    assert not mute.closed
    swept([mute, kept, busy], 0, connections.PATIENCE + 1)
    assert (bool(mute.closed), bool(kept.closed), bool(busy.closed)) == (True, True, False)


def test_a_request_in_between_begins_the_time_again():
    line = connection(True)
    clock = iter((0, 40))
    sweeper = Connections(lambda: [line], lambda: next(clock))
    finished(sweeper.sweep())
    line.cycle = SimpleNamespace(response_complete=True)
    finished(sweeper.sweep())
    assert not line.closed


def test_in_a_crowd_patience_is_short():
    lines = [connection(None) for _ in range(connections.CROWD + 1)]
    swept(lines, 0, connections.HURRY + 1)
    assert all(line.closed for line in lines)


# -- headers and answers


def test_the_policy_names_the_pages_own_scripts_by_their_sha256():
    page = b"<script>one()</script><script src='a.js'></script><SCRIPT data-x>two()</SCRIPT>"
    policy = headers.page_policy(page, on_space=False)
    assert policy.count("sha256-") == 2
    assert headers.HUB not in policy.partition("frame-ancestors")[0]
    assert headers.HUB in headers.page_policy(page, on_space=True).partition("frame-ancestors")[0]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [(b"video/mp4", True), (b"audio/wav", True), (b"image/png", True), (b"image/svg+xml", False),
     (b"text/html", False), (b"application/json", False), (b"text/plain", False)],
)  # fmt: skip
def test_only_media_is_shown_in_the_browser(kind, shown):
    sent = [(b"content-type", kind), (b"content-disposition", b'inline; filename="a"')]
    told = dict(headers.dressed(sent, Kind.FILE))
    assert told[b"content-disposition"].startswith(b"inline" if shown else b"attachment")


def ask(app, **scope) -> tuple[int, bytes]:
    """What comes through the guard from an app behind it."""
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request", "body": b'{"data": []}', "more_body": False}

    made = {
        "type": "http", "method": "GET", "path": "/config", "raw_path": b"/config",
        "query_string": b"", "headers": [], "client": ("127.0.0.1", 1),
    } | scope  # fmt: skip
    guard = Guard(app, Rules(1_000), Disk(os.devnull, 1))
    finished(guard(made, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def answering(status: int, body: bytes, after=None):
    async def app(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})
        if after:
            raise after

    return app


def test_a_failure_behind_the_guard_is_told_in_a_sentence_without_its_reason():
    async def broken(*_) -> None:
        raise RuntimeError("/secret/place")

    status, body = ask(broken)
    assert status == 500
    assert b"went wrong on our side" in body
    assert b"secret" not in body


def test_a_failure_after_the_answer_adds_nothing_to_it():
    assert ask(answering(200, b"whole", after=RuntimeError("late"))) == (200, b"whole")


def test_an_error_without_words_gets_some():
    order = {"method": "POST", "path": "/gradio_api/run/cancel"}
    status, body = ask(answering(500, b'{"error":null}'), **order)
    assert status == 500
    assert b"not those that the page sends" in body
    stream = {"path": "/gradio_api/queue/data"}
    assert b"not those" in ask(answering(200, b'data: {"error":null}\n\n'), **stream)[1]
    assert ask(answering(500, b'{"error":"A word."}'), **order)[1] == b'{"error":"A word."}'


def test_an_answer_is_refused_once_only():
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def twice() -> None:
        answer = Answer({"method": "GET"}, send, on_space=False)
        await answer.refuse(Refusal(404, "First."))
        await answer.refuse(Refusal(500, "Second."))

    finished(twice())
    assert [message.get("status") for message in sent] == [404, None]
