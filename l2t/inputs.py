"""A job's own hold on the files that were ordered with it, from the order to its end.

Uploads go when they are old or the disk is full, whoever still needs them. A hard link costs
nothing and stays when the upload goes; where none can be made there is a copy.
"""

import contextlib
import logging
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from l2t.jobs import Order
    from l2t.lipjobs import LipOrder

log = logging.getLogger(__name__)
FIELDS = ("recording", "film")  # of orders that name a file


def held(order: "Order | LipOrder", folder: Path, home: Path | None) -> "Order | LipOrder":
    """The order with its files in `folder`, each under its own name, which receipts tell.

    home: below it files are swept; what lies elsewhere stays there, as nobody removes it. None:
    that is not known. What cannot be held is left too: the work says what is wrong with it.
    """
    own = {}
    for field in FIELDS:
        path = getattr(order, field, None)
        if path is not None and (there := _hold(Path(path), folder / field, home)):
            own[field] = there
    return replace(order, **own) if own else order


def refresh(folder: Path, until: float) -> None:
    """Makes what is held there as young as a file of that time (Unix seconds), and so the upload:
    who makes room takes the oldest.
    """
    with contextlib.suppress(OSError):  # its job ended meanwhile
        for file in folder.glob("*/*"):
            os.utime(file, (until, until))


def _hold(path: Path, room: Path, home: Path | None) -> Path | None:
    """Where the file is now too, None if it is not a plain one or cannot be held."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        if home is not None and not path.resolve().is_relative_to(home.resolve()):
            return None
        room.mkdir(0o700, parents=True)
    except (OSError, ValueError):
        return None
    there = room / path.name
    try:
        try:
            os.link(path, there)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, there)
    except OSError as error:
        log.warning("an upload stays where it may be swept: %s", error.strerror)
        shutil.rmtree(room, ignore_errors=True)
        return None
    return there
