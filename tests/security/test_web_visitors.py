"""Visitors are strangers to each other: files, events, cancels; and a flood leaves the page up."""

import contextlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attacker import API, Attacker, file, harmless, wait_until

UNNAMED = "session_hash must be 1 to 128 letters, digits, _ or -."
REST = ["", "", "front", 256]


def order(attacker: Attacker, path: str, **more) -> str:
    """Order a take; the number of its event."""
    status, text = attacker.order("animate", [file(path), *REST], **more)
    assert status == 200, text
    return json.loads(text)["event_id"]


def fresh(attacker: Attacker) -> Attacker:
    """Another visitor."""
    return Attacker(attacker.address, attacker.cache)


def running(attacker: Attacker) -> int:
    return attacker.http.get("/health").json()["queue"]["running"]


def test_files_of_others_cannot_be_listed_or_guessed(attacker, uploaded):
    """An upload lies in a folder named after the sha256 of what is in it."""
    folder = Path(uploaded).parent
    guesses = [
        attacker.cache, folder, f"{folder}/", f"{folder}/.", f"{folder}/*", f"{folder}/audio.wav",
        folder.parent / ("0" * 64) / "voice.wav", f"{folder.parent}/*/voice.wav",
    ]  # fmt: skip
    for guess in guesses:
        assert attacker.get(f"{API}/file={guess}").status in (400, 403, 404), guess


def test_an_event_cannot_be_found_by_guessing(attacker, uploaded):
    event = order(attacker, uploaded)
    other = fresh(attacker)
    for guess in (uuid.uuid4().hex, event[:-1] + "0" * (event[-1] != "0") + "1", "0" * 32, "x"):
        kind, told = other.outcome("animate", guess)
        assert kind in ("error", "nothing"), guess
        assert "path" not in str(told)
    assert attacker.outcome("animate", event)[0] == "complete"


def test_a_session_that_is_guessed_wrong_is_told_nothing(attacker, uploaded):
    session = uuid.uuid4().hex
    order(attacker, uploaded, session_hash=session)
    for guess in ("", "x", session[:-1], session + "0", "%", "null", "undefined"):
        answer = attacker.get(f"{API}/queue/data?session_hash={guess}", timeout=5)
        assert "learn2talk" not in answer.text
    told = attacker.messages(session)
    assert told[-2]["msg"] == "process_completed"


def test_nobody_cancels_a_take_of_another(attacker, uploaded, slow):
    """Neither by the API's cancel nor by Gradio's, whatever of the other's he makes up."""
    session = uuid.uuid4().hex
    event = order(attacker, uploaded, session_hash=session)
    wait_until(lambda: running(attacker))
    other = fresh(attacker)
    for mine in (uuid.uuid4().hex, "", session[:-1]):
        assert other.call("cancel", [], session_hash=mine)[1] in ([0], UNNAMED)
    for number in range(40):
        forged = {"session_hash": "x", "fn_index": number, "event_id": uuid.uuid4().hex}
        assert other.http.post(f"{API}/cancel", json=forged).status_code == 200
    assert attacker.outcome("animate", event)[0] == "complete"


def test_orders_without_a_session_are_not_all_of_one_visitor(attacker, uploaded, slow):
    """Scripts that send no session would else share one, and cancel each other's takes."""
    event = order(attacker, uploaded)
    wait_until(lambda: running(attacker))
    assert fresh(attacker).call("cancel", [])[1] == [0]
    assert attacker.outcome("animate", event)[0] == "complete"


def test_a_flood_of_orders_is_refused_politely_and_the_page_stays_up(attacker, short, slow):
    """More than line and queue hold, from as many visitors; then all is as before."""

    def ask(i: int) -> tuple[int, str]:
        return fresh(attacker).order("animate", [file(short), *REST], session_hash=f"flood{i}")

    def leave(i: int) -> None:
        forget = {"data": [], "session_hash": f"flood{i}"}
        assert attacker.http.post(f"{API}/run/cancel", json=forget).status_code == 200

    with ThreadPoolExecutor(12) as pool:
        asked = list(pool.map(ask, range(200)))
        assert attacker.http.get("/config").status_code == 200
        list(pool.map(leave, range(200)))
        events = [json.loads(text)["event_id"] for status, text in asked if status == 200]
        told = list(pool.map(lambda event: attacker.outcome("animate", event), events))
    assert {status for status, _ in asked} <= {200, 503}
    refused = [sentence for kind, sentence in told if kind == "error"]
    refused += [text for status, text in asked if status == 503]
    assert len(refused) > 100
    assert all(sentence and harmless(sentence) for sentence in refused)
    wait_until(lambda: not running(attacker), 60)


def test_a_crowd_that_only_connects_does_not_lock_others_out(attacker):
    """Lines on which nothing is asked are closed after a while; the test's page is impatient."""
    with contextlib.ExitStack() as lines:
        idle = [lines.enter_context(attacker.connection(30)) for _ in range(300)]
        for line in idle[:150]:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert attacker.http.get("/config").status_code == 200
        for line in idle:
            with contextlib.suppress(ConnectionError):
                assert line.recv(1) == b""  # closed by the page, not by our time-out


def test_streams_that_stay_open_have_a_bound(attacker):
    """Heartbeats, as of 600 tabs: the page turns some away and goes on."""
    with contextlib.ExitStack() as lines:
        statuses = []
        for i in range(600):
            line = lines.enter_context(attacker.connection(30))
            target = f"{API}/heartbeat/tab{i}"
            line.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            statuses.append(int(line.recv(200).split()[1]))
        assert statuses.count(200) >= 400
        assert statuses[-1] == 503
    wait_until(lambda: attacker.http.get("/config").status_code == 200)
