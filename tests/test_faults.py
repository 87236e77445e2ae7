"""What a machine does to a server: no ffmpeg, a full disk, a cache that cannot be written, a Hub
that hangs. The job fails with its reason or is done without, and the next one works."""

import contextlib
import os
import socket
import subprocess
import threading
import time

import pytest
from served import write_voice

from l2t.errors import L2TError, RenderError
from l2t.jobs import Order
from l2t.service import Service, Settings
from l2t.worker.supervised import Supervised

PATIENCE = 120  # s, the longest a test waits for what takes ten


@pytest.fixture
def voice(tmp_path):
    return write_voice(tmp_path / "voice.wav", 1.0)


@contextlib.contextmanager
def service_in(home, weights="debug", **settings):
    """A service with real models, tiny and random, that draws in software."""
    worker = Supervised({"weights": weights, "device": "cpu"})
    service = Service(worker, Settings(**settings), home)
    service.start()
    try:
        yield service
    finally:
        service.close()


@pytest.fixture
def surroundings(monkeypatch):
    monkeypatch.setenv("L2T_RENDERER", "software")
    return monkeypatch


def run(service, voice):
    job = service.submit(Order(voice, size=256))
    assert job.wait(PATIENCE)
    return job.outcome()


def test_without_ffmpeg_the_job_says_so_and_works_once_it_is_there(surroundings, voice, tmp_path):
    import imageio_ffmpeg

    real, link = imageio_ffmpeg.get_ffmpeg_exe(), tmp_path / "ffmpeg"
    surroundings.setenv("IMAGEIO_FFMPEG_EXE", str(link))
    with service_in(tmp_path) as service:
        for _ in range(2):
            with pytest.raises(RenderError, match="ffmpeg") as told:
                run(service, voice)
            assert str(tmp_path) not in str(told.value)
        link.symlink_to(real)
        assert run(service, voice).film.stat().st_size > 1000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes, unmounted after the test."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, timeout=20).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], capture_output=True, timeout=20, check=True)


def test_a_disk_that_fills_up_is_told_and_the_next_job_works(surroundings, voice, small_disk):
    with service_in(small_disk, spare=0) as service:
        assert run(service, voice).film.exists()
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:  # until nothing more fits
                file.write(bytes(4096))
                file.flush()
        with pytest.raises(L2TError) as told:
            run(service, voice)
        sentence = str(told.value)
        assert "space" in sentence or "written" in sentence
        assert str(small_disk) not in sentence
        ballast.unlink()
        assert run(service, voice).film.stat().st_size > 1000


def test_a_nearly_full_disk_is_noticed_before_the_work(surroundings, voice, small_disk):
    with service_in(small_disk, spare=1 << 30) as service, pytest.raises(L2TError, match="full"):
        run(service, voice)


@pytest.fixture
def silent_hub():
    """A server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in taken:
            each.close()


def test_a_hub_that_hangs_and_a_cache_that_cannot_be_written_leave_the_embedded_weights(
    surroundings, voice, tmp_path, silent_hub
):
    surroundings.setenv("HF_ENDPOINT", silent_hub)
    surroundings.setenv("HF_HOME", os.devnull + "/cache")  # nobody can make a folder there
    surroundings.delenv("HF_HUB_OFFLINE", raising=False)
    surroundings.setenv("L2T_HUB_SECONDS", "2")
    begun = time.monotonic()
    with service_in(tmp_path, weights="someone/learn2talk") as service:
        about = service.about(PATIENCE)
        assert about.weights.source == "embedded"
        assert "someone/learn2talk" in about.weights.label
        assert run(service, voice).film.stat().st_size > 1000
    assert time.monotonic() - begun < PATIENCE
