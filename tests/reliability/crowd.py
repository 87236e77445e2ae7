"""Many users at once: no result is mixed up, and what it costs each of them."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gradio_client.exceptions import AppError

from reliability.app import App, ask

SIZE = 256


@dataclass(frozen=True)
class Crowd:
    """users: at once; jobs: in all; wrong: whose bytes are not those made alone; waits: seconds
    from order to result of each job; seconds: for all of it.
    """

    users: int
    jobs: int
    wrong: int
    waits: np.ndarray
    seconds: float

    def row(self) -> str:
        half, most = np.percentile(self.waits, [50, 95])
        return (f"{60 * self.jobs / self.seconds:.0f} takes a minute; wait {half:.1f} s median, "
                f"{most:.1f} s for 95 %; {self.wrong} of {self.jobs} differ")  # fmt: skip


def digest(made: Sequence) -> str:
    """Of all files of /animate."""
    film, _, csv, npz = made
    return hashlib.sha256(b"".join(Path(p).read_bytes() for p in (film, csv, npz))).hexdigest()


def alone(app: App, recordings: Sequence[Path]) -> list[str]:
    """The digests when one user orders one after the other."""
    client = app.client()
    return [digest(ask(client, recording, size=SIZE)) for recording in recordings]


def together(app: App, recordings: Sequence[Path], truth: Sequence[str], users: int, jobs: int):
    """`users` users order `jobs` takes each, each in an order of his own."""

    def user(number: int) -> list[tuple[float, bool]]:
        client, found = app.client(), []
        for turn in range(jobs):
            which = (7 * number + turn) % len(recordings)
            begun = time.monotonic()
            right = digest(ask(client, recordings[which], size=SIZE)) == truth[which]
            found.append((time.monotonic() - begun, right))
        return found

    begun = time.monotonic()
    with ThreadPoolExecutor(users) as pool:
        found = [one for own in pool.map(user, range(users)) for one in own]
    waits, right = np.array([w for w, _ in found]), [r for _, r in found]
    return Crowd(users, len(found), right.count(False), waits, time.monotonic() - begun)


def burst(app: App, recording: Path, orders: int) -> tuple[int, set[str]]:
    """One user orders very much at once: how many were refused, and in which words."""
    client = app.client()

    def order(_) -> str | None:
        try:
            ask(client, recording, size=SIZE)
        except AppError as refusal:
            return str(refusal)
        return None

    with ThreadPoolExecutor(orders) as pool:
        told = [sentence for sentence in pool.map(order, range(orders)) if sentence]
    return len(told), set(told)
