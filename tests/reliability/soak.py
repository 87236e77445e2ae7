"""A long day: hundreds of jobs of every kind; memory, processes, descriptors and disk meanwhile."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reliability.app import App, ask

EVERY = 25  # jobs between two looks
# The kinds of jobs in turn, the rarest last.
KINDS = (
    ("/animate", {"size": 256}), ("/animate", {"size": 256, "view": "side"}),
    ("/animate_head", {"size": 256, "head": 1}), ("/animate", {"size": 320}),
    ("/compare", {"size": 256}), ("/read_lips", {"film": None, "noise": "babble", "snr": 0}),
    ("/animate", {"size": 256}), ("/avatar", {"size": 256}),
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """After so many jobs: MB of the processes, how many there are, open files of the server,
    bytes on the disk."""

    jobs: int
    memory: dict[str, float]
    processes: int
    files: int
    disk: int


def look(app: App, jobs: int) -> Look:
    return Look(jobs, app.memory(), app.processes(), app.tree.num_fds(), app.disk())


def soak(app: App, recordings: Sequence[Path], jobs: int, tell: Callable[[Look], None]):
    """(looks, seconds). The first look is after all kinds were done twice."""
    client, looks, begun = app.client(), [], time.monotonic()
    first = 2 * len(KINDS)
    for number in range(1, jobs + 1):
        endpoint, wanted = KINDS[number % len(KINDS)]
        ask(client, recordings[number % len(recordings)], endpoint, **wanted)
        if number == first or number % EVERY == 0 and number > first:
            looks.append(look(app, number))
            tell(looks[-1])
    return looks, time.monotonic() - begun


def growth(looks: Sequence[Look]) -> float:
    """MB that the processes together grow in a hundred jobs: the slope of a straight line through
    the second half of the looks."""
    later = looks[len(looks) // 2 :]
    jobs, memory = [x.jobs for x in later], [x.memory["all"] for x in later]
    return 100 * float(np.polyfit(jobs, memory, 1)[0]) if len(later) > 1 else float("nan")
