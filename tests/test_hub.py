"""A Hub repository as the source of weights: what works, and each way in which it does not.

Whatever the Hub does, `resolve` returns within its deadline, with weights that are sound and a
label that says what happened; no exception of the Hub client comes through.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock
from hub.client import blobs, use_hub
from hub.folders import flip_byte, make_weights
from hub.loopback import LoopbackHub

from l2t import weights
from l2t.hub import HubRef, _without_secrets, hub_seconds

REPO = "org/name"
ROOT = Path(weights.__file__).resolve().parents[1]
TENSORS = "student.safetensors"
FIRST = "encoder.safetensors"  # the first large file of a transfer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_weights(tmp_path_factory.mktemp("published") / "weights", seed=1)


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    folder = make_weights(tmp_path / "embedded", seed=2)
    monkeypatch.setattr(weights, "EMBEDDED", folder)
    return folder


@pytest.fixture
def home(tmp_path):
    return tmp_path / "hf"


@pytest.fixture
def hub(folder, embedded, home, monkeypatch):
    with LoopbackHub() as hub:
        hub.commit = hub.add_folder(REPO, folder)
        use_hub(monkeypatch, hub, home)
        yield hub
        hub.closing.set()


def fell_back(found, *words):
    """The embedded weights are active and the label gives the reason."""
    assert found.source == "embedded", found.label
    assert found.label.startswith(f"Embedded default (Hub repository {REPO} ")
    for word in words:
        assert word in found.label
    return True


def warm(hub):
    """Fill the cache, then forget what was asked."""
    found = weights.resolve(REPO)
    assert found.source == "hub", found.label
    hub.requests.clear()
    return found


# What works


def test_downloads_verifies_and_says_so(hub, folder):
    found = weights.resolve(REPO)
    assert (found.source, found.repo, found.revision) == ("hub", REPO, hub.commit)
    assert found.label == f"Hub repository {REPO} at {hub.commit[:7]} (downloaded)"
    config, tensors = weights.load_tensors(found, "student")
    assert config == {"width": 512, "seed": 1}
    expected = weights.load_tensors(weights.resolve(folder), "student")[1]
    assert all((tensors[name] == expected[name]).all() for name in expected)


def test_the_access_token_stays_with_the_hub(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert weights.resolve(REPO).source == "hub"
    assert hub.leaks == []


def test_the_variable_names_the_repository(hub, monkeypatch):
    monkeypatch.setenv("L2T_HUB_REPO", f"{REPO}@main")
    assert weights.resolve().revision == hub.commit


def test_an_unchanged_branch_costs_one_question(hub):
    warm(hub)
    assert "from the cache, up to date" in weights.resolve(REPO).label
    assert hub.requests == [f"HEAD /{REPO}/resolve/main/manifest.json"]


def test_a_pinned_commit_in_the_cache_makes_no_request(hub):
    warm(hub)
    found = weights.resolve(f"{REPO}@{hub.commit}")
    assert found.label.endswith("(pinned commit, from the cache)")
    assert hub.requests == []


def test_a_new_commit_is_fetched(hub, tmp_path):
    warm(hub)
    newer = hub.add_folder(REPO, make_weights(tmp_path / "newer", seed=3))
    assert weights.resolve(REPO).revision == newer
    assert weights.resolve(f"{REPO}@{hub.commit}").revision == hub.commit


def test_two_processes_at_once_share_one_download(hub):
    script = f"from l2t.weights import resolve; print(resolve({REPO!r}).label)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    labels = [process.communicate(timeout=30)[0].decode() for process in both]
    assert all(label.startswith(f"Hub repository {REPO}") for label in labels), labels
    assert hub.asked("GET", TENSORS) == 1


def test_one_process_waits_for_another(hub, home, monkeypatch):
    use_hub(monkeypatch, hub, home, seconds=1)
    lock = home / "hub" / ".locks" / "models--org--name" / "l2t.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        assert fell_back(weights.resolve(REPO), "waits for another process", "within 1 s")
    use_hub(monkeypatch, hub, home)
    assert weights.resolve(REPO).source == "hub"


# What the Hub says no to


def test_missing_repository(hub):
    hub.repos.clear()
    assert fell_back(weights.resolve(REPO), "was not found, or is private")


def test_gated_repository(hub):
    hub.repos[REPO].gated = True
    assert fell_back(weights.resolve(REPO), "is gated")


def test_missing_revision(hub):
    assert fell_back(weights.resolve(f"{REPO}@v9"), "has no revision v9")


def test_repository_without_a_manifest(hub):
    del hub.repos[REPO].commits[hub.commit]["manifest.json"]
    assert fell_back(weights.resolve(REPO), "does not hold manifest.json")


def test_missing_file(hub):
    del hub.repos[REPO].commits[hub.commit][TENSORS]
    assert fell_back(weights.resolve(REPO), f"does not hold {TENSORS}")


def test_hub_out_of_order(hub):
    hub.fault("error", TENSORS)
    assert fell_back(weights.resolve(REPO), "answered with error 503")


def test_a_manifest_that_reaches_out_of_its_folder(hub):
    hub.add(REPO, {"manifest.json": b'{"format": 1, "files": {"../../evil.json": {}}}'})
    assert fell_back(weights.resolve(REPO), "no plain file name")
    assert not any("evil" in request for request in hub.requests)


def test_a_repository_of_something_else(hub, tmp_path):
    other = make_weights(tmp_path / "other")
    text = (other / "manifest.json").read_text().replace('"role": "student"', '"role": "poet"')
    (other / "manifest.json").write_text(text)
    hub.add_folder(REPO, other)
    assert fell_back(weights.resolve(REPO), "it holds no student")


# A Hub that is not there, or does not keep its word


def test_silent_server_is_given_up_at_the_deadline(hub, home, monkeypatch):
    hub.silent = True
    use_hub(monkeypatch, hub, home, seconds=0.5)
    start = time.monotonic()
    assert fell_back(weights.resolve(REPO), "did not answer within 0.5 s")
    assert time.monotonic() - start < 10  # the child's start on a busy machine included


def test_server_that_stops_in_the_middle(hub, home, monkeypatch):
    hub.fault("stall", FIRST)
    use_hub(monkeypatch, hub, home, seconds=2)
    assert fell_back(weights.resolve(REPO), f"did not send {FIRST} in full within 2 s")
    assert blobs(home, ".incomplete") == []


def test_transfer_that_is_always_cut_off(hub, home, monkeypatch):
    hub.fault("cut", FIRST)
    use_hub(monkeypatch, hub, home, seconds=2)
    assert fell_back(weights.resolve(REPO), f"did not send {FIRST} in full", "resumed")
    assert blobs(home, ".incomplete") == []


def test_transfer_that_is_cut_off_once_is_resumed(hub):
    hub.fault("cut", TENSORS, times=1)
    assert weights.resolve(REPO).source == "hub"


def test_flipped_byte_is_fetched_again(hub, home):
    hub.fault("flip", TENSORS, times=1)
    assert weights.resolve(REPO).source == "hub"
    assert hub.asked("GET", TENSORS) == 2
    assert len(blobs(home, ".damaged")) == 2  # the tensors and, to be sure, the manifest


def test_flipped_byte_that_stays(hub):
    hub.fault("flip", TENSORS)
    assert fell_back(weights.resolve(REPO), f"sent {TENSORS} twice", "damaged")
    assert hub.asked("GET", TENSORS) == 2


def test_offline_and_cold(hub):
    hub.close()
    assert fell_back(weights.resolve(REPO), "could not be reached")


def test_offline_and_warm(hub):
    found = warm(hub)
    hub.close()
    again = weights.resolve(REPO)
    assert (again.source, again.digest) == ("hub", found.digest)
    assert "from the cache; it could not be reached" in again.label


def test_offline_by_choice(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fell_back(weights.resolve(REPO), "HF_HUB_OFFLINE")
    assert hub.requests == []


# Damage in the cache


@pytest.mark.parametrize("name", [TENSORS, "manifest.json"])
def test_damaged_cache_is_mended(hub, name):
    found = warm(hub)
    flip_byte(found.folder / name, at=0)
    again = weights.resolve(f"{REPO}@{hub.commit}")
    assert (again.source, again.digest) == ("hub", found.digest)
    assert weights.load_tensors(again, "student")


def test_damaged_cache_without_a_hub(hub):
    flip_byte(warm(hub).folder / TENSORS)
    hub.close()
    assert fell_back(weights.resolve(REPO), "its cached copy is damaged")


def test_half_a_file_in_the_cache_is_mended(hub):
    path = warm(hub).folder / TENSORS
    path.write_bytes(path.read_bytes()[:100])
    assert weights.resolve(REPO).source == "hub"


def test_an_update_that_fails_leaves_the_older_weights(hub, tmp_path, home, monkeypatch):
    found = warm(hub)
    hub.add_folder(REPO, make_weights(tmp_path / "newer", seed=3))
    hub.fault("cut", FIRST)
    use_hub(monkeypatch, hub, home, seconds=2)
    again = weights.resolve(REPO)
    assert (again.source, again.revision) == ("hub", found.revision)
    assert "from the cache; it did not send" in again.label
    hub.close()
    assert weights.resolve(REPO).revision == found.revision


# A cache that cannot be written


@pytest.fixture
def label_with_read_only_cache(home, embedded):
    """Function: the label that a process gets which may not write to the cache."""
    if os.name != "posix" or (os.geteuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("root writes anywhere, and there is no setpriv to take that away")
    plain = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    script = f"""
from pathlib import Path
from l2t import weights
weights.EMBEDDED = Path({str(embedded)!r})
print(weights.resolve({REPO!r}).label)
"""
    folders = [path for path in [home, *home.rglob("*")] if path.is_dir()]

    def label():
        for path in folders:
            path.chmod(0o555)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [*plain, sys.executable, "-c", script]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    yield label
    for path in folders:
        path.chmod(0o755)


@pytest.fixture
def warm_folder(hub):
    return warm(hub).folder


def test_read_only_cache_that_is_warm(hub, warm_folder, label_with_read_only_cache):
    assert label_with_read_only_cache().startswith(f"Hub repository {REPO} at {hub.commit[:7]}")


def test_read_only_cache_that_is_damaged(hub, warm_folder, label_with_read_only_cache):
    flip_byte(warm_folder / TENSORS)
    label = label_with_read_only_cache()
    assert "damaged in the cache, which cannot be written" in label
    assert label.startswith("Embedded default")


def test_read_only_cache_that_is_outdated(hub, warm_folder, label_with_read_only_cache, tmp_path):
    hub.add_folder(REPO, make_weights(tmp_path / "newer", seed=3))
    label = label_with_read_only_cache()
    assert "from the cache; it could not be saved: the cache cannot be written" in label


def test_cache_that_cannot_be_made(hub, home):
    home.write_text("a file where the cache should be")
    assert fell_back(weights.resolve(REPO), "could not be saved")


# Settings


def test_repository_names():
    assert HubRef.parse("org/name") == HubRef("org/name", "main")
    assert HubRef.parse("org/name@v1.0") == HubRef("org/name", "v1.0")
    for text in ("name", "a/b/c", "../x", "org/..", "a--b/c", "org/name@", "org/name@../x", "~/x"):
        assert HubRef.parse(text) is None, text


def test_a_variable_of_another_form_is_named_in_the_label(embedded, monkeypatch):
    monkeypatch.setenv("L2T_HUB_REPO", "not a repository")
    found = weights.resolve()
    assert found.label == (
        "Embedded default (L2T_HUB_REPO is 'not a repository', not org/name[@revision])"
    )


def test_a_log_keeps_tokens_and_signatures_to_itself(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "open sesame")
    log = b"b'Bearer abc' open sesame hf_0123456789abcdef hf_hub_download https://x/y?Signature=1 ."
    assert _without_secrets(log) == "b'Bearer ***' *** *** hf_hub_download https://x/y?*** ."


@pytest.mark.parametrize(("text", "seconds"), [("", 20), ("2.5", 2.5), ("x", 20), ("-1", 20)])
def test_deadline_in_seconds(text, seconds, monkeypatch):
    monkeypatch.setenv("L2T_HUB_SECONDS", text)
    assert hub_seconds() == seconds
