"""A Hub on 127.0.0.1: what huggingface_hub 2 asks of one, and the ways in which one fails.

    with LoopbackHub() as hub:
        hub.add("org/name", {"manifest.json": b"..."})
        hub.fault("cut", "student.safetensors")

Large files (safetensors) are served as the real Hub does: the Hub answers with a redirect to
another host (here the name localhost), which must not get to see the access token.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from hub.handler import Handler


@dataclass
class Repo:
    """refs: branch or tag -> commit; commits: commit -> file name -> content."""

    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: bool = False

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        """A new commit on `branch`: its files so far, changed and joined by `files`."""
        tree = {**self.commits.get(self.refs.get(branch, ""), {}), **files}
        seed = "".join(f"{n}{hashlib.sha1(d).hexdigest()}" for n, d in sorted(tree.items()))
        commit = hashlib.sha1(f"{len(self.commits)}{seed}".encode()).hexdigest()
        self.commits[commit], self.refs[branch] = tree, commit
        return commit

    def tree(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commit = self.refs.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None


@dataclass
class Fault:
    """kind: cut, flip, stall or error; hits GETs of the file `name`, `times` times."""

    kind: str
    name: str
    times: int


class LoopbackHub:
    """The server. `requests` lists what was asked, as "METHOD /path"; `token` guards writing."""

    token = "hf_test"

    def __init__(self):
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}  # large files by sha256
        self.requests: list[str] = []
        self.leaks: list[str] = []  # requests to the file store that carried a token
        self.faults: list[Fault] = []
        self.silent = False
        # Answers in place of the Hub, with the handler of a GET or HEAD at hand; whether it did.
        self.trick: Callable[[Handler], bool] | None = None
        self.closing = threading.Event()
        self.gate = threading.Lock()

    def __enter__(self) -> "LoopbackHub":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.hub = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Go away: from now on connections are refused."""
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, name: str, files: dict[str, bytes], gated: bool = False) -> str:
        """Commit files to a repository (made when new); its new commit."""
        repo = self.repos.setdefault(name, Repo())
        repo.gated = gated
        return repo.commit(files)

    def add_folder(self, name: str, folder, **options) -> str:
        return self.add(name, {p.name: p.read_bytes() for p in folder.iterdir()}, **options)

    def fault(self, kind: str, name: str, times: int = 1000) -> None:
        self.faults.append(Fault(kind, name, times))

    def take_fault(self, name: str) -> str | None:
        """The fault that hits this transfer, counted down."""
        with self.gate:
            for fault in self.faults:
                if fault.name == name and fault.times > 0:
                    fault.times -= 1
                    return fault.kind
        return None

    def asked(self, method: str, ending: str) -> int:
        """How many requests of a method ended so."""
        return sum(r.startswith(method) and r.endswith(ending) for r in self.requests)
