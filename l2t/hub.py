"""Weights from a Hugging Face Hub repository, within a deadline.

The Hub client runs in a child process (l2t/hub_child.py), for it can hang for minutes on a silent
server and a thread cannot be stopped. Whatever goes wrong comes back as `Unavailable`, whose
message is the predicate of "Hub repository org/name ...".
"""

import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from l2t.child import own_environment
from l2t.errors import WeightsError

SECONDS_VARIABLE = "L2T_HUB_SECONDS"
DEFAULT_SECONDS = 20.0  # whole exchange with the Hub, downloads included
START_SECONDS = 30.0  # allowance for a busy machine to start the child

# Names as the Hub accepts them; "--" and ".." are refused there too.
_REF = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
    r"(@(?P<revision>[A-Za-z0-9][\w./-]{0,120}))?",
    re.ASCII,
)
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_SECRET = re.compile(r"\bhf_[A-Za-z0-9]{8,}\b|(?<=Bearer )[^\s'\"]+|(?<=\?)[^\s'\"]+")
_log = logging.getLogger(__name__)


class Unavailable(WeightsError):
    """The Hub gave no usable weights; the message ends "Hub repository org/name ..."."""


@dataclass(frozen=True)
class HubRef:
    """A repository "org/name" and a revision of it (branch, tag or commit)."""

    repo: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> "HubRef | None":
        """From "org/name[@revision]"; None when the text has another form."""
        match = _REF.fullmatch(text)
        if match is None or ".." in text or "--" in match["repo"]:
            return None
        return cls(match["repo"], match["revision"] or "main")


@dataclass(frozen=True)
class Snapshot:
    """A verified folder in the Hub's cache, the commit it holds, and how it came there."""

    folder: Path
    commit: str
    how: str


def hub_seconds() -> float:
    """The deadline in seconds: L2T_HUB_SECONDS when it is a number from 0.1 to 3600, else 20."""
    text = os.environ.get(SECONDS_VARIABLE, "").strip()
    try:
        seconds = float(text or DEFAULT_SECONDS)
    except ValueError:
        seconds = -1.0
    if 0.1 <= seconds <= 3600:
        return seconds
    _log.warning("%s=%r is not a number from 0.1 to 3600; using 20", SECONDS_VARIABLE, text[:40])
    return DEFAULT_SECONDS


def fetch(ref: HubRef, seconds: float | None = None) -> Snapshot:
    """The weights of `ref`, each file checked against the manifest; raises Unavailable only."""
    seconds = hub_seconds() if seconds is None else seconds
    command = [sys.executable, "-P", "-m", "l2t.hub_child", ref.repo, ref.revision, f"{seconds:g}"]
    try:
        done = subprocess.run(
            command,
            env=_child_environment(seconds),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds + START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"did not answer within {seconds:g} s") from None
    except OSError:
        raise Unavailable("could not be asked: no process could be started") from None
    if done.stderr:
        _log.debug("Hub client: %s", _without_secrets(done.stderr)[-2000:])
    return _snapshot(done.stdout)


def _child_environment(seconds: float) -> dict[str, str]:
    defaults = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": str(max(1, round(min(seconds, 10)))),
    }
    # Plain HTTP obeys the time-outs and the guard; the Xet client has rules of its own.
    return {**defaults, **own_environment(), "HF_HUB_DISABLE_XET": "1"}


def _without_secrets(output: bytes) -> str:
    """A log's text without access tokens and without the signatures in links to a file store."""
    text = output[-50_000:].decode(errors="replace")
    for name in _TOKENS:
        if (token := os.environ.get(name, "").strip()) and len(token) > 3:
            text = text.replace(token, "***")
    return _SECRET.sub("***", text)


def _snapshot(output: bytes) -> Snapshot:
    """The child's last line of output: {"folder", "commit", "how"} or {"unavailable"}."""
    try:
        answer = json.loads(output.strip().splitlines()[-1])
        if "unavailable" in answer:
            raise Unavailable(str(answer["unavailable"]))
        return Snapshot(Path(answer["folder"]), str(answer["commit"]), str(answer["how"]))
    except (IndexError, KeyError, TypeError, ValueError):
        raise Unavailable("could not be asked: the Hub client failed") from None
