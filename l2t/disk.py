"""Room on the disk: visitors' files stay under a quota, and the disk is never filled."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from l2t.errors import Busy

FULL = "The server's disk is full just now; please try again in a few minutes."


@dataclass(frozen=True)
class Quota:
    """folder: below it lie the visitors' files, and nothing else; most: bytes they may take;
    spare: bytes of the disk that stay free; young: seconds for which a file is never removed to
    make room, as somebody may be looking at it.
    """

    folder: Path
    most: int = 2_000_000_000
    spare: int = 200_000_000
    young: float = 600.0

    def used(self) -> int:
        """Bytes."""
        return sum(size for _, size, _ in files_in(self.folder))

    def room(self) -> int:
        """Bytes that may still be written before the disk is too full; below 0 it is already."""
        return shutil.disk_usage(self.folder).free - self.spare

    def make_room(self) -> None:
        """Removes the oldest files while there are too many. Raises `Busy` if it does not help."""
        if self._fits(self.used()):
            return
        limit = time.time() - self.young
        found = sorted(files_in(self.folder), key=lambda file: file[2])
        used = sum(size for _, size, _ in found)
        for path, size, since in found:
            if self._fits(used) or since > limit:
                break
            with contextlib.suppress(OSError):  # somebody else removed it
                path.unlink()
                used -= size
        if not self._fits(self.used()):
            raise Busy(FULL)

    def _fits(self, used: int) -> bool:
        return used <= self.most and self.room() >= 0


def files_in(folder: Path | str) -> Iterator[tuple[Path, int, float]]:
    """Path, bytes and time of arrival of each plain file below a folder; links are not followed."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # it went away meanwhile
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                yield from files_in(entry.path)
            elif entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                yield Path(entry.path), facts.st_size, arrived(facts)


def arrived(facts: os.stat_result) -> float:
    """Since when a file is here: a copy may bring along the time at which its original changed."""
    return max(facts.st_mtime, facts.st_ctime)
