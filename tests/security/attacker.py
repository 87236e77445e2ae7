"""What an attacker can do with a page: any bytes on a connection, and a server of his own.

Everything goes to 127.0.0.1, is bounded in count and time, and stops by itself.
"""

import contextlib
import http.server
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

SECRETS = {
    "HF_TOKEN": "hf_canaryCanaryCanaryCanary",
    "AWS_SECRET_ACCESS_KEY": "canary/secret/key",
    "L2T_TEST_SECRET": "the-canary-sings",
}
API = "/gradio_api"
META = {"_type": "gradio.FileData"}
REPOSITORY = str(Path(__file__).resolve().parents[2])
# What no refusal may hold: where the server's files lie, how it failed inside, what it must keep.
TELLTALES = (
    "Traceback",
    "site-packages",
    'File "',
    "/usr/",
    "/tmp/",
    REPOSITORY,
    *SECRETS.values(),
)


@dataclass(frozen=True)
class Answer:
    """status 0: the connection was closed without one."""

    status: int
    head: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Attacker:
    """Speaks to the page at `address`; cache: its folder of uploads, to look at what is left."""

    def __init__(self, address: str, cache: Path):
        self.address, self.cache = address, cache
        self.host, _, port = address.removeprefix("http://").partition(":")
        self.port = int(port)
        self.http = httpx.Client(base_url=address, timeout=30)

    # -- bytes

    @contextlib.contextmanager
    def connection(self, timeout: float = 10.0) -> Iterator[socket.socket]:
        with socket.create_connection((self.host, self.port), timeout=timeout) as line:
            yield line

    def raw(self, *pieces: bytes, timeout: float = 10.0) -> Answer:
        """Send pieces as they are; the answer, or what there is of it."""
        with self.connection(timeout) as line:
            got = b""
            with contextlib.suppress(OSError):  # closed while we were still sending
                for piece in pieces:
                    line.sendall(piece)
            with contextlib.suppress(OSError):
                while not _whole(got) and (more := line.recv(65_536)):
                    got += more
        head, _, body = got.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head.startswith(b"HTTP/") else 0
        return Answer(status, head.decode("latin-1").lower(), body)

    def request(self, method: str, target: str, headers=(), body: bytes = b"", **more) -> Answer:
        """One request, its target not tidied up."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += ["Connection: close", *headers]
        if body and not any("transfer-encoding" in line.lower() for line in headers):
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"), body, **more)

    def get(self, target: str, *headers: str, **more) -> Answer:
        return self.request("GET", target, headers, **more)

    # -- uploads

    def post_upload(self, body: bytes, kind: str = "multipart/form-data; boundary=B") -> Answer:
        return self.request("POST", f"{API}/upload", [f"Content-Type: {kind}"], body)

    def upload(self, name: bytes = b"voice.wav", data: bytes = b"") -> str:
        """The path that an upload is answered with."""
        answer = self.post_upload(multipart((name, data)))
        assert answer.status == 200, answer
        return json.loads(answer.body)[0]

    def leftovers(self) -> list[Path]:
        """Files in the cache that belong to no finished upload, but for the empty ones that
        Gradio makes for each file of an order.
        """
        return [path for path in self.cache.glob("*") if path.is_file() and path.stat().st_size]

    # -- calls

    def order(self, endpoint: str, data: object, **more) -> tuple[int, str]:
        """Status and text of the answer to an order."""
        answer = self.http.post(f"{API}/call/{endpoint}", json={"data": data, **more})
        return answer.status_code, answer.text

    def call(self, endpoint: str, data: object, **more) -> tuple[str, object]:
        """("complete", values), ("error", sentence) or ("refused", text of the 4xx)."""
        status, text = self.order(endpoint, data, **more)
        if status != 200:
            assert 400 <= status < 500, (status, text)
            return "refused", json.loads(text)["detail"]
        return self.outcome(endpoint, json.loads(text)["event_id"])

    def outcome(self, endpoint: str, event: str) -> tuple[str, object]:
        with self.http.stream("GET", f"{API}/call/{endpoint}/{event}") as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind in ("complete", "error"):
                    told = json.loads(line.removeprefix("data: "))
                    return kind, told["error"] if isinstance(told, dict) else told
        return "nothing", None

    def event(self, number: int, data: list, session: str = "") -> list[dict]:
        """Send one of the page's own events, as its scripts do; what is told about it."""
        session = session or uuid.uuid4().hex
        order = {"data": data, "fn_index": number, "session_hash": session}
        answer = self.http.post(f"{API}/queue/join", json=order)
        if answer.status_code != 200:
            return [answer.json()]
        return self.messages(session)

    def messages(self, session: str) -> list[dict]:
        """What a session is told, to the end of its events."""
        target = f"{API}/queue/data?session_hash={session}"
        with self.http.stream("GET", target) as answer:
            lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    def alive(self) -> bool:
        """It serves its page, and says that it is well."""
        well = self.http.get("/health").json().get("status") in ("ok", "loading")
        return well and self.http.get("/config").status_code == 200


def _whole(got: bytes) -> bool:
    head, split, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(split and length and len(body) >= int(length[1]))


def multipart(*files: tuple[bytes, bytes], field: bytes = b"files") -> bytes:
    """The body of an upload with boundary B: names and contents of files."""
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n'
        % (field, name, data)
        for name, data in files
    )
    return b"".join(parts) + b"--B--\r\n"


def chunked(*pieces: bytes) -> list[bytes]:
    """As the chunks of a body whose length is not told; without the last, empty one."""
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]


def file(path: str, **more) -> dict:
    """How a client names a file."""
    return {"path": path, "meta": META, **more}


def harmless(text: object) -> bool:
    """Whether what was told keeps the server's secrets."""
    return not any(telltale in str(text) for telltale in TELLTALES)


class Canary:
    """A server inside the attacked machine's network that nobody may be made to ask."""

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def wait_until(true, seconds: float = 20.0) -> None:
    """Until `true()`; fails after that time, which is generous."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def environment(cache: Path) -> dict[str, str]:
    """Of the attacked process."""
    return os.environ | SECRETS | {"GRADIO_TEMP_DIR": str(cache)}
