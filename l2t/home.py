"""The folder of a run of the page: a lock says that the run lives, so that no other removes it."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from l2t.jobs import remove

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that is open: that is lock enough
    fcntl = None

PREFIX, LOCK = "learn2talk-run-", "lock"
DAY = 86_400.0  # s
# Another user's folder may hold anything under that name: nothing to follow, nothing to wait for.
OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def home() -> Iterator[Path]:
    """A new folder for this run's files, and none but those; it is removed at the end.

    What runs left behind that were killed is removed now.
    """
    sweep(Path(tempfile.gettempdir()))
    made = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    with made as folder, _held(Path(folder)):
        files = Path(folder, "files")  # the lock lies outside, for what lies here goes with age
        files.mkdir(mode=0o700)
        yield files


def sweep(parent: Path) -> None:
    """Remove the folders of runs that have ended without removing them.

    Those without a lock, of a file system that has none, are given a day.
    """
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            _remove_dead(folder)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder's lock, as long as the block or the process lasts."""
    with (folder / ("new" if fcntl else LOCK)).open("xb") as file:
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
                os.rename(file.name, folder / LOCK)  # nobody sees it before it is held
        yield


def _remove_dead(folder: Path) -> None:
    lock = folder / LOCK
    if not lock.exists():
        if folder.stat().st_mtime < time.time() - DAY:
            remove(folder)
    elif fcntl is None:
        lock.unlink()
        remove(folder)
    else:
        file = os.open(lock, OPEN)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(folder)
        finally:
            os.close(file)
