"""The supervised worker process: killed, hung, out of memory, card lost; the next job works."""

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from faulty import FAULTS
from served import write_voice

from l2t.errors import Cancelled, JobFailed, WeightsError, WorkerError
from l2t.jobs import Order
from l2t.service import Service, Settings
from l2t.worker.supervised import Bounds, Supervised

PATIENCE = 60  # s, the longest a test waits for what takes a second or two
BACK = 10.0  # s in which a worker has to be there again
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice") / "voice.wav", 1.0)


@pytest.fixture
def service_of(monkeypatch, tmp_path):
    """Makes a started service over a worker process with a face of `faulty`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("FAULTY_PID", str(tmp_path / "pid"))
    made = []

    def make(bounds=None, arguments=None, **settings) -> Service:
        worker = Supervised(arguments or {}, bounds=bounds, make="faulty:make")
        made.append(Service(worker, Settings(**settings), tmp_path))
        made[-1].start()
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service for the faults that a worker gets over."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(Path(__file__).parent))
    home = tmp_path_factory.mktemp("shared")
    patch.setenv("FAULTY_PID", str(home / "pid"))
    service = Service(Supervised({}, make="faulty:make"), home=home)
    service.start()
    yield service
    service.close()
    patch.undo()


def order(voice, fault: str | None = None, **more) -> Order:
    return Order(voice, identity=fault, size=256, **more)


def run(service, wanted):
    job = service.submit(wanted)
    assert job.wait(PATIENCE)
    return job.outcome()


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


# -- deaths


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("killed", "ended by signal 9"),
        ("segfault", "ended by signal 11"),
        ("ended", "ended with 3"),
        ("poisoned", "the graphics card failed"),
    ],
)
def test_a_death_in_a_job_is_told_and_others_in_line_are_served(shared, voice, fault, reason):
    bad = shared.submit(order(voice, fault), "a")
    good = [shared.submit(order(voice), name) for name in "bc"]
    assert bad.wait(PATIENCE)
    died = time.monotonic()
    with pytest.raises(WorkerError, match=reason):
        bad.outcome()
    assert not bad.folder.exists()
    for job in good:
        assert job.wait(PATIENCE)
        assert job.outcome().film.stat().st_size > 1000
    assert good[0].begun - died < BACK


def test_a_death_between_jobs_is_noticed_before_anybody_asks(shared, voice):
    run(shared, order(voice))
    child = shared.worker._child
    child.process.kill()
    wait_until(lambda: shared.worker._child is not child and shared.worker.ready, BACK)
    assert run(shared, order(voice)).film.exists()


def test_what_a_dead_worker_started_is_ended(shared, voice):
    with pytest.raises(WorkerError):
        run(shared, order(voice, "leave_child"))
    left = int(Path(os.environ["FAULTY_PID"]).read_text())
    wait_until(lambda: not psutil.pid_exists(left) or
               psutil.Process(left).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_card_that_fails_again_is_given_up_for_the_processor(service_of, voice):
    service = service_of(arguments={"device": "card"})
    for _ in range(2):
        with pytest.raises(WorkerError, match="graphics card"):
            run(service, order(voice, "poisoned"))
    assert run(service, order(voice, "poisoned")).film.exists()
    assert service.status()["device"] == "cpu"


# -- memory


@pytest.mark.parametrize("fault", ["no_memory", "no_card_memory"])
def test_no_memory_is_told_and_the_same_process_goes_on(shared, voice, fault):
    run(shared, order(voice))
    before = shared.worker._child.process.pid
    with pytest.raises(JobFailed, match="not enough memory"):
        run(shared, order(voice, fault))
    assert run(shared, order(voice)).film.exists()
    assert shared.worker._child.process.pid == before


def test_a_second_try_is_made_where_the_card_was_full(shared, voice):
    assert run(shared, order(voice, "no_card_memory_once")).film.exists()


def test_a_worker_that_takes_too_much_memory_is_ended(service_of, voice):
    service = service_of(Bounds(memory=1_000_000_000))
    with pytest.raises(JobFailed, match="more than 1000 MB"):
        run(service, order(voice, "greedy"))
    assert run(service, order(voice)).film.exists()


# -- stopping


@pytest.mark.parametrize("fault", [None, "stubborn", "frozen"])
def test_cancel_ends_the_job_within_a_second(service_of, voice, fault):
    service = service_of(arguments={"pause": 0.05})
    run(service, order(voice))
    job = service.submit(order(voice, fault), "me")
    wait_until(lambda: job.stage != "waiting" and service.busy)
    time.sleep(0.3)  # it is in the middle
    pressed = time.monotonic()
    assert service.cancel("me") == 1
    assert job.wait(PATIENCE)
    assert time.monotonic() - pressed < 1.5  # .9 at most; the machine may be busy
    with pytest.raises(Cancelled):
        job.outcome()
    assert not job.folder.exists()
    assert run(service, order(voice)).film.exists()


def test_a_deadline_ends_even_what_does_not_listen(service_of, voice):
    service = service_of(deadline=6.0)
    begun = time.monotonic()
    with pytest.raises(Cancelled, match="took too long"):
        run(service, order(voice, "stubborn"))
    assert time.monotonic() - begun < 40
    assert run(service, order(voice)).film.exists()


# -- starting


def test_models_that_cannot_be_loaded_are_told_to_every_job(service_of, voice):
    service = service_of(arguments={"fail": "weights"})
    with pytest.raises(WeightsError, match="damaged"):
        service.about(PATIENCE)
    with pytest.raises(WeightsError, match="damaged"):
        run(service, order(voice))
    assert service.status()["status"] == "failing"


def test_a_process_that_dies_while_loading_is_told(service_of, voice):
    service = service_of(arguments={"fail": "die"})
    with pytest.raises(WorkerError, match="signal 9"):
        service.about(PATIENCE)
    assert service.status()["status"] == "failing"


def test_the_service_comes_back_when_the_models_can_be_loaded_again(
    service_of, voice, monkeypatch
):
    monkeypatch.setattr("l2t.readiness.RETRY", 0.1)
    service = service_of(arguments={"fail": "weights"})
    with pytest.raises(WeightsError):
        service.about(PATIENCE)
    service.worker._arguments.pop("fail")
    wait_until(lambda: service.status()["status"] == "ok")
    assert run(service, order(voice)).film.exists()


@pytest.fixture
def fates(tmp_path):
    """Says how the worker's processes fare, one after the other; gives the arguments for it."""

    def say(*words: str) -> dict:
        (tmp_path / "fates").write_text(" ".join(words))
        return {"fates": str(tmp_path / "fates")}

    return say


@pytest.mark.parametrize("fate", ["die", "die-in-practice", "die die-in-practice"])
def test_a_worker_that_dies_while_it_gets_ready_costs_nobody_a_job(service_of, voice, fates, fate):
    service = service_of(arguments=fates("well", fate, "well"))
    bad = service.submit(order(voice, "killed"), "a")
    good = [service.submit(order(voice), name) for name in "bc"]
    assert bad.wait(PATIENCE)
    with pytest.raises(WorkerError, match="in the middle"):
        bad.outcome()
    for job in good:
        assert job.wait(PATIENCE)
        assert job.outcome().film.exists()
    assert service.status()["worker"]["restarts"] == 1 + len(fate.split())


def test_after_three_failures_in_a_row_one_job_is_told_and_the_next_is_done(
    service_of, voice, fates
):
    service = service_of(arguments=fates("die", "die-in-practice", "die", "well"))
    first, second = (service.submit(order(voice), name) for name in "ab")
    assert first.wait(PATIENCE)
    with pytest.raises(WorkerError, match="did not get ready .*signal 9"):
        first.outcome()
    assert second.wait(PATIENCE)
    assert second.outcome().film.exists()
    assert service.status()["status"] == "ok"


def test_getting_ready_is_not_counted_as_the_job_s_own_time(service_of, voice, fates):
    service = service_of(arguments=fates("practise-long"), deadline=5.0)
    assert run(service, order(voice)).film.exists()


def test_who_waits_for_a_worker_that_hangs_while_it_loads_can_cancel_at_once(
    service_of, voice, fates
):
    service = service_of(arguments=fates("hang"))
    job = service.submit(order(voice), "me")
    wait_until(service.worker.alive)
    assert service.cancel("me") == 1
    assert job.finished  # not a moment later
    child = service.worker._child
    service.close()
    assert not child.alive()
    assert not service._thread.is_alive()


# -- the end


def test_closing_in_the_middle_leaves_no_process_and_no_file(service_of, voice, tmp_path):
    service = service_of(arguments={"pause": 0.05})
    job = service.submit(order(voice))
    wait_until(lambda: job.stage == "moving")
    mine = psutil.Process(service.worker._child.process.pid)
    everything = [mine, *mine.children(recursive=True)]
    threading.Thread(target=service.close).start()
    assert job.wait(PATIENCE)
    wait_until(lambda: not service.runs.exists())
    gone, alive = psutil.wait_procs(everything, timeout=10)
    assert not alive


def test_unforeseen_errors_are_told_without_details(shared, voice):
    with pytest.raises(JobFailed) as failure:
        run(shared, order(voice, "broken"))
    assert "secret" not in str(failure.value)


def test_every_fault_is_tried():
    """So that a fault added to `faulty` is not forgotten here."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FAULTS if f'"{name}"' not in source] == []
