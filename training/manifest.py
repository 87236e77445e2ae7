"""Write down what a weights folder holds: length, sha256 and origin of each file.

    python -m training.manifest [--folder assets/weights]
    python -m training.manifest --role student --command "python -m training.student ..." \
        --data "grid_s1, facegood, LibriSpeech" --licence Apache-2.0 --figure grid_s1_r=0.97

Training stages call `save_role`, which writes a model's configuration and its tensors in half
precision and describes both in manifest.json. The plain command lists the folder anew; a file
that changed since it was described must be described again, or kept with --keep.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.errors import WeightsError
from l2t.manifest import FORMAT, NAME, read_json, read_manifest, sha256_of
from l2t.weights import EMBEDDED

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".json", ".safetensors")
HALF_MAX = 65504.0  # the largest float16


@dataclass(frozen=True)
class Origin:
    """How a role's files came to be: command, data it learned from, licence, measured figures."""

    command: str
    data: str
    licence: str
    figures: dict = field(default_factory=dict)


def save_role(
    folder: Path, role: str, config: Mapping, tensors: "Mapping[str, Tensor]", origin: Origin
) -> None:
    """Write ROLE.json and ROLE.safetensors (floats as float16) and describe them.

    Raises WeightsError, before anything is written, when a tensor holds NaN, infinity or a number
    too large for half precision.
    """
    from safetensors.torch import save

    data = save({name: _half(name, tensor) for name, tensor in tensors.items()})
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f"{role}.safetensors", data)
    _write(folder / f"{role}.json", _json(dict(config)))
    write_manifest(folder, {role: origin}, keep=True)


def write_manifest(folder: Path, origins: Mapping[str, Origin] = {}, keep: bool = False) -> Path:
    """List the folder in manifest.json; `origins` by role, the others stay as described before.

    A role is a file's name without suffix. Raises WeightsError, naming the file, when one has no
    origin, or (unless `keep`) has changed since its origin was written down.
    """
    before = _described(folder)
    paths = sorted(p for p in folder.glob("*") if p.suffix in SUFFIXES and p.name != NAME)
    if unknown := set(origins) - {path.stem for path in paths}:
        raise WeightsError(f"There is no file for the role {', '.join(sorted(unknown))}.")
    files = {}
    for path in paths:
        old = before.get(path.name, {})
        facts = {"role": path.stem, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
        if path.stem in origins:
            facts |= asdict(origins[path.stem])
        elif not old.get("command"):
            raise WeightsError(f"{path.name} has no origin yet: describe the role {path.stem!r}.")
        elif old.get("sha256") != facts["sha256"] and not keep:
            raise WeightsError(f"{path.name} changed since it was described: describe it again.")
        else:
            facts |= {key: old.get(key, "") for key in ("command", "data", "licence", "figures")}
        files[path.name] = facts
    _write(folder / NAME, _json({"format": FORMAT, "files": files}))
    read_manifest(folder)  # what was written must be readable by the demo
    return folder / NAME


def _described(folder: Path) -> dict[str, dict]:
    """File name -> what an earlier manifest said, sound or not."""
    path = folder / NAME
    if not path.exists():
        return {}
    return read_json(path.read_bytes(), NAME).get("files", {})


def _half(name: str, tensor: "Tensor") -> "Tensor":
    import torch

    tensor = tensor.detach().cpu().contiguous().clone()  # shared storage cannot be written
    if not tensor.is_floating_point():
        return tensor
    if not bool((tensor.abs() <= HALF_MAX).all()):
        raise WeightsError(f"{name} holds NaN, infinity or a number beyond half precision.")
    return tensor.to(torch.float16)


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    """All or nothing: a reader never meets half a file."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def _figure(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.manifest", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--folder", type=Path, default=EMBEDDED)
    parser.add_argument("--role", help="describe this role's files anew")
    parser.add_argument("--command", default="", help="the command that made them")
    parser.add_argument("--data", default="", help="what they learned from")
    parser.add_argument("--licence", default="", help="SPDX name")
    parser.add_argument("--figure", type=_figure, action="append", default=[], metavar="NAME=N")
    parser.add_argument("--keep", action="store_true", help="keep origins of changed files")
    args = parser.parse_args(argv)
    origins = {}
    if args.role:
        if not (args.command and args.data and args.licence):
            parser.error("--role needs --command, --data and --licence")
        origins = {args.role: Origin(args.command, args.data, args.licence, dict(args.figure))}
    try:
        path = write_manifest(args.folder, origins, args.keep)
        manifest = read_manifest(args.folder)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    megabytes = sum(entry.bytes for entry in manifest.entries) / 1e6
    print(f"{path.name}: {', '.join(manifest.roles)}; {megabytes:.2f} MB; {manifest.digest[:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
