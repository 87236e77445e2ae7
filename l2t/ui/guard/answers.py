"""An answer on its way out: dressed with headers, or a refusal in its place."""

from collections.abc import Awaitable, Callable

from l2t.ui.guard.headers import dressed, page_policy
from l2t.ui.guard.refusal import Refusal
from l2t.ui.guard.routes import Kind
from l2t.ui.guard.uploads import Upload

Send = Callable[[dict], Awaitable[None]]

# Gradio's word for values of a wrong kind or number: an error without a sentence.
NOT_SAID = (b'"error":null', b'"error": null')
SAID = (
    b'"error": "The values of this request are not those that the page sends; '
    b'see Use via API at its foot."'
)


class Answer:
    """What Gradio sends, on its way to who asked; `kind` and `upload` are told as they are known.

    A page is kept back until it is whole, as its policy names its scripts; so is a failure, which
    may want a sentence.
    """

    def __init__(self, scope: dict, send: Send, on_space: bool):
        self._send, self._on_space = send, on_space
        self._asked = scope["method"]
        self.kind: Kind | None = None
        self.upload: Upload | None = None
        self._started = False
        self._kept: dict | None = None  # the start of an answer that is kept back
        self._body = b""

    async def send(self, message: dict) -> None:
        """A message of Gradio's."""
        if self.upload and self.upload.refusal:
            return  # what is sent instead: the refusal
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._kept is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._end()
        else:
            if self.kind is Kind.STREAM:
                message = message | {"body": _said(message.get("body", b""))}
            await self._send(message)

    async def _begin(self, message: dict) -> None:
        message = message | {"headers": dressed(message.get("headers", []), self.kind)}
        page = self.kind is Kind.PAGE and self._asked == "GET"
        if page or message["status"] >= 500:
            self._kept = message
            return
        self._started = True
        await self._send(message)

    async def _end(self) -> None:
        if self.kind is Kind.PAGE:
            policy = page_policy(self._body, self._on_space).encode()
            self._kept["headers"].append((b"content-security-policy", policy))
        await self._whole(self._kept["status"], self._kept["headers"], _said(self._body))

    async def _whole(self, status: int, headers: list, body: bytes) -> None:
        self._started = True
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        """One sentence, unless an answer has begun already."""
        if self._started:
            return
        kind, body = refusal.body(as_text=self.kind is Kind.UPLOAD)
        headers = dressed([(b"content-type", kind)], self.kind or Kind.JSON)
        await self._whole(refusal.status, headers, body)


def _said(body: bytes) -> bytes:
    for nothing in NOT_SAID:
        body = body.replace(nothing, SAID)
    return body
