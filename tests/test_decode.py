"""The decoding child: what it takes a file for, how it resamples, how it is confined."""

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hostile.files import pcm, wav
from hostile.sounds import recording
from hypothesis import given, settings
from hypothesis import strategies as st

from l2t import pcm as pcm_module
from l2t import probe
from l2t.pcm import Resampler, decode
from l2t.probe import Refused, sniff
from l2t.speech import SAMPLE_RATE, Limits, load_speech

ROOT = Path(__file__).parents[1]
LIMITS = Limits().__dict__ | {"rate": SAMPLE_RATE, "formats": "", "bytes": 10**9}
LIMITS["subject"] = "recording"


def decoded(data: bytes, **limits) -> np.ndarray:
    blocks = decode(io.BytesIO(data), LIMITS | limits, {"damaged": 0})
    return np.concatenate([np.zeros(0, np.float32), *blocks])


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"RIFF\0\0\0\0WAVE", "wav"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"\0\0\0\x20ftypM4A ", "mov"),
        (b"ID3\4", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\0\0\0\xff\xfb\x90", "mp3"),
        (b"\xff\xf1\x50", "aac"),
        (b"\xff\xfeh\0i\0", None),
        (b"#EXTM3U\n", None),
        (b"", None),
    ],
)
def test_sniff(head, name):
    assert sniff(head) == name


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=64))
def test_sniff_knows_or_does_not_but_never_fails(head):
    assert sniff(head) in {None, "wav", "flac", "ogg", "matroska", "mov", "mp3", "aac"}


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_phase_and_level(rate):
    time = np.arange(rate * 2) / rate
    out = decoded(wav((np.sin(2 * np.pi * 1000 * time) * 16384).astype("<i2").tobytes(), rate))
    assert len(out) == 2 * SAMPLE_RATE
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(out)) / SAMPLE_RATE)
    np.testing.assert_allclose(out[500:-500], expected[500:-500], atol=2e-4)


@pytest.mark.parametrize("frequency", [9_000, 12_000, 20_000])
def test_what_is_above_the_new_band_does_not_come_back(frequency):
    resampler = Resampler(48_000, SAMPLE_RATE)
    tone = np.sin(2 * np.pi * frequency * np.arange(48_000) / 48_000).astype(np.float32)
    out = np.concatenate([*resampler.push(tone), *resampler.push(None)])
    assert np.abs(out[500:-500]).max() < 1e-4  # -80 dB


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_resampling_takes_no_thread_for_each_core():
    before = len(os.listdir("/proc/self/task"))
    resampler = Resampler(48_000, SAMPLE_RATE)
    assert len(os.listdir("/proc/self/task")) == before
    assert not list(resampler.push(np.zeros(10, np.float32)))


def test_blocks_make_no_seams():
    tone = np.sin(np.arange(44_100) * 0.05).astype(np.float32)
    whole, pieces = Resampler(44_100, SAMPLE_RATE), Resampler(44_100, SAMPLE_RATE)
    expected = np.concatenate([*whole.push(tone), *whole.push(None)])
    got = [block for piece in np.array_split(tone, 37) for block in pieces.push(piece)]
    np.testing.assert_array_equal(np.concatenate([*got, *pieces.push(None)]), expected)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 8])
def test_channels_are_averaged(channels):
    values = np.arange(1, channels + 1) * 1000
    data = np.tile(values, (8000, 1)).astype("<i2").tobytes()
    out = decoded(wav(data, SAMPLE_RATE, channels))
    np.testing.assert_allclose(out, values.mean() / 32768, atol=1e-6)


@pytest.mark.parametrize(("bits", "kind", "scale", "kind_of"), [
    (8, 1, 127, "u1"), (16, 1, 32767, "<i2"), (32, 1, 2**31 - 1, "<i4"),
    (32, 3, 1, "<f4"), (64, 3, 1, "<f8"),
])  # fmt: skip
def test_every_sample_format_means_the_same(bits, kind, scale, kind_of):
    ramp = np.linspace(-1, 1, 8000)
    data = (ramp * scale + (128 if bits == 8 else 0)).astype(kind_of).tobytes()
    out = decoded(wav(data, SAMPLE_RATE, bits=bits, kind=kind))
    np.testing.assert_allclose(out, ramp, atol=0.02 if bits == 8 else 1e-4)


def test_the_length_is_bounded_while_decoding():
    seen = []

    def collect(data, limits):
        seen.extend(len(block) for block in decode(io.BytesIO(data), limits, {"damaged": 0}))

    with pytest.raises(Refused, match="at most 2 seconds"):
        collect(wav(pcm(2.9)), LIMITS | {"max_seconds": 2})
    assert sum(seen) <= 2.1 * SAMPLE_RATE


class Damaged:
    """A packet that cannot be decoded."""

    def decode(self):
        raise ValueError


class Whole:
    def decode(self):
        return ["frame"]


@pytest.mark.parametrize(("most", "frames"), [(5, ["frame"]), (4, [])])
def test_damaged_packets_are_passed_over_up_to_a_bound(most, frames, monkeypatch):
    monkeypatch.setattr(pcm_module, "MOST_DAMAGED", most)
    container = SimpleNamespace(demux=lambda stream: iter([*[Damaged()] * 5, Whole()]))
    stats = {"damaged": 0}
    assert list(pcm_module.packets(container, None, stats)) == frames
    assert stats["damaged"] == 5


def test_chunks_before_the_format_chunk_are_passed_over():
    data = wav(pcm(1.0))
    junk = b"JUNK" + (12).to_bytes(4, "little") + b"fmt \0\0\0\0\0\0\0\0"
    assert len(decoded(data[:12] + junk + data[12:])) == SAMPLE_RATE


@pytest.mark.skipif(sys.platform != "linux", reason="bounds of Linux")
@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("open('/etc/hostname')", OSError),
        ("open('written', 'w')", OSError),
        ("__import__('socket').socket()", OSError),
        ("bytearray(900_000_000)", MemoryError),
        ("threading.Thread(target=print).start()", RuntimeError),
        ("os.fork()", OSError),
        ("os.setuid(0)", OSError),
    ],
)
def test_a_confined_child_opens_and_starts_nothing_and_takes_no_more_memory(
    attempt, error, tmp_path
):
    program = (
        "import os, socket, threading; from l2t.fence import confine; confine(640_000_000, 5)\n"
        f"try: {attempt}\nexcept {error.__name__}: raise SystemExit(42)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        cwd=tmp_path,
        timeout=30,
    )
    assert done.returncode == 42


def test_the_child_imports_nothing_heavy():
    program = "import sys, l2t.decode; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=30
    )
    loaded = set(done.stdout.split())
    assert {"av", "numpy"} <= loaded
    assert not loaded & {"torch", "librosa", "scipy", "gradio", "transformers", "numba"}


def test_huge_but_finite_samples_do_not_overflow():
    data = np.full((8000, 2), 3e38).astype("<f4").tobytes()
    assert np.isfinite(decoded(wav(data, SAMPLE_RATE, 2, bits=32, kind=3))).all()


def test_huge_samples_of_opposite_sign_cancel_out():
    data = np.tile([1.7e308, 1.7e308, -1.7e308, -1.7e308], (8000, 1)).astype("<f8").tobytes()
    assert not decoded(wav(data, SAMPLE_RATE, 4, bits=64, kind=3)).any()


def test_a_packet_may_not_decode_to_any_length(tmp_path, monkeypatch):
    data = recording(tmp_path, "mkv pcm").read_bytes()  # two seconds in one packet
    assert len(decoded(data)) == 2 * SAMPLE_RATE
    monkeypatch.setattr(probe, "FRAME_SAMPLES", 1000)
    assert not len(decoded(data))


def test_a_minute_of_the_largest_kind_stays_far_below_the_bound_on_memory(tmp_path):
    path, (rate, channels, seconds) = tmp_path / "large.wav", (192_000, 8, 60)
    size = rate * channels * 8 * seconds
    path.write_bytes(wav(b"", rate, channels, bits=64, kind=3, size=size))
    with path.open("ab") as file:
        file.truncate(file.tell() + size)  # zeros that take no room on the disk
    limits = Limits(max_bytes=10**9, memory_bytes=Limits().memory_bytes * 2 // 3)
    assert load_speech(path, limits).seconds == seconds
