"""What stands between the network and Gradio: an ASGI middleware that turns away and bounds.

It closes the routes that the page does not need, bounds headers, bodies, uploads, disk and the
number of requests at a time, dresses every answer with headers for the browser, and sees to it
that a failure is told in one sentence.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers

from l2t.ui.guard.answers import Answer
from l2t.ui.guard.disk import Disk
from l2t.ui.guard.json_bodies import Receive, read_json, replay
from l2t.ui.guard.places import Places
from l2t.ui.guard.refusal import Refusal
from l2t.ui.guard.routes import Kind, find
from l2t.ui.guard.uploads import OVERHEAD, Upload, too_large

Send = Callable[[dict], Awaitable[None]]

log = logging.getLogger(__name__)
HEADERS, HEADER_BYTES, TARGET = 64, 16_384, 4_096  # number, size of all, size of path and query
OPEN, UPLOADS = 512, 32  # requests and uploads at a time; open streams count, two to a tab
RANGE = re.compile(rb"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})")
FAILED = "Something went wrong on our side; please try again."


@dataclass(frozen=True)
class Rules:
    """max_bytes: of one uploaded file.  on_space: whether the page runs on a Hugging Face Space."""

    max_bytes: int
    on_space: bool = False


class Guard:
    """The middleware; one for the app."""

    def __init__(self, app: Callable, rules: Rules, disk: Disk):
        self.app, self.rules, self.disk = app, rules, disk
        self._requests = Places(OPEN, "Too many requests are open; please try again in a minute.")
        self._uploads = Places(UPLOADS, "Too many uploads are under way; please try again soon.")

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(scope, send, self.rules.on_space)
        try:
            headers = Headers(scope=scope)
            answer.kind = self._judge(scope, headers)
            with self._requests.one(_address(scope)):
                await self._serve(scope, receive, answer, headers)
        except Refusal as refusal:
            await answer.refuse(refusal)
        except Exception:
            log.exception("%s %s failed", scope["method"], answer.kind)
            await answer.refuse(Refusal(500, FAILED))

    def _judge(self, scope: dict, headers: Headers) -> Kind:
        """Raise Refusal for what is not open or not wanted, by its head alone."""
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if len(scope["headers"]) > HEADERS or size > HEADER_BYTES:
            raise Refusal(431, "The request has more headers than are accepted.")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET:
            raise Refusal(414, f"The address is longer than {TARGET:,} bytes.")
        found = find(scope["method"], scope["path"])
        if found == 404:
            raise Refusal(404, "There is nothing at this address.")
        if found == 405:
            raise Refusal(405, "This address is not asked in this way.")
        if scope["method"] == "POST" and headers.get("sec-fetch-site") == "cross-site":
            raise Refusal(403, "Other sites may not send requests to this page.")
        return found

    async def _serve(self, scope: dict, receive: Receive, answer: "Answer", head: Headers) -> None:
        if answer.kind is Kind.JSON:
            body = await read_json(receive, _length(head))
            receive = replay(body, receive)
        elif answer.kind is Kind.UPLOAD:
            await self._upload(scope, receive, answer, head)
            return
        elif answer.kind is Kind.FILE:
            scope = scope | {"headers": [each for each in scope["headers"] if _understood(*each)]}
        await self.app(scope, receive, answer.send)

    async def _upload(self, scope: dict, receive: Receive, answer: "Answer", head: Headers) -> None:
        limit = self.rules.max_bytes + OVERHEAD
        with self._uploads.one(_address(scope)):
            if (_length(head) or 0) > limit:
                raise too_large(limit)
            await self.disk.make_room()
            kind = head.get("content-type", "").encode("latin-1")
            upload = Upload(receive, kind, limit, self.disk.take)
            answer.upload = upload
            await self.app(scope, upload.receive, answer.send)
        if upload.refusal:
            raise upload.refusal


def _understood(name: bytes, value: bytes) -> bool:
    """A range that is no plain one is left out, and the whole file sent: Gradio fails on it."""
    return name != b"range" or RANGE.fullmatch(value) is not None


def _address(scope: dict) -> str:
    return (scope.get("client") or ("", 0))[0]


def _length(headers: Headers) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
