"""How a decoding child talks to its parent: a tag and a length, then that many bytes."""

from struct import Struct
from typing import BinaryIO

DATA = b"S"  # a block of what was decoded
DONE = b"D"  # the end of a good file; JSON with what it was
REFUSED = b"E"  # the end of a refused one; a sentence
MOST_BYTES = 1 << 23  # no payload is larger
_HEAD = Struct("<cI")  # tag, bytes of the payload


def send(pipe: BinaryIO, tag: bytes, payload: bytes) -> None:
    """Write one message."""
    pipe.write(_HEAD.pack(tag, len(payload)) + payload)


def receive(pipe: BinaryIO) -> tuple[bytes, bytes]:
    """Read one message: (tag, payload); EOFError if it is cut off, ValueError if it is none."""
    tag, size = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if size > MOST_BYTES or tag not in (DATA, DONE, REFUSED):
        raise ValueError("not a message of a decoder")
    return tag, _exactly(pipe, size)


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
