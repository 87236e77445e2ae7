"""How long until the page answers, until the first take, and how long a take takes then.

    python tests/benchmarks/bench_page.py [--weights debug]

Starts `app.py` as a visitor would and asks through the API: first the 2.9 s example (twice), then
ten seconds of speech put together from the examples.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import soundfile

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "assets" / "examples"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def ten_seconds(folder: Path) -> Path:
    """Ten seconds of speech, of two examples of one rate."""
    parts = [soundfile.read(EXAMPLES / name) for name in ("english_man_1.flac", "german_1.flac")]
    samples = [part[: int(5 * rate)] for part, rate in parts]
    path = folder / "ten.wav"
    with soundfile.SoundFile(path, "w", parts[0][1], 1) as file:
        for part in samples:
            file.write(part)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default=None)
    args = parser.parse_args()
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    options = ["--weights", args.weights] if args.weights else []
    begun = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "--port", str(port), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(address)
        print(f"page ready after {time.perf_counter() - begun:.1f} s")
        from gradio_client import Client, handle_file

        client = Client(address, verbose=False)
        three = handle_file(str(EXAMPLES / "english_woman_2.flac"))
        client.predict(three, api_name="/animate")
        print(f"first take (2.9 s of speech) done {time.perf_counter() - begun:.1f} s after start")
        with tempfile.TemporaryDirectory() as folder:
            ten = handle_file(str(ten_seconds(Path(folder))))
            for name, recording in (("2.9 s", three), ("10 s", ten), ("10 s", ten)):
                start = time.perf_counter()
                client.predict(recording, api_name="/animate")
                print(f"warm take of {name}: {time.perf_counter() - start:.1f} s")
    finally:
        app.terminate()
        app.wait(30)


if __name__ == "__main__":
    main()
