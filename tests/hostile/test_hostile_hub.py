"""A hostile Hub: whatever it answers, the embedded weights speak within the deadline.

One sentence says why, without a path and without the access token, which goes to nobody else; the
cache keeps no litter and nothing is written beside it.
"""

import json
import logging
import os
import re
import resource
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hub import tricks
from hub.client import blobs, use_hub
from hub.folders import make_weights
from hub.loopback import LoopbackHub
from hub.tricks import only, raw, status, to, told

from l2t import weights

REPO, MANIFEST, TENSORS, FIRST = "org/name", "manifest.json", "student.safetensors", "encoder.json"
TOKEN = "hf_" + "Sesame" * 6
SECONDS = 1.5  # deadline
ROOT = Path(weights.__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return make_weights(tmp_path_factory.mktemp("published") / "weights", seed=1)


@pytest.fixture
def hub(published, tmp_path, monkeypatch):
    own = make_weights(tmp_path / "embedded", seed=2)
    monkeypatch.setattr(weights, "EMBEDDED", own)
    with LoopbackHub() as hub:
        hub.commit = hub.add_folder(REPO, published)
        use_hub(monkeypatch, hub, tmp_path / "hf", SECONDS)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub
        hub.closing.set()


@pytest.fixture
def neighbour():
    """Another service of this machine that must not hear anything; yields (port, what it heard)."""
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.path, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1], heard
    server.shutdown()
    server.server_close()


def reason(tmp_path, caplog) -> str:
    """Ask the Hub; the label's reason, after everything that must hold was looked at."""
    caplog.set_level(logging.DEBUG)
    start = time.monotonic()
    found = weights.resolve(REPO)
    assert time.monotonic() - start < SECONDS + 25  # the child's start on a busy machine included
    match = re.fullmatch(r"Embedded default \(Hub repository org/name (.+)\)", found.label)
    assert match, found.label
    assert "\n" not in match[1]
    assert len(match[1]) < 250
    for text in (found.label, caplog.text):
        assert TOKEN not in text
    assert str(tmp_path) not in found.label
    home = tmp_path / "hf"
    assert blobs(home, ".incomplete") == []
    assert sum(p.stat().st_size for p in home.rglob("*") if p.is_file()) < 3_000_000
    assert {p.name for p in tmp_path.iterdir()} <= {"hf", "embedded"}
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/l2t-test-evil").exists()
    return match[1]


HTML = b"<html><body>Sign in</body></html>"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: "
ANSWERS = {
    # bodies
    "endless manifest": (only("GET", MANIFEST, tricks.endless()), "sent more of manifest.json"),
    "endless file": (only("GET", FIRST, tricks.endless()), f"sent more of {FIRST} than"),
    "endless error": (only("GET", FIRST, tricks.endless(500)), f"sent more of {FIRST} than"),
    "endless drip": (only("GET", MANIFEST, tricks.drip), "did not send manifest.json in full"),
    "page in place of the manifest": (
        only("GET", MANIFEST, status(200, HTML, Content_Type="text/html")), "wrong length"),
    "page for everything": (only("", "", status(200, HTML)), "does not answer like a Hub"),
    "gzip bomb": (only("GET", FIRST, tricks.bomb("gzip")), "compressed"),
    "brotli bomb": (only("GET", MANIFEST, tricks.bomb("br")), "compressed"),
    "error in an odd form": (
        only("GET", FIRST, status(400, b"[1]", Content_Type="application/json")), "broke"),
    # lengths
    "length too long": (only("GET", FIRST, raw(LENGTH + b"29\r\n\r\nshort")), FIRST),
    "length of a terabyte": (
        only("HEAD", FIRST, told(Content_Length=str(1 << 40))), "are expected"),
    "length that is none": (only("", FIRST, raw(LENGTH + b"many\r\n\r\n")), ""),
    "length below zero": (only("", FIRST, raw(LENGTH + b"-1\r\n\r\n")), ""),
    "two lengths": (only("", FIRST, raw(LENGTH + b"3\r\nContent-Length: 9\r\n\r\nabc")), ""),
    "length in other digits": (
        only("HEAD", FIRST, told(X_Linked_Size="1e9")), "no number"),
    # redirects
    "to a file": (only("HEAD", FIRST, to("file:///etc/passwd")), "not accepted"),
    "to a file, later": (only("GET", FIRST, to("file:///etc/passwd")), "not accepted"),
    "to ftp": (only("HEAD", FIRST, to("ftp://example.org/x")), "not accepted"),
    "to nonsense": (only("HEAD", FIRST, to("http://[::1/x")), ""),
    "to a port that is none": (only("HEAD", FIRST, to("http://127.0.0.1:99999/x")), ""),
    "to the cloud's own data": (
        only("HEAD", FIRST, to("http://169.254.169.254/latest/meta-data/")), "private network"),
    "to the cloud's own data, later": (
        only("GET", FIRST, to("http://169.254.169.254/latest/meta-data/")), "private network"),
    "to a private network": (only("HEAD", FIRST, to("http://10.0.0.1/x")), "private network"),
    "to IPv6's private network": (only("HEAD", FIRST, to("http://[fd00::1]/x")), "private"),
    "in circles": (only("HEAD", FIRST, to(f"HERE/{REPO}/resolve/x/{FIRST}")), "in circles"),
    "in circles, later": (only("GET", FIRST, to(f"HERE/{REPO}/resolve/x/{FIRST}")), "in circles"),
    # names
    "sum that leads elsewhere": (
        only("HEAD", FIRST, told(ETag='"../../../../evil"')), "like a Hub"),
    "linked sum that leads elsewhere": (
        only("HEAD", FIRST, to("HERE/x", X_Linked_Etag='"../../../../evil"')), "like a Hub"),
    "sum with an absolute path": (
        only("HEAD", FIRST, told(ETag='"/tmp/l2t-test-evil"')), "like a Hub"),
    "commit that leads elsewhere": (
        only("HEAD", FIRST, to("HERE/x", X_Repo_Commit="../../../evil")), "like a Hub"),
    "commit of another time": (
        only("HEAD", FIRST, to("HERE/x", X_Repo_Commit=tricks.COMMIT)), "like a Hub"),
    "commit that leads elsewhere, missing file": (
        only("HEAD", FIRST, status(404, X_Error_Code="EntryNotFound",
                                   X_Repo_Commit="../../../../evil")), "like a Hub"),
    # out of order
    "500 for everything": (only("", "", status(500)), "error 500"),
    "500 for the files": (only("GET", FIRST, status(500)), "error 500"),
    "wait a million years": (
        only("GET", FIRST, status(429, Retry_After="9" * 9)), "did not send"),
    "wait beyond counting": (only("GET", FIRST, status(429, Retry_After="9" * 400)), ""),
    "no answer": (only("", MANIFEST, raw(b"")), "broke off"),
    "noise": (only("", MANIFEST, raw(bytes(range(256)) * 100)), ""),
    "another protocol": (only("", MANIFEST, raw(b"SSH-2.0-OpenSSH_9.2\r\n")), ""),
    "endless headers": (only("", MANIFEST, tricks.endless_headers), ""),
    "endless patience": (
        only("", MANIFEST, raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 200, pause=0.02)), ""),
    "control characters": (
        only("", MANIFEST, raw(b"HTTP/1.1 403 \x1b[31m\x07no\r\nX-Error-Message: a\tb\r\n\r\n")),
        ""),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_each_answer_ends_in_the_embedded_weights(hub, case, tmp_path, caplog):
    hub.trick, words = ANSWERS[case]
    assert words in reason(tmp_path, caplog)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"]
)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_redirect_to_a_neighbour_is_not_followed(
    hub, neighbour, host, method, tmp_path, caplog
):
    port, heard = neighbour
    hub.trick = only(method, FIRST, to(f"http://{host}:{port}/secret"))
    assert "private network" in reason(tmp_path, caplog)
    assert heard == []


def test_the_token_goes_to_the_hub_alone(hub, tmp_path, caplog):
    """The file store is another host, by name: it gets the request, and no token."""
    seen = {}

    def listen(handler):
        seen.setdefault(handler.path.partition("/store")[1], set()).add(
            handler.headers.get("Authorization")
        )
        return False

    hub.trick = listen
    assert weights.resolve(REPO).source == "hub"
    assert seen == {"": {f"Bearer {TOKEN}"}, "/store": {None}}


def test_a_token_that_cannot_be_sent_is_not_told(hub, tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\u20ac")
    monkeypatch.setenv("HF_DEBUG", "1")
    monkeypatch.setenv("HF_HUB_VERBOSITY", "debug")
    assert reason(tmp_path, caplog)


def test_a_manifest_of_ten_thousand_files(hub, tmp_path, caplog):
    entry = {"role": "student", "bytes": 1, "sha256": "0" * 64}
    listed = {f"f{i}.json": entry for i in range(10_000)}
    hub.add(REPO, {MANIFEST: json.dumps({"format": 1, "files": listed}).encode()})
    assert "bytes, 1048576 are expected" in reason(tmp_path, caplog)
    listed = {f"f{i}.json": entry for i in range(5000)}
    hub.add(REPO, {MANIFEST: json.dumps({"format": 1, "files": listed}).encode()})
    assert "at most 64" in reason(tmp_path, caplog)
    assert hub.asked("GET", "f1.json") == 0


def test_a_manifest_of_a_terabyte(hub, tmp_path, caplog):
    entry = {"role": "student", "bytes": 1 << 40, "sha256": "0" * 64}
    hub.add(REPO, {MANIFEST: json.dumps({"format": 1, "files": {"a.json": entry}}).encode()})
    assert "without role, bytes or sha256" in reason(tmp_path, caplog)


# -- a cache that somebody else wrote to


@pytest.fixture
def warm(hub):
    found = weights.resolve(REPO)
    assert found.source == "hub", found.label
    return found.folder


def test_a_cached_file_that_leads_out_is_fetched_again(hub, warm, tmp_path):
    mine = tmp_path / "embedded" / "mine.txt"
    mine.write_text("mine")
    (warm / TENSORS).unlink()
    (warm / TENSORS).symlink_to(mine)
    again = weights.resolve(f"{REPO}@{hub.commit}")
    assert again.source == "hub"
    assert mine.read_text() == "mine"
    assert not (warm / TENSORS).resolve().is_relative_to(tmp_path / "embedded")


def test_even_if_it_agrees_with_the_manifest(hub, warm, tmp_path):
    copy = tmp_path / "embedded" / "copy"
    copy.write_bytes((warm / TENSORS).read_bytes())
    (warm / TENSORS).unlink()
    (warm / TENSORS).symlink_to(copy)
    hub.close()
    assert weights.resolve(f"{REPO}@{hub.commit}").source == "embedded"
    assert copy.exists()


@pytest.mark.parametrize("part", ["blobs", "snapshots", "refs", ""])
def test_folders_of_the_cache_that_lead_out_are_not_written_to(hub, part, tmp_path, caplog):
    elsewhere = tmp_path / "embedded" / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / "hf" / "hub" / "models--org--name" / part
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(elsewhere)
    found = weights.resolve(REPO)
    assert found.source in ("embedded", "hub")
    assert list(elsewhere.iterdir()) == []


def test_a_branch_that_leads_out(hub, warm):
    (warm.parents[1] / "refs" / "main").write_text("../../../../../etc")
    assert weights.resolve(REPO).source == "hub"
    hub.close()
    (warm.parents[1] / "refs" / "main").write_text("../../../../../etc")
    assert weights.resolve(REPO).source == "embedded"


# -- a disk that is full


def label_of(script: str) -> str:
    """What a process of its own prints, as `resolve` inherits its limits."""
    return subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=90, check=True,
    ).stdout  # fmt: skip


def test_a_full_disk(hub, tmp_path):
    """No file may grow beyond 700 bytes here: the tensors do not fit."""
    label = label_of(f"""
import resource
from pathlib import Path
from l2t import weights
weights.EMBEDDED = Path({str(tmp_path / "embedded")!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
print(weights.resolve({REPO!r}).label)
""")
    assert "could not be saved: the disk is full" in label
    assert blobs(tmp_path / "hf", ".incomplete") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_really_is_full(hub, tmp_path, caplog, monkeypatch):
    small = tmp_path / "hf" / "small"
    small.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "l2t-test", str(small)], capture_output=True,
        timeout=10, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this machine does not let root mount")
    try:
        files = {"big.safetensors": bytes(200_000)}
        hub.add(REPO, files)
        listing = json.loads(hub.repos[REPO].tree("main")[1][MANIFEST])
        entry = {"role": "big", "bytes": 200_000, "sha256": "0" * 64}
        listing["files"]["big.safetensors"] = entry
        hub.add(REPO, {MANIFEST: json.dumps(listing).encode()})
        monkeypatch.setenv("HF_HUB_CACHE", str(small))
        assert "the disk is full" in weights.resolve(REPO).label
        assert not list(small.rglob("*.incomplete"))
    finally:
        subprocess.run(["umount", str(small)], timeout=10, check=True)


def test_limits_of_this_process_are_untouched():
    """The child's guard and bounds stay in the child."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
