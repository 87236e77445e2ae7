"""`/health`: whether the service can serve, for who watches over it; no visitor's data."""

import asyncio
import json
import logging
from collections.abc import Callable

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

log = logging.getLogger(__name__)
PATIENCE = 3.0  # s for the service to say how it is
STATES = ("loading", "ok", "degraded", "failing")
NUMBER, TEXT = (int, float), (str,)
SHAPE = {  # all that is told; what else is in the answer of the service stays inside
    "status": TEXT,
    "version": TEXT,
    "weights": {"label": TEXT, "digest": TEXT},
    "device": TEXT,
    "renderer": TEXT,
    "queue": {
        "waiting": NUMBER, "capacity": NUMBER, "running": NUMBER, "finished": NUMBER,
        "failed": NUMBER,
    },
    "worker": {"state": TEXT, "restarts": NUMBER, "memory": NUMBER},  # memory in bytes
    "uptime": NUMBER,  # s
}  # fmt: skip


def health_route(status: Callable[[], dict]) -> Route:
    """The route; status: says how the service is, as `SHAPE` (l2t.service.Service.status).

    200 while it serves, loads or is degraded; 503 when it fails, raises or does not answer.
    """

    async def health(_request: Request) -> Response:
        told = await _ask(status)
        code = 503 if told["status"] == "failing" else 200
        return Response(json.dumps(told), code, {"cache-control": "no-store"}, "application/json")

    return Route("/health", health, methods=["GET"])  # HEAD comes with it


async def _ask(status: Callable[[], dict]) -> dict:
    try:
        async with asyncio.timeout(PATIENCE):
            told = await anyio.to_thread.run_sync(status, abandon_on_cancel=True)
    except TimeoutError:
        log.error("the service does not say how it is")
        return {"status": "failing"}
    except Exception:  # whatever it is, the watcher must learn of it
        log.exception("the service cannot say how it is")
        return {"status": "failing"}
    told = only(told, SHAPE)
    if told.get("status") not in STATES:
        told["status"] = "failing"
    return told


def only(told: dict, shape: dict) -> dict:
    """What of `told` has its place in `shape`: a name with its types or with an inner shape."""
    kept = {}
    for name, wanted in shape.items():
        value = told.get(name)
        if isinstance(wanted, dict):
            kept[name] = only(value, wanted) if isinstance(value, dict) else None
        else:
            kept[name] = value if isinstance(value, wanted) else None
    return kept
