"""The list of a weights folder: which files belong to it, how long they are, their sha256.

`manifest.json` is what makes a download trustworthy: a file is parsed only after its length and
its sha256 agree with the list. The list also says how each file was made, from which data and
under which licence.
"""

import hashlib
import json
import math
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from l2t.errors import WeightsError

NAME = "manifest.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 1 << 20
MAX_FILES = 64
MAX_FILE_BYTES = 2 << 30
MAX_TOTAL_BYTES = 4 << 30
MAX_NAME = 80  # characters of a file's name, of a role

# Letters, digits, "_", "-" and single inner dots: no slash, no "..", nothing hidden.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file: its name in the folder, role ("student", ...), length in bytes, sha256, origin."""

    name: str
    role: str
    bytes: int
    sha256: str
    command: str = ""
    data: str = ""
    licence: str = ""
    figures: dict = field(default_factory=dict)

    def problem(self, folder: Path) -> str | None:
        """What is wrong with this file in `folder`, as the end of a sentence; None when sound."""
        path = folder / self.name
        try:
            with open_regular(path) as file:
                found = os.fstat(file.fileno()).st_size
                if found != self.bytes:
                    return f"has {found} bytes instead of {self.bytes}"
                if _sha256(file) != self.sha256:
                    return "is damaged (its sha256 differs from the manifest's)"
        except FileNotFoundError:
            return "is missing"
        except OSError:
            return "cannot be read"
        return None


@dataclass(frozen=True)
class Manifest:
    """All files of a weights folder, and the sha256 of the list itself."""

    entries: tuple[Entry, ...]
    digest: str

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted({entry.role for entry in self.entries}))

    def entry(self, role: str, suffix: str) -> Entry:
        """The file of `role` that ends in `suffix`; WeightsError when there is not exactly one."""
        found = [e for e in self.entries if e.role == role and e.name.endswith(suffix)]
        if len(found) != 1:
            raise WeightsError(
                f"These weights hold {len(found)} {suffix} files for {role!r} where one is needed; "
                f"they hold {', '.join(self.roles) or 'nothing'}."
            )
        return found[0]

    def problems(self, folder: Path) -> dict[str, str]:
        """File name -> what is wrong with it, for each file of the list that is not sound."""
        found = {entry.name: entry.problem(folder) for entry in self.entries}
        return {name: problem for name, problem in found.items() if problem}


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file, read block by block."""
    with open_regular(path) as file:
        return _sha256(file)


def open_regular(path: Path) -> BinaryIO:
    """A file opened for reading; OSError for what is none, such as a pipe or a device, which
    would keep a reader waiting or never end."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not a regular file")
    return os.fdopen(handle, "rb")


def read_json(data: bytes, what: str) -> dict:
    """Strict JSON object from bytes (no NaN, no infinity, no name twice in an object);
    WeightsError names `what`."""
    try:
        content = json.loads(
            data,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_each_once,
        )
    except (ValueError, RecursionError):
        raise WeightsError(f"{what} is not valid JSON.") from None
    if not isinstance(content, dict):
        raise WeightsError(f"{what} holds no JSON object.")
    return content


def read_manifest(folder: Path) -> Manifest:
    """The checked manifest of a folder; WeightsError says what is wrong with it."""
    try:
        with open_regular(folder / NAME) as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError:
        raise WeightsError(f"The weights folder holds no readable {NAME}.") from None
    if len(data) > MAX_MANIFEST_BYTES:
        raise WeightsError(f"The weights' {NAME} is longer than {MAX_MANIFEST_BYTES} bytes.")
    content = read_json(data, f"The weights' {NAME}")
    if content.get("format") != FORMAT:
        raise WeightsError(
            f"The weights' {NAME} has format {str(content.get('format'))[:20]!r}; "
            f"format {FORMAT} is understood."
        )
    files = content.get("files")
    if not isinstance(files, dict) or not files:
        raise WeightsError(f"The weights' {NAME} lists no files.")
    if len(files) > MAX_FILES:
        raise WeightsError(
            f"The weights' {NAME} lists {len(files)} files; at most {MAX_FILES} are accepted."
        )
    entries = tuple(_entry(name, files[name]) for name in sorted(files))
    total = sum(entry.bytes for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise WeightsError(
            f"The weights' {NAME} lists {total} bytes; at most {MAX_TOTAL_BYTES} are accepted."
        )
    return Manifest(entries, hashlib.sha256(data).hexdigest())


def _entry(name: str, fields: object) -> Entry:
    if not _PLAIN_NAME.fullmatch(name) or name == NAME or len(name) > MAX_NAME:
        raise WeightsError(f"The weights' {NAME} lists {name[:80]!r}, which is no plain file name.")
    known = Entry.__dataclass_fields__.keys() - {"name"}
    fields = fields if isinstance(fields, dict) else {}
    entry = Entry(name, **{"role": "", "bytes": -1, "sha256": "", **_only(fields, known)})
    texts = (entry.role, entry.sha256, entry.command, entry.data, entry.licence)
    if not (
        all(isinstance(text, str) for text in texts)
        and _PLAIN_NAME.fullmatch(entry.role)
        and len(entry.role) <= MAX_NAME
        and _SHA256.fullmatch(entry.sha256)
        and type(entry.bytes) is int
        and 0 <= entry.bytes <= MAX_FILE_BYTES
        and isinstance(entry.figures, dict)
    ):
        raise WeightsError(f"The weights' {NAME} describes {name} without role, bytes or sha256.")
    return entry


def _only(fields: dict, known: set[str]) -> dict:
    return {key: value for key, value in fields.items() if key in known}


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError("a number is too large")
    return value


def _each_once(pairs: list[tuple[str, object]]) -> dict:
    """An object's content; of a name given twice, readers would not agree which one counts."""
    if len(content := dict(pairs)) != len(pairs):
        raise ValueError("a name is given twice")
    return content
