"""Only what the page needs is open, and every answer tells the browser how it may be used."""

import json
import re

import pytest
from attacker import API, harmless

from l2t.ui.guard.routes import find

NEEDED = ["/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/health",
          f"{API}/info", f"{API}/app_id", f"{API}/openapi.json"]  # fmt: skip
SHUT = {  # of Gradio's own, with what it would do there
    "GET": [
        f"{API}/proxy=https://a.hf.space/x", f"{API}/dev/reload", f"{API}/vibe-code",
        f"{API}/deep_link?session_hash=x", f"{API}/runs", f"{API}/run-history/buckets",
        f"{API}/token", f"{API}/user", f"{API}/login_check", f"{API}/queue/status",
        f"{API}/stream/a/b/1/playlist.m3u8", f"{API}/stream/a/b/1/playlist-file",
        f"{API}/custom_component/a/client/b/c.js", f"{API}/profiling/traces", f"{API}/file/a",
        "/monitoring", "/monitoring/summary", "/monitoring/key", "/logout", "/login", "/docs",
        "/redoc", "/openapi.json", "/pwa_icon/99999", "/svelte/a.js", "/.env", "/.git/config",
        "/console", "/admin", "/metrics", "//", "/..", "/%2e%2e", "/config/../config", "/CONFIG",
    ],
    "POST": [
        f"{API}/component_server", f"{API}/process_recording", f"{API}/vibe-edit",
        f"{API}/undo-vibe-edit", f"{API}/vibe-code", f"{API}/vibe-starter-queries", "/login",
        f"{API}/stream/x", f"{API}/stream/x/close", f"{API}/api/animate", f"{API}/call/v2/animate",
        f"{API}/run-history/connect", f"{API}/profiling/clear", f"{API}/mcp/sse",
    ],
}  # fmt: skip


@pytest.mark.parametrize("target", NEEDED)
def test_what_the_page_needs_is_open(attacker, target):
    answer = attacker.get(target)
    assert answer.status == 200
    assert attacker.request("HEAD", target).status in (200, 405)


@pytest.mark.parametrize(("method", "target"), [(m, t) for m in SHUT for t in SHUT[m]])
def test_what_it_does_not_need_is_shut(attacker, method, target):
    answer = attacker.request(method, target, ["Content-Type: application/json"], b"{}")
    assert answer.status == 404
    assert json.loads(answer.body)["detail"] == "There is nothing at this address."


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "X"])
def test_other_methods_are_not_accepted(attacker, method):
    for target in ("/", "/config", f"{API}/upload", f"{API}/queue/join", "/health"):
        assert attacker.request(method, target).status in (400, 405)


def test_every_route_of_gradio_is_either_listed_or_shut():
    """New versions bring new routes; they are shut until somebody opens them."""
    for target in ("/new", f"{API}/new", f"{API}/call/v3/animate", f"{API}/upload2"):
        assert find("GET", target) == 404
        assert find("POST", target) == 404
    assert find("GET", "/gradio_api/upload") == 405
    assert find("POST", "/") == 405


def test_no_direct_call_goes_round_the_queue(attacker):
    """Else any event, the page's own too, runs at once and as often as it is asked for."""
    events = attacker.http.get("/config").json()["dependencies"]
    queued = [event for event in events if event["queue"] is not False]
    assert len(queued) > 10
    for event in queued:
        for name in ("cancel", event["api_name"]):
            order = {"data": [None] * len(event["inputs"]), "fn_index": event["id"]}
            answer = attacker.http.post(f"{API}/run/{name}", json=order | {"session_hash": "x"})
            assert (answer.status_code, "join the queue" in answer.text) == (404, True), event["id"]


def test_what_must_not_wait_is_called_directly_still(attacker):
    answer = attacker.http.post(f"{API}/run/cancel", json={"data": [], "session_hash": "nobody"})
    assert (answer.status_code, answer.json()["data"]) == (200, [0])


def test_there_are_no_web_sockets(attacker):
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YQ=="]
    answer = attacker.request("GET", f"{API}/queue/join", upgrade)
    assert 400 <= answer.status < 500


def test_every_answer_forbids_guessing_its_type_and_telling_its_address(attacker, uploaded):
    targets = (*NEEDED, f"{API}/file={uploaded}", "/nothing", f"{API}/queue/data?session_hash=a",
               "/assets/nothing.js", "/static/img/logo.svg")  # fmt: skip
    for target in targets:
        answer = attacker.get(target, timeout=5)
        assert "x-content-type-options: nosniff" in answer.head, target
        assert "referrer-policy: no-referrer" in answer.head, target
        assert "permissions-policy: microphone=(self)" in answer.head, target


def test_the_page_runs_its_own_scripts_only_and_is_framed_by_a_space_only(attacker):
    head = attacker.get("/").head
    policy = re.search(r"content-security-policy: (.*)", head)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert "'unsafe-inline'" not in rules["script-src"]
    assert rules["script-src"].count("sha256-") >= 4
    assert "http" not in rules["script-src"] + rules["connect-src"] + rules["img-src"]
    assert rules["object-src"] == "'none'"
    assert rules["frame-ancestors"].startswith("'self' https://huggingface.co ")
    assert "*;" not in policy


def test_another_site_cannot_send_through_a_visitors_browser(attacker):
    for target in (f"{API}/upload", f"{API}/queue/join", f"{API}/call/animate", f"{API}/cancel"):
        head = ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site",
                "Content-Type: application/json"]  # fmt: skip
        answer = attacker.request("POST", target, head, b'{"data": []}')
        assert (answer.status, "Other sites" in answer.text) == (403, True)
        assert "access-control-allow-origin" not in answer.head


def test_another_site_cannot_read_a_page_on_this_machine(attacker, uploaded):
    for target in ("/config", f"{API}/file={uploaded}", "/health"):
        for origin in ("https://evil.example", "null"):
            answer = attacker.get(target, f"Origin: {origin}")
            assert f"access-control-allow-origin: {origin}" not in answer.head
            assert "access-control-allow-origin: *" not in answer.head


def test_a_forged_host_does_not_get_into_the_page(attacker):
    forged = 'evil.example"><script>alert(1)</script>'
    for header in (f"X-Forwarded-Host: {forged}", f"X-Forwarded-Proto: {forged}", f"X-A: {forged}"):
        answer = attacker.get("/", header)
        assert b"<script>alert(1)" not in answer.body
    assert attacker.get("/", "X-Forwarded-Host: evil.example").status == 200


def test_what_the_page_tells_of_itself_holds_no_place_of_the_server(attacker):
    for target in ("/", "/config", f"{API}/info", f"{API}/openapi.json", "/health", "/robots.txt"):
        assert harmless(attacker.get(target).text), target
