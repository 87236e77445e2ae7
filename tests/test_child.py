"""Ending a process of ours ends all that it started, in whatever group that is."""

import contextlib
import sys
import time
from pathlib import Path

import psutil
import pytest

from l2t.child import Child

PATIENCE = 30  # s, the longest a test waits for what takes a moment
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sessions of Unix")


@pytest.fixture
def family(monkeypatch):
    """A child, and what it started: one in a session of its own, and one that this one started."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    child = Child("stray")
    stranger = psutil.Process(child.receive(PATIENCE))
    wait_until(stranger.children)
    started = [stranger, *stranger.children()]
    yield child, started
    child.kill()
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_killing_reaches_what_has_a_session_of_its_own(family):
    child, started = family
    child.kill()
    wait_until(lambda: not any(map(runs, started)))
    assert not child.alive()


def test_what_a_child_left_behind_is_ended_where_it_was_seen_before(family):
    child, started = family
    assert child.memory() > sum(each.memory_info().rss for each in started)
    child.process.kill()
    wait_until(lambda: not child.alive())
    assert all(map(runs, started))  # nobody's children now
    child.kill()
    wait_until(lambda: not any(map(runs, started)))


def test_leaving_politely_ends_what_was_left_behind_too(family):
    child, started = family
    child.leave()
    child.kill()
    wait_until(lambda: not any(map(runs, started)))


def test_killing_twice_or_what_has_no_family_is_fine(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    child = Child("nothing_of_this_name")
    wait_until(lambda: not child.alive())
    child.kill()
    child.kill()
