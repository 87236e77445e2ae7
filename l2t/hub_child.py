"""The killable child that talks to the Hub: python -m l2t.hub_child ORG/NAME REVISION SECONDS.

Prints one line of JSON: {"folder", "commit", "how"}, or {"unavailable": reason}. The order of
things: the cache first (a pinned commit found sound there needs no request), then one question to
the Hub with a short time-out, then the download, then the sha256 of each file. A damaged file is
set aside and fetched once more.
"""

import json
import logging
import os
import sys
import threading
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

from l2t.hub import Unavailable
from l2t.hub_cache import COMMIT, RepoCache, listed
from l2t.hub_guard import Guard
from l2t.hub_reasons import FAILURES, reason
from l2t.manifest import MAX_MANIFEST_BYTES, NAME

ANSWER_SECONDS = 3.0  # for the first answer of the Hub


class Client:
    """One repository at one revision; `state` says what is being waited for."""

    def __init__(self, repo: str, revision: str, seconds: float):
        self.repo, self.revision, self.seconds = repo, revision, seconds
        self.answer_seconds = min(ANSWER_SECONDS, seconds)
        self.cache = RepoCache(repo)
        self.guard = Guard()
        self.state = "did not answer"
        self.breaks = 0

    def fetch(self) -> dict[str, str]:
        """The answer for the parent; raises Unavailable."""
        self.guard.install()
        cached, damaged = self.cache.find(self.revision)
        if cached and COMMIT.fullmatch(self.revision):
            return _answer(cached, "pinned commit, from the cache")
        try:
            commit = self.ask()
            if cached and cached.name == commit:
                return _answer(cached, "from the cache, up to date")
            snapshot = self.download(commit)
        except Exception as error:  # noqa: BLE001 (a hostile answer may break the client anywhere)
            failure = error if isinstance(error, Unavailable) else _broken(error)
            if cached:
                return _answer(cached, f"from the cache; it {failure}")
            note = ", and its cached copy is damaged" if damaged else ""
            raise Unavailable(f"{failure}{note}") from None
        self.cache.remember(self.revision, snapshot)
        return _answer(snapshot, "downloaded")

    def ask(self) -> str:
        """The commit that the revision stands for now."""
        url = hf_hub_url(self.repo, NAME, revision=self.revision)
        try:
            metadata = get_hf_file_metadata(url, timeout=self.answer_seconds)
        except FAILURES as error:
            raise Unavailable(reason(error, NAME, self.revision, self.answer_seconds)) from error
        if not COMMIT.fullmatch(metadata.commit_hash or ""):
            raise Unavailable("does not answer like a Hub")
        return metadata.commit_hash

    def download(self, commit: str) -> Path:
        """The complete, verified snapshot of `commit`; what is damaged is fetched once more."""
        self.state = "waits for another process that did not finish"
        with self.cache.lock():
            self.cache.check_inside(commit)
            for _ in range(2):
                snapshot = self.get(NAME, commit, MAX_MANIFEST_BYTES).parent
                for entry in listed(snapshot):
                    self.get(entry.name, commit, entry.bytes)
                problems = self.cache.unsound(snapshot)
                if not problems:
                    return snapshot
                self.cache.set_aside(snapshot, problems)
        name, problem = next(iter(problems.items()))
        raise Unavailable(f"sent {name} twice, and it {problem}")

    def get(self, name: str, commit: str, most: int) -> Path:
        """One file of at most so many bytes, from the cache or the Hub."""
        self.state = f"did not send {name} in full"
        self.guard.expect(name, most, commit)
        try:
            path = hf_hub_download(
                self.repo, name, revision=commit, etag_timeout=self.answer_seconds
            )
        except FAILURES as error:
            raise Unavailable(reason(error, name, commit, self.answer_seconds)) from error
        return Path(path)

    def overdue(self) -> dict[str, str]:
        """The answer when the deadline strikes: an older sound snapshot, or the reason."""
        breaks = f" ({self.breaks} broken transfers resumed)" if self.breaks else ""
        failure = f"{self.state} within {self.seconds:g} s{breaks}"
        cached, _ = self.cache.find(self.revision)
        if cached:
            return _answer(cached, f"from the cache; it {failure}")
        return {"unavailable": failure}


class _BreakCounter(logging.Handler):
    """Counts the transfers that huggingface_hub resumes after a break."""

    def __init__(self, client: Client):
        super().__init__(logging.WARNING)
        self.client = client

    def emit(self, record: logging.LogRecord) -> None:
        if "Error while downloading" in str(record.msg):
            self.client.breaks += 1


def _watch(client: Client) -> None:
    """End the process at the deadline, whatever it waits for, with an answer and no litter."""
    before = client.cache.unfinished()

    def expire():
        try:
            _print(client.overdue())
            for part in client.cache.unfinished() - before:
                part.unlink(missing_ok=True)
        finally:
            os._exit(0)

    timer = threading.Timer(client.seconds, expire)
    timer.daemon = True
    timer.start()


def _broken(error: Exception) -> Unavailable:
    logging.getLogger(__name__).warning("the Hub client broke", exc_info=error)
    return Unavailable(f"gave an answer that broke its client ({type(error).__name__})")


def _answer(snapshot: Path, how: str) -> dict[str, str]:
    return {"folder": str(snapshot), "commit": snapshot.name, "how": how}


def _print(answer: dict[str, str]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    repo, revision, seconds = sys.argv[1:]
    client = Client(repo, revision, float(seconds))
    logging.getLogger("huggingface_hub.file_download").addHandler(_BreakCounter(client))
    _watch(client)
    try:
        answer = client.fetch()
    except Unavailable as failure:
        answer = {"unavailable": str(failure)}
    _print(answer)
    os._exit(0)  # neither the watchdog nor an open connection may hold the answer back


if __name__ == "__main__":
    main()
