"""The real app as a process of its own, looked at from outside."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
from gradio_client import Client, handle_file
from served import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180.0
WORKER, DRAWING = "l2t.worker.main", "l2t.render.worker"


class App:
    """A running `python app.py`: its address, and what it takes of the machine."""

    def __init__(self, process: subprocess.Popen, address: str, home: Path):
        self.process, self.address, self.home = process, address, home
        self.tree = psutil.Process(process.pid)

    def client(self) -> Client:
        """A visitor of its own, who downloads nothing before he wants it."""
        return Client(self.address, verbose=False, download_files=self.home.parent / "got")

    def health(self) -> dict:
        return httpx.get(f"{self.address}/health", timeout=30).json()

    def wait_until_ready(self) -> float:
        """Seconds until the models are loaded."""
        begun = time.monotonic()
        while self.health()["status"] != "ok":
            if time.monotonic() - begun > START_SECONDS:
                raise TimeoutError("the app does not get ready")
            time.sleep(0.1)
        return time.monotonic() - begun

    def child(self, module: str) -> psutil.Process | None:
        """Its process that runs a module, if there is one."""
        for process in self.tree.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if module in process.cmdline():
                    return process
        return None

    def memory(self) -> dict[str, float]:
        """MB that each of its processes has for itself alone, and their sum."""
        found = {"server": self.tree.memory_full_info().uss / 1e6}
        for name, module in (("worker", WORKER), ("drawing", DRAWING)):
            process = self.child(module)
            with contextlib.suppress(psutil.Error):
                found[name] = process.memory_full_info().uss / 1e6 if process else 0.0
        return found | {"all": sum(found.values())}

    def processes(self) -> int:
        return 1 + len(self.tree.children(recursive=True))

    def files(self) -> int:
        """Files that it has below its temporary folder."""
        return sum(1 for path in self.home.rglob("*") if path.is_file())

    def disk(self) -> int:
        """Bytes of its files."""
        return sum(f.stat().st_size for f in self.home.rglob("*") if f.is_file())


@contextlib.contextmanager
def running(*flags: str, weights: str | None = None) -> Iterator[App]:
    """Starts the app on a free port in a temporary folder; ended and looked after at the end."""
    with tempfile.TemporaryDirectory(prefix="l2t-reliability-") as folder:
        home, port = Path(folder) / "home", free_port()
        home.mkdir()
        command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), *flags]
        command += ["--weights", weights] if weights else []
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"TMPDIR": str(home)}, stdout=subprocess.PIPE,
            stderr=log,
        ) as process:  # fmt: skip
            try:
                if b"Learn2Talk is at" not in process.stdout.readline():
                    raise RuntimeError((Path(folder) / "log").read_text(errors="replace")[-2000:])
                yield App(process, f"http://127.0.0.1:{port}", home)
            finally:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()


def ask(client: Client, recording: Path, endpoint: str = "/animate", **wanted):
    """One job through the page's API: what the endpoint gives."""
    return client.predict(handle_file(str(recording)), api_name=endpoint, **wanted)
