"""The parent of the decoding child: deadlines, dead children, children that lie."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hostile.files import pcm, wav

from l2t import decoder
from l2t.errors import SpeechError
from l2t.speech import Limits, load_speech


@pytest.fixture
def path(tmp_path):
    (tmp_path / "good.wav").write_bytes(wav(pcm(1.0)))
    return tmp_path / "good.wav"


@pytest.fixture
def child(monkeypatch):
    """Puts a program of the test's own in the decoder's place; collects the processes."""
    started = []

    def install(program: str):
        def start(file, options):
            preamble = "import sys, time, struct\nsend = lambda t, b: (sys.stdout.buffer.write("
            preamble += "struct.pack('<cI', t, len(b)) + b), sys.stdout.flush())\n"
            process = subprocess.Popen(
                [sys.executable, "-S", "-c", preamble + program], stdin=file, stdout=subprocess.PIPE
            )
            started.append(process)
            return process

        monkeypatch.setattr(decoder, "start_child", start)
        return started

    return install


def test_a_hanging_child_is_killed_at_the_deadline(path, child):
    started = child("time.sleep(60)")
    begun = time.monotonic()
    with pytest.raises(SpeechError, match="could not be decoded within 0.5 seconds"):
        load_speech(path, Limits(decode_seconds=0.5))
    assert time.monotonic() - begun < 5
    assert started[0].returncode is not None


def test_a_child_that_gets_on_is_given_time(path, child):
    child(
        "for _ in range(6): send(b'S', bytes(64000)); time.sleep(0.1)\nsend(b'D', b'{}')"
    )  # 6 s of sound, which grant 0.6 s
    assert load_speech(path, Limits(decode_seconds=0.6)).seconds == 6


@pytest.mark.parametrize(
    "program",
    [
        "",
        "sys.exit(3)",
        "import os; os.kill(os.getpid(), 11)",
        "send(b'S', bytes(6))",
        "send(b'X', b'')",
        "print('hello')",
        "sys.stdout.buffer.write(struct.pack('<cI', b'S', 2**32 - 1))",
        "send(b'S', struct.pack('<f', float('nan')) * 16000); send(b'D', b'')",
        "for _ in range(100): send(b'S', bytes(64000))",
    ],
)
def test_whatever_a_broken_child_sends_is_one_sentence(path, child, program):
    started = child(program)
    with pytest.raises(SpeechError, match="damaged"):
        load_speech(path)
    assert started[0].returncode is not None


def test_a_refusal_of_the_child_is_passed_on(path, child):
    child("send(b'E', b'The recording is a song.')")
    with pytest.raises(SpeechError, match="is a song"):
        load_speech(path)


def test_too_little_memory_is_a_sentence(path):
    with pytest.raises(SpeechError):
        load_speech(path, Limits(memory_bytes=30_000_000))


def test_many_at_once_get_their_own_sound(tmp_path):
    results, paths = {}, []
    for number in range(4):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(wav(pcm(0.5 + 0.25 * number)))
        paths.append(path)

    def load(path):
        results[path.stem] = load_speech(path).seconds

    threads = [threading.Thread(target=load, args=(path,)) for path in paths]
    [t.start() for t in threads], [t.join() for t in threads]
    assert results == {"0": 0.5, "1": 0.75, "2": 1.0, "3": 1.25}


def test_the_watchdog_ends_with_the_work(path):
    load_speech(path)
    time.sleep(0.05)
    assert not [t for t in threading.enumerate() if t.name == "decode-watchdog"]
    assert np.isfinite(load_speech(path).samples).all()
