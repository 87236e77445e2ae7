"""Event loops for tests of single parts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def finished(coroutine):
    """Its result, from a thread of its own: browser tests leave an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
