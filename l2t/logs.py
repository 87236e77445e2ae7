"""The log: plain lines or JSON lines, each with the number of the job that it belongs to.

What visitors call their files does not belong in it; controls in a message (line breaks above all)
are escaped, so that nobody writes lines of his own.
"""

import contextlib
import contextvars
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

KINDS = ("text", "json")  # the first of each is what an empty environment means
LEVELS = ("info", "debug", "warning", "error")
QUIET = ("httpx", "httpcore", "multipart", "python_multipart", "matplotlib", "numba")  # at INFO
_job: contextvars.ContextVar[str | None] = contextvars.ContextVar("job", default=None)


@contextlib.contextmanager
def job_context(job: str) -> Iterator[None]:
    """Lines logged inside belong to this job; in threads too that run in a copied context."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


def configure(kind: str | None = None, level: str | None = None) -> None:
    """Log to stderr; kind: one of `KINDS`; level: one of `LEVELS`; None: as the environment says.

    As JSON, what libraries print to stderr (tracebacks of Gradio's) becomes lines of the log too.
    """
    kind = kind or _from_environment("L2T_LOG", KINDS)
    level = level or _from_environment("L2T_LOG_LEVEL", LEVELS)
    if kind not in KINDS or level not in LEVELS:
        raise ValueError(f"one of {KINDS} and one of {LEVELS} are wanted, got {kind!r}, {level!r}")
    stream = sys.stderr.stream if isinstance(sys.stderr, PrintedLines) else sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    sys.stderr = PrintedLines(stream) if kind == "json" else stream


def adopt(*names: str) -> None:
    """Let loggers that brought handlers of their own log as the others do."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


class TextLines(logging.Formatter):
    """time level logger [job] message, and a traceback on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        job = f" [{_job.get()}]" if _job.get() else ""
        head = f"{_time(record)} {record.levelname} {record.name}{job} {_plain(record)}"
        trace = _trace(record)
        return f"{head}\n{trace}" if trace else head


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, and job and exception where there are."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "job": _job.get(),
            "exception": _trace(record),
        }
        return json.dumps({name: value for name, value in line.items() if value is not None})


class PrintedLines:
    """Stands in for stderr: whole lines that are printed become lines of the log."""

    def __init__(self, stream):
        self.stream = stream
        self._log, self._own = logging.getLogger("stderr"), threading.local()

    def write(self, text: str) -> int:
        own = self._own  # of this thread: the line that is not at its end, whether one is logged
        if getattr(own, "busy", False):  # the log itself fails and says so
            return self.stream.write(text)
        *lines, own.rest = (getattr(own, "rest", "") + text).split("\n")
        own.busy = True
        try:
            for line in filter(str.strip, lines):
                self._log.warning("%s", line)
        finally:
            own.busy = False
        return len(text)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


def _from_environment(name: str, choices: tuple[str, ...]) -> str:
    """Of a child process too; a wrong value was told at the start, by l2t.settings."""
    value = os.environ.get(name, "").strip()
    return value if value in choices else choices[0]


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(record: logging.LogRecord) -> str:
    """The message with what is not printable escaped."""
    text = record.getMessage()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _trace(record: logging.LogRecord) -> str | None:
    if not record.exc_info or record.exc_info[0] is None:
        return None
    return "".join(traceback.format_exception(*record.exc_info)).rstrip()
