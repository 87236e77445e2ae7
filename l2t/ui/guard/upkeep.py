"""What is done again and again while the page is served: old files, idle connections."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger(__name__)
Chore = tuple[float, Callable[[], Awaitable[None]]]  # seconds between two times, and what is done


def upkeep(*chores: Chore) -> Callable:
    """A lifespan of an ASGI app: the chores are done from its start to its end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_repeat(*chore)) for chore in chores]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return lifespan


async def _repeat(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except Exception:  # the next time may go better, and nobody else would do it
            log.exception("a chore failed")
