"""Which of Gradio's routes are open: those that the page and its API need, and no others.

Gradio mounts some eighty; among the rest are a proxy, an ffmpeg run on whatever is posted, an
endless reload stream and an editor of the source code. What is not listed here is answered 404.
"""

import re
from dataclasses import dataclass
from enum import Enum

API = "/gradio_api"
NAME = r"[A-Za-z0-9_]{1,64}"
EVENT = r"[A-Za-z0-9_-]{1,128}"  # of a session or an event, made by client or server


class Kind(Enum):
    """What a request is, as far as its body and its answer need different care."""

    PAGE = "page"  # the HTML
    PLAIN = "plain"  # scripts, styles, descriptions
    FILE = "file"  # a visitor's upload or result
    STREAM = "stream"  # server-sent events
    JSON = "json"  # a small JSON body
    UPLOAD = "upload"  # a multipart body


@dataclass(frozen=True)
class Route:
    methods: tuple[str, ...]
    kind: Kind
    path: re.Pattern


def _route(methods: str, kind: Kind, path: str) -> Route:
    return Route(tuple(methods.split()), kind, re.compile(path))


READ, SEND = "GET HEAD", "POST"
ROUTES = (
    _route(READ, Kind.PAGE, r"/"),
    _route(READ, Kind.PLAIN, r"/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json)/?"),
    _route(READ, Kind.PLAIN, r"/(assets|static)/.+"),
    _route(READ, Kind.PLAIN, r"/health"),
    _route(READ, Kind.PLAIN, rf"{API}/(info|openapi\.json|app_id|theme\.css|startup-events)/?"),
    _route(READ, Kind.FILE, rf"{API}/file=/[^/].+"),  # no address: Gradio would fetch it
    _route("GET", Kind.STREAM, rf"{API}/(queue/data|upload_progress)"),
    _route("GET", Kind.STREAM, rf"{API}/heartbeat/{EVENT}"),
    _route("GET", Kind.STREAM, rf"{API}/call/(?!v\d+/){NAME}/{EVENT}"),
    _route(SEND, Kind.JSON, rf"{API}/(queue/join|cancel|reset)/?"),
    _route(SEND, Kind.JSON, rf"{API}/(call|run)/{NAME}/?"),
    _route(SEND, Kind.UPLOAD, rf"{API}/upload"),
)


def find(method: str, path: str) -> Kind | int:
    """What is asked for; 404 where nothing is, 405 where it is there but not for this method."""
    known = False
    for route in ROUTES:
        if route.path.fullmatch(path):
            if method in route.methods:
                return route.kind
            known = True
    return 405 if known else 404
