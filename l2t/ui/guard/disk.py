"""The disk that uploads take: room is made before one begins, and what is old goes."""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path

from l2t.disk import FULL, Quota
from l2t.errors import Busy
from l2t.ui.guard.refusal import Refusal

log = logging.getLogger(__name__)
FRESH = 2.0  # s for which a measurement serves


class Disk:
    """Gradio's cache folder. All calls come from one event loop.

    keep: age in seconds at which files go.  quota: bounds this folder and what else is in its own;
    None: no bound.

    Gradio removes by itself what it handed out, and knows no bound; what it leaves for good are
    the halves of uploads that broke off, and the folder that each file had to itself.
    """

    def __init__(self, folder: Path, keep: float, quota: Quota | None = None):
        self.folder, self.keep, self.quota = folder, keep, quota
        self._used, self._measured = 0, float("-inf")  # bytes, monotonic seconds of the measurement
        self._room, self._looked = 0, float("-inf")  # the same, of what the disk has left

    async def make_room(self) -> None:
        """Before an upload; where the quota is used up, the oldest files go.

        Raises Refusal when there is still no room.
        """
        if self.quota is None or time.monotonic() - self._measured < FRESH:
            return
        self._measured, before = time.monotonic(), self._used
        try:
            used = await asyncio.to_thread(_make_room, self.quota)
        except Busy as full:
            self._measured = float("-inf")
            raise Refusal(507, str(full)) from None
        self._used = used + self._used - before  # with what others took in the meantime
        self._looked = float("-inf")

    def take(self, size: int) -> None:
        """Bytes of an upload that are about to be written; raises Refusal where the quota ends, or
        the disk: between two looks at it all uploads count together.
        """
        if self.quota is None:
            return
        if time.monotonic() - self._looked >= FRESH:
            self._room, self._looked = self.quota.room(), time.monotonic()
        self._used += size
        self._room -= size
        if self._used > self.quota.most or self._room < 0:
            raise Refusal(507, FULL)

    async def sweep(self) -> None:
        """Remove what is older than `keep`."""
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        limit = time.time() - self.keep
        for place, _, names in os.walk(self.folder, topdown=False):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # somebody else removed it
                    _remove_older(Path(place, name), limit)
            with contextlib.suppress(OSError):  # it is not empty, or gone
                if Path(place) != self.folder and os.stat(place).st_mtime < limit:
                    os.rmdir(place)


def _make_room(quota: Quota) -> int:
    quota.make_room()
    return quota.used()


def _remove_older(file: Path, limit: float) -> None:
    """By the time at which it came here: a copy may bring an older time of change along."""
    if file.lstat().st_ctime >= limit:
        return
    try:
        file.unlink()
    except PermissionError as error:
        log.warning("a file of the cache cannot be removed: %s", error.strerror)
