"""JSON bodies: read whole within a bound, and judged before Gradio parses them."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

from l2t.ui.guard.refusal import Refusal
from l2t.ui.guard.routes import EVENT

Receive = Callable[[], Awaitable[dict]]

BYTES = 262_144  # the page sends some 2,000
SECONDS = 15.0  # for the whole of it to arrive
DEPTH, BRACKETS, STRING = 16, 2_000, 8_192  # levels, lists and objects in all, bytes of one string

# A string, to its end or that of the body, so that no byte is looked at twice; or a bracket.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//|\\\\")  # a scheme, or a host's share
_NAME = re.compile(EVENT)
_TOO_LARGE = "The request is larger than the page's own; at most {limit:,} bytes are accepted."


async def read_json(receive: Receive, declared: int | None) -> bytes:
    """The whole body, judged; declared: its Content-Length. Raises Refusal."""
    if declared is not None and declared > BYTES:
        raise Refusal(413, _TOO_LARGE.format(limit=BYTES))
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The request broke off.")
                body += message.get("body", b"")
                if len(body) > BYTES:
                    raise Refusal(413, _TOO_LARGE.format(limit=BYTES))
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Refusal(408, "The request took too long to arrive; please try again.") from None
    judge_json(bytes(body))
    return bytes(body)


def judge_json(body: bytes) -> None:
    """Raise Refusal unless it is a shallow JSON object in UTF-8 that names no address as a file."""
    if b"\0" in body:  # what Python would take for UTF-16 or UTF-32
        raise Refusal(400, "The request is not JSON in UTF-8.")
    depth = brackets = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first == 0x22 and token.end() - token.start() > STRING:
            raise Refusal(413, f"A text in the request is longer than {STRING:,} bytes.")
        if first in b"[{":
            depth, brackets = depth + 1, brackets + 1
            if depth > DEPTH or brackets > BRACKETS:
                raise Refusal(400, f"The request is nested deeper than {DEPTH} levels or too long.")
        elif first in b"]}":
            depth -= 1
    try:
        value = json.loads(body, parse_constant=_no_number)
    except ValueError:
        raise Refusal(400, "The request is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise Refusal(422, "The request must be a JSON object.")
    _judge_names(value)
    _no_addresses(value)


def _judge_names(value: dict) -> None:
    """Whose request it is: Gradio keeps these, and fails on some that are none."""
    for name in ("session_hash", "event_id"):
        given = value.get(name)
        if given is not None and not (isinstance(given, str) and _NAME.fullmatch(given)):
            raise Refusal(422, f"{name} must be 1 to 128 letters, digits, _ or -.")


def _no_number(name: str) -> None:
    raise Refusal(422, f"{name} is not a number that is accepted.")


def _no_addresses(value: object) -> None:
    """Gradio would fetch a file that is named by an address, from the server's place in the net."""
    if isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and _ADDRESS.match(path.strip()):
            raise Refusal(
                422, "A file is named by what its upload was answered with; addresses are not read."
            )
        for inner in value.values():
            _no_addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            _no_addresses(inner)


def replay(body: bytes, receive: Receive) -> Receive:
    """As `receive`, for a body that was read already."""
    pieces = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> dict:
        return pieces.pop() if pieces else await receive()

    return again
