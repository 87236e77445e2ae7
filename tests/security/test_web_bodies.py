"""Orders: JSON that is too large, too deep, or wrong for its endpoint gets a sentence or a 4xx."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from attacker import API, chunked, file, harmless

JSON = "Content-Type: application/json"
CALL = f"{API}/call/animate"
POSTS = [CALL, f"{API}/queue/join", f"{API}/run/cancel", f"{API}/cancel", f"{API}/reset"]


def nested(opening: bytes, closing: bytes, levels: int) -> bytes:
    return b'{"data": ' + opening * levels + b"1" + closing * levels + b"}"


HOSTILE = {
    "100,000 lists": nested(b"[", b"]", 100_000),
    "500 lists": nested(b"[", b"]", 500),
    "20 lists": nested(b"[", b"]", 20),
    "900 objects": nested(b'{"a":', b"}", 900),
    "100,000 lists beside each other": b'{"data": [' + b"[]," * 60_000 + b"[]]}",
    "lists that never end": b'{"data": ' + b"[" * 200_000,
    "a text that never ends": b'{"data": ["' + b'\\"' * 100_000,
    "many texts that never end": b'{"data": ["' + b'a\\' * 90_000,
    "a long text": b'{"data": ["' + b"a" * 100_000 + b'"]}',
    "two megabytes": b'{"data": ["' + b"a" * 2_000_000 + b'"]}',
    "a number of 5,000 digits": b'{"data": [' + b"9" * 5000 + b"]}",
    "an exponent without end": b'{"data": [1e999999999]}',
    "not a number": b'{"data": [NaN]}',
    "infinity": b'{"data": [-Infinity]}',
    "nothing": b"",
    "half": b'{"data": [',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"text"',
    "UTF-16": '{"data": []}'.encode("utf-16"),
    "UTF-32": '{"data": []}'.encode("utf-32"),
    "no UTF-8": b'{"data": ["\xff"]}',
    "half a surrogate": b'{"data": ["\\ud800"]}',
    "null bytes": b'{"data": ["\0"]}',
    "YAML": b"data: []",
    "a pickle": b"\x80\x04\x95\x00.",
    "data that is a text": b'{"data": "text"}',
    "data that is an object": b'{"data": {"0": 1}}',
    "a number for a name": b'{"data": [], "session_hash": 5, "fn_index": "x", "event_id": {}}',
    "a function that is none": b'{"data": [], "session_hash": "x", "fn_index": 999999}',
    "a function below the first": b'{"data": [], "session_hash": "x", "fn_index": -1}',
    "a trigger that is none": b'{"data": [], "session_hash": "x", "fn_index": 0, "trigger_id": -3}',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_is_answered_at_once_and_in_a_sentence(attacker, what):
    for target in POSTS:
        begun = time.monotonic()
        answer = attacker.request("POST", target, [JSON], HOSTILE[what])
        assert time.monotonic() - begun < 8
        assert harmless(answer.text)
        assert answer.status == 200 or 400 <= answer.status < 500 or _says(answer), target


def _says(answer) -> bool:
    """A failure that is told in a sentence."""
    return answer.status == 500 and len(json.loads(answer.body)["error"]) > 20


def test_what_the_guard_turns_away_is_told_in_a_sentence(attacker):
    told = {
        "20 lists": (400, "nested deeper than 16"),
        "100,000 lists beside each other": (400, "nested deeper"),
        "a long text": (413, "longer than 8,192 bytes"),
        "two megabytes": (413, "at most 262,144 bytes"),
        "not a number": (422, "NaN is not a number"),
        "UTF-16": (400, "not JSON in UTF-8"),
        "a list": (422, "must be a JSON object"),
    }
    for what, (status, sentence) in told.items():
        answer = attacker.request("POST", CALL, [JSON], HOSTILE[what])
        assert (answer.status, sentence in json.loads(answer.body)["detail"]) == (status, True)


def test_a_body_whose_length_is_not_told_is_bounded_too(attacker):
    body = b'{"data": ["' + b"a" * 900_000
    pieces = b"".join(chunked(*(body[at : at + 9_000] for at in range(0, len(body), 9_000))))
    head = [JSON, "Transfer-Encoding: chunked"]
    answer = attacker.request("POST", CALL, head, pieces + b"0\r\n\r\n")
    assert answer.status == 413


def test_an_order_that_never_arrives_is_given_up(attacker):
    head = f"POST {CALL} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nContent-Length: 50\r\n\r\n"
    answer = attacker.raw(head.encode() + b'{"data":', timeout=40)
    assert (answer.status, "took too long" in answer.text) == (408, True)


KINDS = ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B",
         "application/x-python-pickle", "application/json; charset=utf-16", "text/xml"]  # fmt: skip


def test_other_content_types_are_no_way_round(attacker):
    for kind in KINDS:
        head = [f"Content-Type: {kind}"] if kind else []
        for body in (b'{"data": []}', b"data=[]", b"\x80\x04."):
            answer = attacker.request("POST", CALL, head, body)
            assert answer.status == 200 or 400 <= answer.status < 500, kind
            assert harmless(answer.text)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([f"X-{i}: y" for i in range(2_000)], 431),
        (["X-Long: " + "y" * 30_000], 431),
        (["Cookie: " + "a=b; " * 4_000], 431),
        ([f"X-{i}: y" for i in range(30_000)], 400),  # by uvicorn itself
        (["X-Line: a\rb"], 400),
        (["Content-Length: -5"], 400),
        (["Content-Length: 5", "Content-Length: 6"], 400),
        (["Transfer-Encoding: chunked, chunked"], 501),
    ],
    ids=range(8),
)  # fmt: skip
def test_headers_are_bounded(attacker, headers, status):
    assert attacker.request("GET", "/config", headers).status in (status, 400)


def test_an_address_that_is_too_long_is_refused(attacker):
    answer = attacker.get("/config?" + "a" * 8_000)
    assert (answer.status, harmless(answer.text)) == (414, True)


ODD = [None, "x", -1, 1e308, ["a"], {"a": 1}, "<b>" * 900]
ENDPOINTS = {  # name: what it takes after the recording, or instead of one
    "animate": ["", "", "front", 256],
    "animate_head": ["", "", "front", 256, 0, 1],
    "avatar": ["", 0, 0, 256, 0, -1],
    "compare": ["full", "reconstruction", "", "", "front", 256],
    "compare_head": ["full", "reconstruction", "", "", "front", 256, 0, 1],
    "read_lips": [None, "none", 0, "grid"],
}


@pytest.mark.parametrize(
    ("endpoint", "places"),
    [("animate_head", range(7)), ("avatar", (2, 3)), ("compare", (1, 2)), ("read_lips", range(5))],
)
def test_odd_values_get_a_take_or_a_sentence(attacker, short, endpoint, places):
    """Each value in each place that no endpoint before has."""
    good = [file(short), *ENDPOINTS[endpoint]]
    tried = [[*good[:place], odd, *good[place + 1 :]] for place in places for odd in ODD]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda data: attacker.call(endpoint, data), tried))
    for data, (kind, told) in zip(tried, outcomes, strict=True):
        assert kind in ("complete", "error", "refused"), data
        if kind != "complete":
            assert told, data
            assert harmless(told), data


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "cancel"])
def test_a_wrong_number_of_values_gets_a_sentence(attacker, short, endpoint):
    for data in ([], [file(short)] * 40, [None] * 3, [[]] * 200):
        kind, told = attacker.call(endpoint, data)
        assert endpoint == "cancel" or kind in ("error", "refused")
        assert told != ""
        assert harmless(told)


def test_the_pages_own_events_take_odd_values_too(attacker, short):
    """Whoever leaves the page aside can send them anything: each of them, by its number."""
    events = attacker.http.get("/config").json()["dependencies"]
    assert len(events) > 15
    for event in events:
        length = len(event["inputs"])
        rows = ([None] * length, [{"a": 1}] * length, ["x"] * length, [-1] * length, [file(short)])
        for data in rows:
            told = attacker.event(event["id"], data)
            assert told
            assert harmless(_without_files(told)), (event["api_name"], data)


def _without_files(told: list[dict]) -> str:
    """Messages without the places of the visitor's own files, which a page has to know."""
    return re.sub(r'"(path|url)": "[^"]*"', "", json.dumps(told))


NAMES = ["nosuch", "predict", "__class__", "0", "-1", "a" * 65, "animate/x", "..", "%2e%2e"]


@pytest.mark.parametrize("name", NAMES)
def test_endpoints_that_are_none_are_refused_in_a_sentence(attacker, name):
    for route in ("call", "call/v2", "run", "api"):
        answer = attacker.request("POST", f"{API}/{route}/{name}", [JSON], b'{"data": []}')
        assert answer.status >= 400
        told = json.loads(answer.body)
        assert told.get("detail") or told.get("error")
        assert harmless(answer.text)
