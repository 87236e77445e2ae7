"""Measures all of it and prints the README's table.

    PYTHONPATH=tests python -m reliability [--quick] [--readme README.md]
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
from gradio_client import handle_file
from served import write_voice

from reliability.app import App, running
from reliability.crowd import alone, burst, together
from reliability.faults import FAULTS, cancelled, hit
from reliability.soak import growth, soak

MARKS = "<!-- reliability: begin -->", "<!-- reliability: end -->"
KEEP, QUOTA = 120, 2000  # seconds and MB in the long day: a minute of takes of all kinds has 300 MB


def recordings(folder: Path, count: int = 12) -> list[Path]:
    """Different voices of one to two seconds."""
    return [write_voice(folder / f"voice{n}.wav", 1.0 + n / count, pitch=100 + 9 * n)
            for n in range(count)]  # fmt: skip


def crowds(sizes: list[tuple[int, int]], folder: Path) -> list[tuple[str, str]]:
    rows, voices = [], recordings(folder)
    with running() as app:
        ready = app.wait_until_ready()
        rows.append(("models ready after the page", f"{ready:.1f} s"))
        truth = alone(app, voices)
        for users, jobs in sizes:
            found = together(app, voices, truth, users, jobs)
            note(found.row())
            name = f"{users} users" if users > 1 else "one user"
            rows.append((f"{name}, {jobs} takes each", found.row()))
        refused, words = burst(app, voices[0], 12)
        rows.append(("one user orders 12 takes at once",
                     f"{refused} refused: “{'” “'.join(sorted(words))}”"))  # fmt: skip
    return rows


def recoveries(folder: Path) -> list[tuple[str, str]]:
    rows = []
    long, short = write_voice(folder / "long.wav", 20.0), write_voice(folder / "short.wav", 1.0)
    with running() as app:
        app.wait_until_ready()
        for name in FAULTS:
            found = hit(app, long, short, name)
            note(f"{found}")
            rows.append((
                name, f"“{found.told}” The next in line has its film {found.back:.1f} s later "
                      f"({found.usual:.1f} s when all is well)",
            ))  # fmt: skip
        rows.append(("cancel until the worker is free", f"{cancelled(app, long):.2f} s"))
        rows.append(("stopped (SIGTERM) in a job", stopped(app, short)))
    return rows


def stopped(app: App, recording: Path) -> str:
    """What a SIGTERM in the middle of a job leaves behind."""
    children = app.tree.children(recursive=True)
    job = app.client().submit(handle_file(str(recording)), size=256, api_name="/animate")
    while not app.health()["queue"]["running"]:
        time.sleep(0.02)
    begun = time.monotonic()
    app.process.terminate()
    finished = "finished" if job.result(timeout=60) else "lost"
    status, seconds = app.process.wait(60), time.monotonic() - begun
    left = len(psutil.wait_procs(children, timeout=5)[1])
    return (f"the job was {finished}; status {status} after {seconds:.1f} s; {left} processes and "
            f"{app.files()} files left")  # fmt: skip


def long_day(jobs: int, folder: Path) -> list[tuple[str, str]]:
    flags = ("--keep-seconds", str(KEEP), "--deadline", str(KEEP / 2), "--quota-mb", str(QUOTA))
    with running(*flags) as app:
        app.wait_until_ready()
        looks, seconds = soak(app, recordings(folder), jobs, lambda found: note(str(found)))
        time.sleep(3)
        first, last = looks[0], looks[-1]
        most = max(found.disk for found in looks) / 1e6
        health = httpx.get(f"{app.address}/health", timeout=30).json()
        return [
            (f"{jobs} jobs of all kinds", f"{seconds / 60:.1f} min; {health['queue']['failed']} "
                                          f"failed, {health['worker']['restarts']} restarts"),
            ("memory of all processes", f"{first.memory['all']:.0f} MB after {first.jobs} jobs, "
                                        f"{last.memory['all']:.0f} MB after {last.jobs}; "
                                        f"{growth(looks):+.1f} MB in 100 jobs at the end"),
            ("processes, open files of the server",
             f"{first.processes} and {first.files}, at the end {last.processes} and {last.files}"),
            ("disk", f"{most:.0f} MB at most; quota {QUOTA} MB, files go after {KEEP} s"),
        ]  # fmt: skip


def note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(rows: list[tuple[str, str]]) -> str:
    lines = ["| what | measured |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]
    return "\n".join(lines)


def put(readme: Path, text: str) -> None:
    """The table between its marks."""
    begin, end = map(re.escape, MARKS)
    old = readme.read_text(encoding="utf-8")
    block = f"{MARKS[0]}\n{text}\n{MARKS[1]}"
    readme.write_text(re.sub(f"{begin}.*?{end}", lambda _: block, old, flags=re.S), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser("python -m reliability", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few jobs of each, to try it out")
    parser.add_argument("--jobs", type=int, default=500, help="of the long day")
    parser.add_argument("--readme", type=Path, help=f"put the table between {' and '.join(MARKS)}")
    parser.add_argument("--only", choices=("crowd", "faults", "day"), help="one part alone")
    options = parser.parse_args()
    sizes = [(1, 2), (3, 1)] if options.quick else [(1, 5), (4, 5), (20, 5)]
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "crowd"):
            rows += crowds(sizes, Path(folder))
        if options.only in (None, "faults"):
            rows += recoveries(Path(folder))
        if options.only in (None, "day"):
            rows += long_day(30 if options.quick else options.jobs, Path(folder))
    print(table(rows))
    if options.readme:
        put(options.readme, table(rows))


if __name__ == "__main__":
    main()
