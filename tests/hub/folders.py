"""Small weights folders, written with nothing of the project: the tests' own idea of the layout."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

ROLES = ("encoder", "student", "syncnet3d")


def make_weights(folder: Path, seed: int = 0, floats: int = 512) -> Path:
    """A complete folder: per role a configuration and half-precision tensors, and the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    for role in ROLES:
        tensors = {"w": torch.randn(floats, generator=generator), "b": torch.zeros(3)}
        save_file({k: t.half() for k, t in tensors.items()}, folder / f"{role}.safetensors")
        (folder / f"{role}.json").write_text(json.dumps({"width": floats, "seed": seed}))
    write_manifest(folder)
    return folder


def write_manifest(folder: Path, **changed: dict) -> None:
    """List all files as they lie there; `changed`: student={"sha256": "..."} per safetensors."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name == "manifest.json" or path.suffix not in {".json", ".safetensors"}:
            continue
        data = path.read_bytes()
        files[path.name] = {
            "role": path.stem,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "command": f"python -m training.{path.stem}",
            "data": "made for a test",
            "licence": "Apache-2.0",
            "figures": {},
        }
        if path.suffix == ".safetensors":
            files[path.name].update(changed.get(path.stem, {}))
    manifest = {"format": 1, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def flip_byte(path: Path, at: int = -1) -> None:
    """Invert one byte of a file; its length stays."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(bytes(data))
