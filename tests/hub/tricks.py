"""What a hostile Hub, or somebody in between, may answer.

A trick is a function of the request's handler that sends the answer itself and says whether it did;
`LoopbackHub.trick` takes one.
"""

import gzip
import time
from collections.abc import Callable

from hub.handler import Handler

Trick = Callable[[Handler], bool]
COMMIT, SUM = "0" * 40, "1" * 64
FOREVER = 5000  # blocks of 64 KiB: more than any test's disk or patience, and yet an end


def only(method: str, ending: str, answer: Callable[[Handler], None]) -> Trick:
    """`answer` to requests of one method ("" = any) whose path ends so; the Hub's to others."""

    def trick(handler: Handler) -> bool:
        hit = handler.command.startswith(method) and handler.path.endswith(ending)
        if hit:
            answer(handler)
        return hit

    return trick


def raw(*pieces: bytes, pause: float = 0.0) -> Callable[[Handler], None]:
    """Bytes as they are, status line and all."""

    def answer(handler: Handler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if pause and handler.hub.closing.wait(pause):
                return

    return answer


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[Handler], None]:
    """A complete answer; underscores in names of headers stand for hyphens."""

    def answer(handler: Handler) -> None:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        handler.send(code, body, {"Connection": "close", **named})

    return answer


def endless(code: int = 200, **headers: str) -> Callable[[Handler], None]:
    """A body without a length that goes on and on."""

    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, text in {"Transfer-Encoding": "chunked", **headers}.items():
            handler.send_header(name.replace("_", "-"), text)
        handler.end_headers()
        block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(FOREVER):
            if handler.command == "HEAD" or handler.hub.closing.is_set():
                return
            handler.wfile.write(block)

    return answer


def drip(handler: Handler) -> None:
    """One byte in a while, so that no time-out between two bytes strikes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    until = time.monotonic() + 30
    while time.monotonic() < until and not handler.hub.closing.wait(0.05):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def endless_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(100_000):
        if handler.hub.closing.is_set():
            return
        handler.wfile.write(b"X-%d: %s\r\n" % (i, b"x" * 1000))


def bomb(encoding: str) -> Callable[[Handler], None]:
    """Much out of little: 20 MB of zeros."""
    data = gzip.compress(bytes(20_000_000)) if encoding == "gzip" else b"\x5b\xff" * 100

    return status(200, data, Content_Encoding=encoding)


def told(**headers: str) -> Callable[[Handler], None]:
    """What a Hub says of a small file of 20 bytes, and other headers in place of its own."""

    def answer(handler: Handler) -> None:
        commit = next(iter(handler.hub.repos.values())).refs["main"]
        own = {"X_Repo_Commit": commit, "ETag": f'"{SUM}"', "Content_Length": "20"}
        status(200, b"", **own | headers)(handler)

    return answer


def to(place: str, **headers: str) -> Callable[[Handler], None]:
    """A redirect, with the headers of a large file so that the client believes it."""

    def answer(handler: Handler) -> None:
        commit = next(iter(handler.hub.repos.values())).refs["main"]
        own = {"X_Repo_Commit": commit, "X_Linked_Etag": f'"{SUM}"', "X_Linked_Size": "20"}
        where = place.replace("HERE", handler.hub.url)
        status(302, b"", Location=where, **own | headers)(handler)

    return answer
