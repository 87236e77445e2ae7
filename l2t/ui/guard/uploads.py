"""Uploads: multipart bodies in passing, counted, timed, and made of a few files only."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import PurePath

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.formparsers import MultiPartException

from l2t.ui.guard.refusal import Refusal

Receive = Callable[[], Awaitable[dict]]

PARTS = 8  # files in one upload; the page sends one
OVERHEAD = 65_536  # bytes of an upload that are not the file: boundaries, names
IDLE, SECONDS = 20.0, 900.0  # between two pieces of an upload, and for all of it
GRACE, SLOWEST = 15.0, 4_096  # seconds before an upload's pace counts, bytes a second it must keep
TOO_SLOW = "The upload was too slow and was given up; please try again."


class Upload:
    """A multipart body in passing: counted, timed, and made of a few files and nothing else.

    What is wrong is raised as Starlette's MultiPartException, on which Gradio removes what it has
    written so far; after other errors, and when a visitor goes away, it would leave it for good.
    limit: bytes of the whole body.  take: called with each piece's length; may raise Refusal.
    """

    def __init__(self, receive: Receive, content_type: bytes, limit: int, take: Callable):
        self._receive, self._limit, self._take = receive, limit, take
        self._begun, self._bytes, self._parts = time.monotonic(), 0, 0
        self._field, self._value, self._what, self._ended = b"", b"", {}, False
        self.refusal: Refusal | None = None
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
            raise Refusal(400, "An upload must be multipart/form-data with a boundary.")
        names = (
            "part_begin", "header_field", "header_value", "header_end", "headers_finished", "end",
        )  # fmt: skip
        self._parser = MultipartParser(
            boundary, {f"on_{name}": getattr(self, f"_{name}") for name in names}
        )

    async def receive(self) -> dict:
        """The next piece."""
        try:
            return await self._next()
        except Refusal as refusal:
            self.refusal = refusal
            raise MultiPartException(str(refusal)) from None

    async def _next(self) -> dict:
        try:
            async with asyncio.timeout(IDLE):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408, TOO_SLOW) from None
        if message["type"] == "http.disconnect":
            raise Refusal(400, "The upload broke off.")
        self._judge(message.get("body", b""))
        if not message.get("more_body") and not self._ended:
            raise Refusal(400, "The upload is incomplete.")
        return message

    def _judge(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes > self._limit:
            raise too_large(self._limit)
        seconds = time.monotonic() - self._begun
        if seconds > SECONDS or (seconds > GRACE and self._bytes < SLOWEST * seconds):
            raise Refusal(408, TOO_SLOW)
        self._take(len(piece))
        try:
            self._parser.write(piece)
        except FormParserError:
            raise Refusal(400, "The upload is not well-formed multipart/form-data.") from None

    def _part_begin(self) -> None:
        self._parts, self._what = self._parts + 1, {}
        if self._parts > PARTS:
            raise Refusal(413, f"At most {PARTS} files are accepted in one upload.")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._what = parse_options_header(self._value)[1]
        self._field = self._value = b""

    def _headers_finished(self) -> None:
        """What is no file Gradio would gather in memory; a file of another field it would forget,
        but keep.
        """
        if b"filename" not in self._what or self._what.get(b"name") != b"files":
            raise Refusal(400, 'An upload is made of files, in its field "files", only.')
        if PurePath(self._what[b"filename"].decode(errors="replace")).name == "..":
            raise Refusal(400, 'A file cannot be named ".."; please give it another name.')

    def _end(self) -> None:
        self._ended = True


def too_large(limit: int) -> Refusal:
    """For a file or a whole upload."""
    return Refusal(413, f"The file is too large; at most {(limit - OVERHEAD) / 1e6:.0f} MB.")
