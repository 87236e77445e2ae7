"""The parent of the decoding child: deadlines, dead children, children that lie, cancelling."""

import itertools
import os
import subprocess
import threading
import time
from functools import partial

import numpy as np
import pytest
from hostile.children import PREAMBLE, install
from hostile.files import pcm, wav

from l2t import decoder, last_words
from l2t.child import own_environment
from l2t.errors import Cancelled, SpeechError
from l2t.speech import Limits, load_speech, stream_speech

FLOOD = """import os
while True:
    try: os.write(2, b'a\\n' * 99)
    except BlockingIOError: os._exit(1)  # it does not wait for a reader"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "good.wav").write_bytes(wav(pcm(1.0)))
    return tmp_path / "good.wav"


@pytest.fixture
def child(monkeypatch):
    """Puts a program of the test's own in the decoder's place; collects the processes."""
    return partial(install, monkeypatch)


def test_a_hanging_child_is_killed_at_the_deadline(path, child):
    started = child("time.sleep(60)")
    begun = time.monotonic()
    with pytest.raises(SpeechError, match="could not be decoded within 0.5 seconds"):
        load_speech(path, Limits(decode_seconds=0.5))
    assert time.monotonic() - begun < 5
    assert started[0].returncode is not None


def test_a_child_that_gets_on_is_given_time(path, child):
    child(
        "for _ in range(30): send(b'S', bytes(64000)); time.sleep(0.08)\nsend(b'D', b'{}')"
    )  # 30 s of sound, which grant 3 s
    assert load_speech(path, Limits(decode_seconds=2)).seconds == 30


def test_a_child_is_not_blamed_for_who_is_slow_to_take_its_sound(path, child):
    child("for _ in range(8): send(b'S', bytes(64000))\nsend(b'D', b'{}')")
    blocks = stream_speech(path, Limits(decode_seconds=2))
    first = next(blocks)
    time.sleep(2.5)
    assert len(np.concatenate([first, *blocks])) == 8 * 16_000


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


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("av = object(); av.open()", "AttributeError: 'object' object has no attribute 'open'"),
        ("send(b'S', bytes(64000)); raise TypeError('changed\\n' + 'x' * 999)", "x" * 300),
        ("sys.stderr.close(); sys.exit(1)", "it does not say why"),
        ("import os; os.dup2(1, 2); os._exit(1)", "it does not say why"),
        (FLOOD, "is broken: a"),
    ],
)
def test_a_child_that_breaks_by_itself_is_logged_and_not_blamed_on_the_file(
    path, monkeypatch, caplog, tmp_path, program, reason
):
    decoder_of(monkeypatch, tmp_path, program)
    with pytest.raises(SpeechError, match="is broken, whatever the recording holds; .* try again"):
        load_speech(path)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert reason in record.getMessage()
    assert str(path) not in caplog.text


@pytest.mark.parametrize(
    "program",
    ["raise MemoryError", "raise OSError(12, 'Cannot allocate memory')", "sys.exit(2)",
     "import os; os.kill(os.getpid(), 11)", "import os; os.kill(os.getpid(), 24)",
     "sys.stdout.close(); import os; os.close(1); time.sleep(60)"],
)  # fmt: skip
def test_a_child_that_a_file_breaks_is_the_file_s_fault(
    path, monkeypatch, caplog, tmp_path, program
):
    monkeypatch.setattr(last_words, "PATIENCE", 0.2)
    decoder_of(monkeypatch, tmp_path, program)
    with pytest.raises(SpeechError, match="damaged"):
        load_speech(path)
    assert not caplog.records


def test_a_library_that_has_changed_is_noticed_with_the_real_decoder(
    path, monkeypatch, caplog, tmp_path
):
    """A PyAV without an argument that we use, as in a version to come."""
    decoder_of(
        monkeypatch, tmp_path,
        "import av\nhers = av.open\nav.open = lambda file, options: hers(file)\n"
        "from l2t.decode import main\nmain()",
    )  # fmt: skip
    with pytest.raises(SpeechError, match="is broken"):
        load_speech(path)
    assert "TypeError" in caplog.text
    assert "unexpected keyword" in caplog.text


def decoder_of(monkeypatch, folder, program: str) -> None:
    """From now on this runs as the decoder does, environment and pipes included."""
    (folder / "their_decoder.py").write_text(PREAMBLE + program)
    own = {"PYTHONPATH": f"{folder}{os.pathsep}{own_environment()['PYTHONPATH']}"}
    monkeypatch.setattr(decoder, "own_environment", lambda: own)
    start = decoder.start_child
    monkeypatch.setattr(decoder, "start_child", lambda _, *more: start("their_decoder", *more))


def test_a_child_that_says_nothing_without_end_is_late(path, child):
    started = child("while True: send(b'S', b'')")
    with pytest.raises(SpeechError, match="could not be decoded within"):
        load_speech(path, Limits(decode_seconds=0.5))
    assert started[0].returncode is not None


def test_a_refusal_of_the_child_is_passed_on_as_one_line(path, child):
    child("send(b'E', b'The recording\\nis a \\x1b[31msong.')")
    with pytest.raises(SpeechError, match=r"^The recording is a  \[31msong\.$"):
        load_speech(path)


def test_too_little_memory_is_a_sentence(path):
    with pytest.raises(SpeechError):
        load_speech(path, Limits(memory_bytes=30_000_000))


@pytest.mark.parametrize("program", ["time.sleep(60)", "while True: send(b'S', bytes(4))"])
def test_a_cancelled_load_kills_the_child(path, child, program):
    started, asked = child(program), itertools.count()
    begun = time.monotonic()
    with pytest.raises(Cancelled, match="The job was cancelled"):
        load_speech(path, cancelled=lambda: next(asked) > 4)
    assert time.monotonic() - begun < 10
    assert started[0].returncode is not None
    assert not readers()


def test_who_cancels_ahead_starts_no_child(path, child):
    started = child("time.sleep(60)")
    with pytest.raises(Cancelled):
        load_speech(path, cancelled=lambda: True)
    assert not started


def test_who_does_not_cancel_gets_the_speech(path):
    assert load_speech(path, cancelled=lambda: False).seconds == 1.0


def test_whoever_fails_to_say_whether_he_cancels_leaves_no_child(path, child):
    started, answers = child("time.sleep(60)"), [False, False]
    with pytest.raises(IndexError):
        load_speech(path, cancelled=lambda: answers.pop())
    assert started[0].returncode is not None


def test_a_child_without_a_reader_is_not_left_behind(path, child, monkeypatch):
    started = child("time.sleep(60)")

    def none_left(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(decoder.Reader, "start", none_left)
    with pytest.raises(SpeechError, match="cannot be started just now"):
        load_speech(path)
    assert started[0].returncode is not None


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


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "decode-reader"]


def test_the_reader_ends_with_the_work(path, child):
    load_speech(path)
    assert not readers()
    child("while True: send(b'S', bytes(4000))")
    blocks = stream_speech(path)
    next(blocks)
    blocks.close()
    assert not readers()


def test_a_child_sees_no_secret_of_its_parent(tmp_path, monkeypatch):
    (tmp_path / "spill.py").write_text("import os; print(*os.environ)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "secret")
    with decoder.start_child("spill", subprocess.DEVNULL, "{}") as child:
        seen = child.stdout.read().decode().split()
    assert "PYTHONPATH" in seen
    assert "HF_TOKEN" not in seen
