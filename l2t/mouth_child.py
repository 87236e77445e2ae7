"""The child that decodes one untrusted film of a mouth, a program of its own.

    python -P -m l2t.mouth_child '{"side": 96, ...}' < film > messages

Like `l2t.decode`: the film comes as an open file on standard input, and after the imports the
process may open and write no file.  Messages: each picture (side, side) uint8, then {"fps"}.
"""

import io
import json
import sys
from collections.abc import Iterator
from typing import BinaryIO

import av
import av.subtitles.stream  # imported by PyAV on first use
import numpy as np

from l2t.fence import answer, confine
from l2t.probe import Refused, open_container, prepare, read_head, sniff, too_long

CONTAINERS = ("mov", "matroska")  # names of libav's readers; mp4 and webm are of their families
CODECS = ("h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "libdav1d", "av1")
CODINGS = "H.264, HEVC, MPEG-4, Motion JPEG, VP8, VP9 and AV1 are accepted."
NO_PICTURES = "The film holds no pictures; a film of a mouth is expected."


def open_film(file: BinaryIO, limits: dict):
    """The opened container, its first video stream and its pictures a second, facts checked."""
    name = sniff(read_head(file))
    if name not in CONTAINERS:
        raise Refused(f"The file is not a film in a known format; {limits['formats']}")
    # More than a picture's own: decoders round up to whole blocks and add edges of up to 64 pixels.
    bounds = {"max_pixels": str(16 * limits["side"] ** 2)}
    container = open_container(file, name, CODECS, bounds)
    if not container.streams.video:
        raise Refused(NO_PICTURES)
    stream = container.streams.video[0]
    if stream.codec_context is None or stream.codec_context.name not in CODECS:
        raise Refused(f"The film's pictures are in an unknown coding; {CODINGS}")
    check_side(stream.codec_context.width, stream.codec_context.height, limits)
    fps = float(stream.average_rate or 0)
    low, high = limits["fps"]
    if not low <= fps <= high:
        raise Refused(
            f"The film has {fps:.1f} pictures a second; accepted are {low:g} to {high:g}."
        )
    seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if seconds > 1.1 * limits["max_seconds"] + 1:
        raise too_long(seconds, limits)
    prepare(stream, bounds)
    return container, stream, fps


def check_side(width: int, height: int, limits: dict) -> None:
    """Refuse pictures of other sides than the reader's; 0: libav could or would not tell."""
    side = limits["side"]
    if (width, height) != (side, side):
        found = f"{width} x {height} pixels" if width and height else "of an unknown size"
        raise Refused(
            f"The film's pictures are {found}; accepted are {side} x {side} of the mouth alone, "
            "cut as for GRID: this page finds no faces."
        )


def pictures(file: BinaryIO, limits: dict, facts: dict) -> Iterator[np.ndarray]:
    """Grey pictures (side, side) uint8; `facts` are told the "fps". Raises Refused."""
    container, stream, facts["fps"] = open_film(file, limits)
    most, count = int(limits["max_seconds"] * facts["fps"]) + 1, 0
    with container:
        for picture in container.decode(stream):
            check_side(picture.width, picture.height, limits)
            count += 1
            if count > most:
                raise too_long(None, limits)
            yield picture.to_ndarray(format="gray", threads=1)  # others may not be started
    if not count:
        raise Refused(NO_PICTURES)


def rehearse(limits: dict) -> None:
    """Decode two pictures from memory, so that whatever PyAV imports late is there already."""
    file, side = io.BytesIO(), limits["side"]
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for _ in range(2):
            picture = av.VideoFrame.from_ndarray(np.zeros((side, side, 3), np.uint8), "rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    file.seek(0)
    for _ in pictures(file, limits, {}):
        pass


def serve(file: BinaryIO, out: BinaryIO, limits: dict) -> None:
    """Decode `file` and write messages to `out`."""
    facts = {}
    answer(out, pictures(file, limits, facts), facts, limits)


def main() -> None:
    limits = json.loads(sys.argv[1])
    av.logging.set_level(None)
    rehearse(limits)
    confine(limits["memory_bytes"], limits["cpu_seconds"])
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
