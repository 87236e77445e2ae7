"""Connections on which nothing is asked: closed after a while, or they would use up the server.

uvicorn waits without end for the first byte of a request and for the end of its head.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

PATIENCE = 30.0  # s without a request in hand
CROWD, HURRY = 400, 3.0  # from so many connections on, so many seconds


class Connections:
    """Sweeps the connections of a uvicorn server.

    listed: gives those that are open now; each has `transport` and `cycle`, its last request.
    """

    def __init__(
        self, listed: Callable[[], Iterable[Any]], clock: Callable[[], float] = time.monotonic
    ):
        self._listed, self._clock = listed, clock
        self._waiting: dict[Any, tuple[Any, float]] = {}  # the last request, and since when

    async def sweep(self) -> None:
        """Close those that have waited too long; on the server's event loop."""
        now, open_ones = self._clock(), list(self._listed())
        patience = HURRY if len(open_ones) > CROWD else PATIENCE
        still = {}
        for connection in open_ones:
            last = getattr(connection, "cycle", None)
            if last is not None and not last.response_complete:
                continue
            request, since = self._waiting.get(connection, (last, now))
            if request is not last:  # there was one in between
                since = now
            if now - since > patience:
                connection.transport.close()
            else:
                still[connection] = (last, since)
        self._waiting = still
