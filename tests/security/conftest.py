"""The page under attack, one process for all tests here; after each of them it must still serve."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from attacker import Attacker, Canary, environment, wait_until
from served import write_voice

TARGET = Path(__file__).with_name("target.py")


@pytest.fixture(scope="session")
def attacked(tmp_path_factory):
    """An `Attacker` at the page's door."""
    home = tmp_path_factory.mktemp("attacked")
    cache, told, log = home / "cache", home / "address", home / "log"
    command = [sys.executable, str(TARGET), str(told)]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, env=environment(cache), stdout=out, stderr=out, cwd=home
        ) as process,
    ):
        end = time.monotonic() + 120
        while not told.exists():
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end
            time.sleep(0.1)
        yield Attacker(told.read_text(), cache)
        process.kill()


@pytest.fixture
def attacker(attacked):
    """The same; the page must be alive afterwards, and no half of an upload left."""
    yield attacked
    assert attacked.alive()
    wait_until(lambda: attacked.leftovers() == [])


@pytest.fixture
def canary():
    made = Canary()
    yield made
    made.close()
    assert made.asked == []


@pytest.fixture(scope="session")
def uploaded(attacked, voice) -> str:
    """The path of a sound upload."""
    return attacked.upload(b"voice.wav", voice.read_bytes())


@pytest.fixture(scope="session")
def short(attacked, tmp_path_factory) -> str:
    """As `uploaded`, a third of a second."""
    recording = write_voice(tmp_path_factory.mktemp("short") / "short.wav", 0.33)
    return attacked.upload(b"short.wav", recording.read_bytes())


@pytest.fixture
def slow(attacked):
    """Takes of the attacked page last a while, until the end of the test."""
    pause = attacked.cache.with_name("pause")
    pause.write_text("0.06")  # s for each of 30 steps
    time.sleep(0.3)
    yield
    pause.unlink()
    time.sleep(0.3)
