"""One page with test doubles for the whole test session: app, API and browser tests share it."""

import atexit
import functools
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from fakes import IDENTITIES, FakeFace

from l2t.service import Service, Settings
from l2t.ui.catalogue import Catalogue
from l2t.worker.in_process import InProcess

RATE = 16_000


@dataclass(frozen=True)
class Served:
    """Where the page is, and the service and face behind it."""

    address: str
    service: Service
    face: FakeFace


@functools.cache
def serve() -> Served:
    """Start the page on a free port; stopped when the tests end."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from l2t.ui.launch import launch
    from l2t.ui.page import build_page

    face = FakeFace()
    service = Service(InProcess(lambda: face), Settings(waiting=6))
    page = build_page(service, Catalogue(IDENTITIES))
    address = launch(page, "127.0.0.1", free_port(), max_bytes=2_000_000)
    service.start()
    service.about(timeout=20)
    atexit.register(service.close)
    return Served(address.rstrip("/"), service, face)


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_voice(path: Path, seconds: float = 2.0, pitch: float = 140.0) -> Path:
    """A voice-like wav: syllables of a buzzing tone at 4 Hz, half a second of silence at the end.

    Different pitches make different recordings.
    """
    time = np.arange(int(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 8))
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0, None)
    voice = 0.3 * buzz * syllables * (time < seconds - 0.5)
    soundfile.write(path, voice.astype(np.float32), RATE)
    return path
