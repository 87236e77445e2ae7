"""The bad films one by one: what a header hides from whoever believes it."""

import json
import subprocess
import sys

import av
import pytest

from hostile.honest import ENVIRONMENT
from hostile.mouths import film
from l2t.errors import SpeechError
from l2t.mouth_clip import load_mouths

LARGE = 4080
# Matroska's elements for width and height, two bytes each, at LARGE.
WIDTH, HEIGHT = b"\xb0\x82\x0f\xf0", b"\xba\x82\x0f\xf0"

KEY_FRAME = b"\x9d\x01\x2a"  # of VP8; width and height follow


def refusal(path) -> str:
    with pytest.raises(SpeechError) as caught:
        load_mouths(path)
    return str(caught.value)


def test_pictures_larger_than_the_header_says_are_never_decoded(tmp_path):
    small = film(tmp_path / "small.webm", "libvpx", frames=1)
    fast = {"deadline": "realtime", "cpu-used": "8"}
    lying = film(tmp_path / "lying.webm", "libvpx", LARGE, frames=1, options=fast)
    data = bytearray(lying.read_bytes())
    for element in (WIDTH, HEIGHT):
        at = data.index(element)
        data[at + 2 : at + 4] = (96).to_bytes(2)
    lying.write_bytes(data)
    command = [sys.executable, "-m", "hostile.batch", "films", small, lying]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=120, check=True)
    honest, found = map(json.loads, done.stdout.splitlines())
    assert honest["seconds"] == 0.04
    assert "sentence" in found
    assert found["peak_mb"] < honest["peak_mb"] + 12  # one such picture takes 25 MB


def test_pictures_that_change_their_size_are_told_so(tmp_path):
    path = film(tmp_path / "two.webm", "libvpx", frames=2, options={"g": "1"})
    data = bytearray(path.read_bytes())
    at = data.rindex(KEY_FRAME)  # of the second picture
    data[at + 3 : at + 7] = (64).to_bytes(2, "little") * 2
    path.write_bytes(data)
    assert "64 x 64 pixels; accepted are 96 x 96" in refusal(path)


def test_a_crowd_of_streams_is_refused(tmp_path):
    path, seen = tmp_path / "crowd.mp4", film(tmp_path / "one.mp4")
    with av.open(str(seen)) as one, av.open(str(path), "w") as out:
        packet = next(one.demux(video=0))
        streams = [out.add_stream_from_template(one.streams.video[0]) for _ in range(40)]
        for packet.stream in streams:
            out.mux(packet)
    assert "memory" in refusal(path)  # libav has none for a seventeenth
