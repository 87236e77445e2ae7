"""The loopback Hub's answers to single requests."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler

_RESOLVE = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)")
_API = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/(preupload|commit|revision)/([^/?]+)")
_BATCH = re.compile(r"/([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch")
_OBJECT = re.compile(r"/store/(\w+)/([0-9a-f]{64})/(.+)")


def is_large(name: str) -> bool:
    return name.endswith(".safetensors")


class Handler(BaseHTTPRequestHandler):
    """One connection; `self.server.hub` is the LoopbackHub."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        """Stay quiet."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # the client was killed at its deadline

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            self.hub = self.server.hub
            self.hub.requests.append(f"{self.command} {self.path}")
            if self.hub.silent:
                self.hub.closing.wait(30)
                self.close_connection = True
                return False
        return parsed

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.hub.trick and self.hub.trick(self):
            self.close_connection = True
        elif match := _RESOLVE.fullmatch(self.path):
            self.resolve(*match.groups())
        elif match := _OBJECT.fullmatch(self.path):
            if "Authorization" in self.headers:
                self.hub.leaks.append(self.path)
            self.send_file(match[3], self.hub.objects[match[2]], {})
        elif match := _API.fullmatch(self.path):
            self.send_json({"id": match[1], "sha": self.hub.repos[match[1]].refs["main"]})
        else:
            self.refuse(404, "")

    def resolve(self, repo_name: str, revision: str, name: str) -> None:
        """/ORG/NAME/resolve/REVISION/FILE with the headers that the client reads."""
        repo = self.hub.repos.get(repo_name)
        if repo is None:
            return self.refuse(401, "RepoNotFound")
        if repo.gated:
            return self.refuse(403, "GatedRepo")
        found = repo.tree(revision)
        if found is None:
            return self.refuse(404, "RevisionNotFound")
        commit, tree = found
        if name not in tree:
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        headers = {"X-Repo-Commit": commit}
        if not is_large(name):
            blob = b"blob %d\0" % len(tree[name]) + tree[name]
            headers["ETag"] = f'"{hashlib.sha1(blob).hexdigest()}"'
            return self.send_file(name, tree[name], headers)
        oid = hashlib.sha256(tree[name]).hexdigest()
        self.hub.objects[oid] = tree[name]
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(tree[name]))}
        headers["Location"] = f"http://localhost:{self.hub.port}/store/get/{oid}/{name}"
        return self.send(302, b"", headers)

    def send_file(self, name: str, data: bytes, headers: dict) -> None:
        """The content, or what the fault of the day makes of it."""
        fault = self.hub.take_fault(name) if self.command == "GET" else None
        if fault == "error":
            return self.refuse(503, "")
        if fault == "flip":
            data = data[:-1] + bytes([data[-1] ^ 0xFF])
        if fault not in {"cut", "stall"}:
            return self.send(200, data, headers)
        self.send(200, data, headers, sent=len(data) // 2)
        self.wfile.flush()
        if fault == "stall":
            self.hub.closing.wait(30)
        self.close_connection = True
        return None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self.refuse(401, "")
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self.send_json({"errors": [], "warnings": []})
        elif match := _BATCH.fullmatch(self.path):
            self.batch(json.loads(body))
        elif match := _API.fullmatch(self.path):
            {"preupload": self.preupload, "commit": self.commit}[match[2]](match[1], body)
        else:
            self.refuse(404, "")

    def create(self, wanted: dict) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.hub.repos:
            return self.send_json({"url": f"{self.hub.url}/{name}"}, 409)
        self.hub.add(name, {".gitattributes": b""})
        return self.send_json({"url": f"{self.hub.url}/{name}"})

    def preupload(self, _repo: str, body: bytes) -> None:
        """Which files go as large ones."""
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if is_large(file["path"]) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self.send_json({"files": modes})

    def batch(self, wanted: dict) -> None:
        """Git LFS batch API: where to put each object; none for those already there."""
        objects = []
        for item in wanted["objects"]:
            action = {"upload": {"href": f"{self.hub.url}/store/put/{item['oid']}/object"}}
            known = item["oid"] in self.hub.objects
            objects.append({**item, **({} if known else {"actions": action})})
        self.send_json({"transfer": "basic", "objects": objects})

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        oid = _OBJECT.fullmatch(self.path)[2]
        if hashlib.sha256(data).hexdigest() != oid:
            return self.refuse(400, "")
        self.hub.objects[oid] = data
        return self.send(200, b"", {})

    def commit(self, repo_name: str, body: bytes) -> None:
        files = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        commit = self.hub.add(repo_name, files)
        url = f"{self.hub.url}/{repo_name}/commit/{commit}"
        self.send_json({"commitUrl": url, "commitOid": commit})

    def refuse(self, status: int, code: str, headers: dict | None = None) -> None:
        self.send(status, b"", {"X-Error-Code": code, **(headers or {})})

    def send_json(self, content: dict, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send(status, data, {"Content-Type": "application/json"})

    def send(self, status: int, data: bytes, headers: dict, sent: int | None = None) -> None:
        """`sent`: stop after so many bytes of those promised."""
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:sent])
