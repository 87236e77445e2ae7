"""A supervised worker with weights from a Hub: how long it may take, and what a restart does."""

import sys
import time
from pathlib import Path

import pytest
from hub.client import use_hub
from hub.folders import make_weights
from hub.loopback import LoopbackHub
from hub.tricks import drip

from l2t.service import Service
from l2t.worker.supervised import Bounds, Supervised

REPO, PATIENCE = "org/name", 60
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A loopback Hub with weights, asked by the worker process too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with LoopbackHub() as hub:
        hub.commit = hub.add_folder(REPO, make_weights(tmp_path / "published", seed=1))
        use_hub(monkeypatch, hub, tmp_path / "hf")
        yield hub
        hub.closing.set()


@pytest.fixture
def serving(tmp_path):
    """Starts a service whose worker resolves a spec; gives it, and what it found."""
    made = []

    def start(spec):
        service = Service(Supervised({"weights": spec}, make="faulty:resolved"), home=tmp_path)
        made.append(service)
        service.start()
        return service, service.about(PATIENCE).weights

    yield start
    for service in made:
        service.close()


def weights_after_a_death(service):
    wait_until(lambda: service.worker.ready)
    child = service.worker._child
    child.process.kill()
    wait_until(lambda: service.worker._child is not child and service.worker.ready)
    assert service.status()["worker"]["restarts"] == 1
    return service.worker.about.weights


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_a_restart_keeps_the_commit_though_the_branch_moved_and_the_hub_drips(
    hub, serving, tmp_path
):
    service, found = serving(REPO)
    assert (found.source, found.revision) == ("hub", hub.commit)
    hub.add_folder(REPO, make_weights(tmp_path / "newer", seed=3))
    hub.trick = lambda handler: drip(handler) or True
    hub.requests.clear()
    again = weights_after_a_death(service)
    assert (again.source, again.revision, again.digest) == ("hub", hub.commit, found.digest)
    assert hub.requests == []


@pytest.mark.parametrize("spec", [REPO, None])
def test_a_restart_keeps_the_embedded_weights_though_the_hub_answers_by_now(
    hub, serving, monkeypatch, spec
):
    monkeypatch.setenv("L2T_HUB_SECONDS", "1")
    monkeypatch.setenv("L2T_HUB_REPO", "" if spec else REPO)
    hub.trick = lambda handler: drip(handler) or True
    service, found = serving(spec)
    assert found.source == "embedded"
    assert REPO in found.label
    hub.trick = None
    monkeypatch.setenv("L2T_HUB_SECONDS", "30")
    hub.requests.clear()
    assert weights_after_a_death(service) == found
    assert hub.requests == []


def test_the_seconds_of_a_hub_come_on_top_of_those_to_load(hub, monkeypatch):
    monkeypatch.setenv("L2T_HUB_SECONDS", "100")
    worker = Supervised({"weights": REPO}, bounds=Bounds(start=0.001), make="faulty:resolved")
    try:
        assert worker.start().weights.source == "hub"
    finally:
        worker.close()
