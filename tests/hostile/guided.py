"""Searches for bad files, guided by what they reach: `python -m hostile.guided --seconds 600`.

Run with `PYTHONPATH=.:tests` from the repository. Honest files of every accepted format are mutated
(`hostile.mutants`); a mutant that reaches a branch of probe and decode, an outcome or a complaint
of libav that none reached before is kept and mutated further. Each input is decoded by a forked
child in the way of a visitor's file. Seeds are fixed, and the run ends by itself.
"""

import argparse
import json
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hostile.batch import LOADERS, fork_from_here, outcome
from hostile.features import Features
from hostile.forked import Forked
from hostile.honest import honest
from hostile.mutants import MUTATIONS, mutate
from l2t import decode, fence, mouth_child, pcm, probe

MODULES = {
    "recordings": [decode, fence, pcm, probe],
    "films": [mouth_child, fence],
}
SECONDS = 0.25  # of the honest files
DEPTHS = (1, 1, 1, 2, 4)  # mutations at a time
LARGEST = 100_000  # bytes of an input that is mutated further
LATE = "could not be decoded within"


@dataclass
class Report:
    """What a run found; the inputs themselves lie in its folder."""

    target: str
    executions: int = 0
    kept: int = 0
    takes: int = 0
    peak_mb: float = 0.0  # of a child
    own_mb: float = 0.0  # of this process
    slowest: float = 0.0  # seconds of a processor
    outcomes: Counter = field(default_factory=Counter)  # by sentence, numbers left out
    died: list[str] = field(default_factory=list)  # what of, and the input
    late: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)  # sentences that are none, or tell too much
    lines: int = 0
    missing: list[str] = field(default_factory=list)  # lines of code that nothing reached

    def add(self, found: dict, save: Callable[[str], str]) -> None:
        self.executions += 1
        sentence = found.get("sentence", "")
        self.takes += not sentence
        self.outcomes[re.sub(r"-?[\d.]+(e[+-]\d+)?", "#", sentence) or "a take"] += 1
        if found.get("cpu", 0.0) > self.slowest:
            self.slowest = found["cpu"]
            save("slowest")
        self.peak_mb = max(self.peak_mb, found.get("peak_mb", 0.0))
        if found.get("died"):
            self.died.append(f"{found['died']} {save('died')}")
        if LATE in sentence:
            self.late.append(save("late"))
        if sentence and not (plain(sentence) and "/" not in sentence):
            self.odd.append(f"{sentence!r} {save('odd')}")


def plain(sentence: str) -> bool:
    """Whether it is one line that begins and ends as a sentence does and is not too long."""
    return bool(re.fullmatch(r"[A-Z].{10,300}\.", sentence)) and sentence.isprintable()


def guide(target: str, seconds: float, count: int, seed: int, folder: Path) -> Report:
    """Search for that long or that many inputs, whichever ends first."""
    rng, features, report = np.random.default_rng(seed), Features(MODULES[target]), Report(target)
    pool = [path.read_bytes() for path in honest(target, folder, SECONDS, too_long=True)]
    first, path, end = list(pool), folder / "input", time.monotonic() + seconds
    Forked.traced = features.traced
    while report.executions < count and time.monotonic() < end:
        if first:
            data = first.pop()
        else:
            recent = len(pool) - 20 if len(pool) > 20 and rng.random() < 0.5 else 0
            data = pool[rng.integers(recent, len(pool))]
            for _ in range(DEPTHS[rng.integers(len(DEPTHS))]):
                mutation = MUTATIONS[rng.integers(len(MUTATIONS))]
                data = mutate(data or b"\0", pool[rng.integers(len(pool))], rng, mutation)
        path.write_bytes(data)
        found = outcome(path, LOADERS[target])
        features.mark((re.sub(r"[\d.]+", "#", found.get("sentence", "")), round(
            np.log2(1 + found.get("seconds", 0)) * 2)))
        report.add(found, lambda what: _save(folder, what, report.executions, data))  # noqa: B023
        if features.news() and len(data) <= LARGEST:
            pool.append(data)
            report.kept += 1
    report.lines = len(features.lines)
    report.missing = [f"{Path(file).name}:{line}" for file, line in features.missing()]
    report.own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return report


def _save(folder: Path, what: str, number: int, data: bytes) -> str:
    """Where the input lies from now on; of the slowest only the last is of interest."""
    path = folder / (what if what == "slowest" else f"{what}-{number}")
    path.write_bytes(data)
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for both kinds of files")
    parser.add_argument("--count", type=int, default=10**9, help="inputs of each kind at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the inputs that were found")
    options = parser.parse_args()
    fork_from_here()
    reports = []
    for target, share in (("recordings", 0.7), ("films", 0.3)):
        folder = options.keep / target if options.keep else Path(tempfile.mkdtemp())
        folder.mkdir(parents=True, exist_ok=True)
        seconds = options.seconds * share
        report = guide(target, seconds, options.count, options.seed, folder)
        reports.append(report.__dict__)
    print(json.dumps(reports, indent=1))


if __name__ == "__main__":
    main()
