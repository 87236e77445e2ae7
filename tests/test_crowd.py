"""A crowd and a long day in small, over a supervised worker: nothing mixed up, nothing left."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from served import write_voice

from l2t.errors import Busy
from l2t.jobs import Order
from l2t.service import Service, Settings
from l2t.worker.supervised import Supervised

USERS, EACH, LONG_DAY = 20, 2, 40
PATIENCE = 300  # s


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    patch, home = pytest.MonkeyPatch(), tmp_path_factory.mktemp("crowd")
    patch.setenv("PYTHONPATH", str(Path(__file__).parent))
    made = Service(Supervised({}, make="faulty:make"), Settings(waiting=USERS), home)
    made.start()
    made.about(PATIENCE)
    yield made
    made.close()
    patch.undo()


def digests(job) -> list[str]:
    """Of every file of a finished job, which is then discarded."""
    assert job.wait(PATIENCE)
    said = job.outcome().said[0]
    files = (job.outcome().film, said.csv, said.npz, said.glb)
    found = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    job.discard()
    return found


def test_twenty_users_get_what_each_would_get_alone(service, tmp_path):
    voices = [write_voice(tmp_path / f"{n}.wav", 0.8, pitch=100 + 10 * n) for n in range(6)]
    orders = [Order(voice, size=256) for voice in voices]
    alone = [digests(service.submit(order)) for order in orders]
    assert len({row[2] for row in alone}) == len(voices)

    def user(number: int) -> list[bool]:
        which = [(number + turn) % len(voices) for turn in range(EACH)]
        return [digests(service.submit(orders[w], f"user {number}")) == alone[w] for w in which]

    with ThreadPoolExecutor(USERS) as pool:
        right = [each for own in pool.map(user, range(USERS)) for each in own]
    assert right == [True] * USERS * EACH


def test_a_full_line_is_refused_and_everybody_in_it_is_served(service, tmp_path):
    order = Order(write_voice(tmp_path / "a.wav", 0.5), size=256)
    jobs, refused = [], 0
    for number in range(2 * USERS):
        try:
            jobs.append(service.submit(order, f"user {number}"))
        except Busy:
            refused += 1
    assert USERS <= len(jobs) <= USERS + 8  # some were done meanwhile
    assert refused == 2 * USERS - len(jobs)
    assert all(digests(job) for job in jobs)


def test_after_many_jobs_there_is_no_more_of_anything(service, tmp_path):
    order = Order(write_voice(tmp_path / "a.wav", 0.5), size=256)
    server, worker = psutil.Process(os.getpid()), psutil.Process(service.worker._child.process.pid)

    def day(jobs: int) -> tuple[int, int, int, float]:
        for _ in range(jobs):
            digests(service.submit(order))
        memory = (server.memory_full_info().uss + worker.memory_full_info().uss) / 1e6
        return server.num_fds(), worker.num_fds(), len(worker.children(recursive=True)), memory

    before, after = day(10), day(LONG_DAY)
    assert after[:3] == before[:3]
    assert after[3] < before[3] + 12  # MB; a film of pictures kept is ten times that
    assert list(service.runs.iterdir()) == []
