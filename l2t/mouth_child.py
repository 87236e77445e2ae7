"""The child that decodes one untrusted film of a mouth, a program of its own.

    python -P -m l2t.mouth_child '{"side": 96, ...}' < film > answer

Like `l2t.decode`: the film comes as an open file on standard input, and after the imports the
process may open and write no file.  The answer: one line of JSON, {"frames", "fps"} or
{"refused"}, then the grey pictures.
"""

import io
import json
import sys
from typing import BinaryIO

import av
import av.error
import av.subtitles.stream  # imported by PyAV on first use
import numpy as np

from l2t.decode import confine


class Refused(Exception):
    """The film is not accepted; one sentence says why."""


def pictures(file: BinaryIO, limits: dict) -> tuple[np.ndarray, float]:
    """(grey (frames, side, side) uint8, frames a second). Raises Refused."""
    side = limits["side"]
    with av.open(file, mode="r") as container:
        if not container.streams.video:
            raise Refused("The film holds no pictures; a film of a mouth is expected.")
        stream = container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        if (width, height) != (side, side):
            raise Refused(
                f"The film's pictures are {width} x {height} pixels; accepted are "
                f"{side} x {side} of the mouth alone, cut as for GRID: this page finds no faces."
            )
        fps = float(stream.average_rate or 0)
        if not limits["fps"][0] <= fps <= limits["fps"][1]:
            raise Refused(
                f"The film has {fps:.1f} pictures a second; accepted are "
                f"{limits['fps'][0]:g} to {limits['fps'][1]:g}."
            )
        most, found = int(limits["max_seconds"] * fps) + 1, []
        for picture in container.decode(stream):
            if (picture.width, picture.height) != (side, side) or len(found) >= most:
                raise Refused(f"The film is longer than {limits['max_seconds']:g} seconds.")
            found.append(picture.to_ndarray(format="gray"))
    if not found:
        raise Refused("The film holds no pictures; a film of a mouth is expected.")
    return np.stack(found), fps


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
    pictures(file, limits)


def main() -> None:
    limits = json.loads(sys.argv[1])
    av.logging.set_level(None)
    rehearse(limits)
    confine(limits["memory_bytes"], limits["seconds"])
    out = sys.stdout.buffer
    try:
        found, fps = pictures(sys.stdin.buffer, limits)
        out.write(json.dumps({"frames": len(found), "fps": fps}).encode() + b"\n")
        out.write(found.tobytes())
    except Refused as refusal:
        out.write(json.dumps({"refused": str(refusal)}).encode() + b"\n")
    except (av.error.FFmpegError, ValueError, MemoryError, OverflowError):
        sentence = "The film is damaged and cannot be read; mp4, mov, mkv or webm are accepted."
        out.write(json.dumps({"refused": sentence}).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
