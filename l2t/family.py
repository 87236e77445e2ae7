"""A process and all that it started, down to the last, as psutil sees them."""

import contextlib
from collections.abc import Iterable

import psutil


def below(pid: int) -> list[psutil.Process]:
    """All descendants of a process; none when it has ended, as they are then nobody's."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def held_by(pid: int, family: Iterable[psutil.Process] | None = None) -> int:
    """Resident bytes of a process and its descendants; family: these, where they are known."""
    total = 0
    with contextlib.suppress(psutil.Error):
        total = psutil.Process(pid).memory_info().rss
    for process in below(pid) if family is None else family:
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            total += process.memory_info().rss
    return total


def end(family: Iterable[psutil.Process]) -> None:
    """Ends them and what they started since, at once; a number that was given anew is spared."""
    for process in family:
        with contextlib.suppress(psutil.Error):
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        with contextlib.suppress(psutil.Error):
            process.kill()
