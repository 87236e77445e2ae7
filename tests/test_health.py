"""`/health`: what it tells, when it says 503, and what it keeps to itself."""

import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from l2t.ui import health
from l2t.ui.health import SHAPE, health_route

WELL = {
    "status": "ok",
    "version": "1.2.3",
    "weights": {"label": "Embedded weights", "digest": "ab" * 32},
    "device": "cpu",
    "renderer": "pyvista",
    "queue": {"waiting": 2, "capacity": 32, "running": 1, "finished": 9, "failed": 0},
    "worker": {"state": "busy", "restarts": 1, "memory": 700_000_000},
    "uptime": 12.5,
}


def served(status) -> TestClient:
    return TestClient(Starlette(routes=[health_route(status)]))


def test_it_tells_how_the_service_is():
    answer = served(lambda: WELL).get("/health")
    assert answer.status_code == 200
    assert answer.json() == WELL
    assert answer.headers["cache-control"] == "no-store"
    assert set(SHAPE) == set(WELL)


@pytest.mark.parametrize(
    ("status", "code"), [("loading", 200), ("ok", 200), ("degraded", 200), ("failing", 503)]
)
def test_only_a_service_that_cannot_serve_is_unavailable(status, code):
    client = served(lambda: WELL | {"status": status})
    assert client.get("/health").status_code == code
    asked = client.head("/health")
    assert (asked.status_code, asked.content) == (code, b"")


def test_nothing_but_what_is_meant_to_be_told_gets_out():
    secret = {
        "path": "/home/somebody", "visitors": ["10.0.0.1"], "token": "hf_x", "device": ["cpu"],
        "queue": WELL["queue"] | {"names": ["my voice.wav"], "waiting": "two"}, "worker": "alive",
    }  # fmt: skip
    told = served(lambda: WELL | secret).get("/health").json()
    assert set(told) == set(SHAPE)
    assert set(told["queue"]) == set(SHAPE["queue"])
    assert (told["device"], told["queue"]["waiting"], told["worker"]) == (None, None, None)
    assert "voice" not in str(told)


def test_while_it_loads_what_is_not_known_is_null():
    told = served(lambda: {"status": "loading", "weights": None}).get("/health").json()
    assert (told["status"], told["weights"], told["device"]) == ("loading", None, None)


@pytest.mark.parametrize("wrong", [{"status": "fine"}, {"status": None}, {}])
def test_a_state_that_is_none_counts_as_failing(wrong):
    answer = served(lambda: WELL | {"status": None} | wrong).get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")


def test_a_service_that_raises_or_hangs_is_failing_and_does_not_say_why(monkeypatch, caplog):
    def broken() -> dict:
        raise RuntimeError("/secret/place")

    answer = served(broken).get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})
    assert "cannot say how it is" in caplog.text
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    free = threading.Event()
    begun = time.monotonic()
    answer = served(lambda: free.wait(30) and WELL).get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})
    assert time.monotonic() - begun < 20
    free.set()


def test_the_service_tells_what_is_to_be_told(served):
    """`Service.status` has each name of the shape, with a value once it is loaded."""
    end = time.monotonic() + 20
    while (told := served.service.status())["status"] == "loading" and time.monotonic() < end:
        time.sleep(0.05)  # the practice take
    assert health.only(told, SHAPE) == told
    assert None not in told["queue"].values()
    assert told["status"] == "ok"
