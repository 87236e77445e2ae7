"""Every setting of the page, once: the options of app.py and the README's table are made from it.

A flag wins over the environment, the environment over the default; an empty variable counts as
unset. `python -m l2t.settings` prints the README's table.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn

from l2t.setting import Setting, SettingsError, number, word

MB = 1_000_000  # bytes
FETCH = 60  # s that a result is kept at least, so that its visitor has it
DESCRIPTION = "The page: start it, then open the address that it prints."


@dataclass(frozen=True)
class Options:
    """The settings of one run of app.py; each field is a flag of the same name with dashes."""

    host: str = word(
        "127.0.0.1", "GRADIO_SERVER_NAME", "address to listen on; 0.0.0.0 for every network"
    )
    port: int | None = word(
        None, "GRADIO_SERVER_PORT", "port to listen on",
        kind=int, low=1, high=65_535, unset="first free one from 7860 on",
    )  # fmt: skip
    weights: str | None = word(
        None, "L2T_WEIGHTS", "folder, Hub repository org/name[@revision], or debug",
        unset="L2T_HUB_REPO, else the embedded ones",
    )  # fmt: skip
    device: str = word(
        "auto", "L2T_DEVICE", "where the models run", choices=("auto", "cpu", "cuda")
    )
    max_seconds: float = number(
        60.0, "L2T_MAX_SECONDS", "longest recording accepted", "s", 0.2, 3600
    )
    max_mb: int = number(100, "L2T_MAX_MB", "largest file accepted", "MB", 1, 2000)
    waiting: int = number(32, "L2T_WAITING", "places in the queue", "jobs", 1, 1000)
    waiting_each: int = number(
        6, "L2T_WAITING_EACH", "places in the queue that one visitor may take", "jobs", 1, 1000
    )
    deadline: float = number(300.0, "L2T_DEADLINE", "work that one job may take", "s", 1, 3600)
    keep_seconds: float = number(
        3000.0, "L2T_KEEP_SECONDS", "age at which uploads and results are deleted", "s",
        1 + FETCH, 86_400,
    )
    finish_seconds: float = number(
        20.0, "L2T_FINISH_SECONDS", "time a running job has to finish when the page is stopped",
        "s", 0, 3600,
    )  # fmt: skip
    quota_mb: int = number(
        2000, "L2T_QUOTA_MB", "disk that uploads and results may take together", "MB", 10, 1_000_000
    )
    worker_memory_mb: int = number(
        4000, "L2T_WORKER_MEMORY_MB", "memory of the process that holds the models", "MB",
        2000, 1_000_000,
    )  # fmt: skip
    log: str = word("text", "L2T_LOG", "how the log is written", choices=("text", "json"))
    log_level: str = word(
        "info", "L2T_LOG_LEVEL", "least important lines that are logged",
        choices=("debug", "info", "warning", "error"),
    )  # fmt: skip

    def __post_init__(self):
        if self.quota_mb < self.max_mb:
            raise SettingsError(
                f"The disk quota must hold the largest file accepted, {self.max_mb} MB, "
                f"found {self.quota_mb} MB."
            )
        if self.keep_seconds < self.deadline + FETCH:  # else a job's files go under its hands
            raise SettingsError(
                f"Uploads and results must be kept for {FETCH} s longer than a job may take, "
                f"{self.deadline + FETCH:g} s at least, found {self.keep_seconds:g} s."
            )

    @property
    def max_bytes(self) -> int:
        return self.max_mb * MB

    @property
    def quota_bytes(self) -> int:
        return self.quota_mb * MB

    @property
    def worker_memory_bytes(self) -> int:
        return self.worker_memory_mb * MB


# Read where they are used, in child processes too; they have no flag.
ENVIRONMENT = (
    ("L2T_HUB_REPO", "unset", "weights from this Hub repository, `org/name[@revision]`"),
    ("L2T_HUB_SECONDS", "20 s", "whole exchange with the Hub; the first answer has 3 s of it"),
    ("L2T_RENDERER", "auto", "what draws: auto, pyvista or software"),
    ("HF_TOKEN", "unset", "private or gated Hub repositories, publishing"),
    ("HF_HOME, HF_HUB_CACHE", "the Hub's", "where downloads are kept"),
    ("HF_HUB_OFFLINE", "unset", "1: ask the Hub nothing; use the cache, else the embedded weights"),
)


def settings() -> Iterator[tuple[str, str, Setting, Any]]:
    """Each setting with a flag: name of the field, flag, what is known of it, default."""
    for each in fields(Options):
        flag = f"--{each.name.replace('_', '-')}"
        yield each.name, flag, each.metadata["setting"], each.default


def parse(arguments: list[str] | None = None, environ: Mapping[str, str] = os.environ) -> Options:
    """Options from the command line and the environment.

    What is not accepted ends the command with one sentence and exit status 2, as `--help` ends
    it with the list of flags and status 0.
    """
    parser = _Parser("python app.py", description=DESCRIPTION, allow_abbrev=False)
    for name, flag, setting, default in settings():
        parser.add_argument(
            flag, dest=name, metavar=setting.unit.upper() or "VALUE",
            help=f"{setting.meaning} (default: {_default(setting, default)}; {setting.env})",
        )  # fmt: skip
    given = vars(parser.parse_args(arguments))
    try:
        return _read(given, environ)
    except SettingsError as refusal:
        parser.error(str(refusal))


def _read(given: Mapping[str, str | None], environ: Mapping[str, str]) -> Options:
    values = {}
    for name, flag, setting, _ in settings():
        if given[name] is not None:
            values[name] = setting.read(given[name], flag)
        elif environ.get(setting.env, "").strip():
            values[name] = setting.read(environ[setting.env], setting.env)
    return Options(**values)


class _Parser(argparse.ArgumentParser):
    """One sentence for a wrong option, without the usage of all the others before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _default(setting: Setting, default: Any) -> str:
    if default is None:
        return setting.unset
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{shown} {setting.unit}".strip()


def table() -> str:
    """The README's table of settings, in Markdown."""
    lines = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for _, flag, setting, default in settings():
        meaning = setting.meaning
        if setting.choices:
            meaning += f": {', '.join(setting.choices)}"
        elif setting.low is not None:
            meaning += f", {setting.span}"
        shown = _default(setting, default)
        lines.append(f"| `{flag}` | `{setting.env}` | {shown} | {meaning} |")
    for names, default, meaning in ENVIRONMENT:
        quoted = ", ".join(f"`{name}`" for name in names.split(", "))
        lines.append(f"| | {quoted} | {default} | {meaning} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
