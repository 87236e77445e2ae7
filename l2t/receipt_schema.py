"""The layout of a receipt, and how one that anybody may have written is read.

Every object has exactly the fields of `LAYOUT`, each checked by type and range; what passes can be
used and printed as it is.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from l2t.avatar.camera import STEEPEST
from l2t.errors import L2TError, WeightsError
from l2t.layout import Check, exactly, fault, like, maybe, number, one_of, table, text, whole
from l2t.manifest import read_json
from l2t.movement import SEEDS, STRONGEST
from l2t.render.scene import SIZE_MAX, SIZE_MIN, VIEWS
from l2t.variants import EVERY

SCHEMA = 1
NAME = "learn2talk.json"  # what a receipt is called where nobody chose a name
MAX_BYTES = 1 << 16  # of the whole file: one of a comparison has about 4,000
SOURCES = ("embedded", "hub", "folder", "debug")  # of `l2t.weights.Weights`
# The results by name, and how their files end. In a comparison those of one take have its
# variant's name added, as in "motion-full".
OF_ALL = {"film": ".mp4", "ply": ".ply", "splat": ".splat"}
OF_ONE = {"motion": ".npz", "sync": ".json", "csv": ".csv", "glb": ".glb"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX40 = re.compile(r"[0-9a-f]{40}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


class ReceiptError(L2TError):
    """A receipt cannot be read, or does not belong to what it is used with."""


def result_names(variants: Sequence[str]) -> dict[str, str]:
    """Name -> ending of every result that takes by these variants may have."""
    ends = [f"-{variant}" for variant in variants] if len(variants) > 1 else [""]
    return OF_ALL | {f"{kind}{end}": OF_ONE[kind] for end in ends for kind in OF_ONE}


def _variants(value: object) -> bool:
    names = [variant.name for variant in EVERY]
    few = isinstance(value, list) and 1 <= len(value) <= 2
    return few and all(isinstance(name, str) and name in names for name in value)


def _angle(degrees: float) -> Check:
    return number(-degrees, degrees)


_digest, _word, _count = like(_SHA256), like(_WORD), whole(0, 1 << 50)
LAYOUT = {
    "schema": one_of(SCHEMA),
    "made_with": {
        "learn2talk": _word,
        "python": _word,
        "packages": table(_word, _word),
        "ffmpeg": maybe(text),
        "system": maybe(text),
        "machine": maybe(text),
        "cpu_capability": text,
        "threads": whole(1, 1024),
        "device": one_of("cpu", "cuda"),
        "gpu": maybe(text),
        "renderer": maybe(text),
    },
    "weights": {
        "source": one_of(*SOURCES),
        "repo": maybe(like(_REPO)),
        "revision": maybe(like(_HEX40)),
        "manifest": _digest,
        "files": table(_word, _digest),
    },
    "assets": table(_word, _digest),
    "settings": {
        "identity": text,
        "style": maybe(text),
        "variants": _variants,
        "head": number(0, STRONGEST),
        "seed": whole(0, SEEDS - 1),
        "view": one_of(*VIEWS),
        "size": whole(SIZE_MIN, SIZE_MAX),
        "orbit": maybe(
            exactly(
                {
                    "azimuth": _angle(1e6),  # it may go round and round
                    "elevation": _angle(STEEPEST),
                    "zoom": number(0.5, 8.0),
                }
            )
        ),
    },
    "recording": {
        "name": text,
        "seconds": number(0, 1e7),
        "bytes": _count,
        "sha256": _digest,
        "samples_sha256": _digest,
    },
    "results": table(_word, exactly({"bytes": _count, "sha256": _digest})),
}


def check(receipt: object) -> dict:
    """The same receipt, or ReceiptError with the field that is not as it must be."""
    wrong = _wrong(receipt)
    if wrong is not None:
        raise ReceiptError(
            f"This is no receipt of a take: its field {wrong[:60]!r} is missing or not as schema "
            f"{SCHEMA} has it."
        )
    return receipt


def _wrong(receipt: object) -> str | None:
    if not isinstance(receipt, dict):
        return "schema"
    for name, part in LAYOUT.items():
        value = receipt.get(name)
        if callable(part):
            if not part(value):
                return name
        elif not isinstance(value, dict):
            return name
        elif field := fault(value, part):
            return f"{name}.{field}"
    if extra := next((name for name in receipt if name not in LAYOUT), None):
        return extra
    known = result_names(receipt["settings"]["variants"])
    return next((f"results.{name}" for name in receipt["results"] if name not in known), None)


def read_receipt(path: Path) -> dict:
    """A checked receipt from a file that is not trusted. Raises ReceiptError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "an unknown reason"
        raise ReceiptError(f"The receipt {Path(path).name!r} cannot be read ({reason}).") from None
    if len(data) > MAX_BYTES:
        raise ReceiptError(f"The receipt is longer than {MAX_BYTES} bytes, so it is none.")
    try:
        return check(read_json(data, "The receipt"))
    except WeightsError as error:
        raise ReceiptError(str(error)) from None
