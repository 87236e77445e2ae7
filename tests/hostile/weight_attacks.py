"""Ways in which somebody could spoil a weights folder, and small sound weights to begin with.

Each attack on tensors turns the bytes of a sound safetensors file into those of a bad one; the
manifest is written anew afterwards, so it vouches for them.
"""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from hub.folders import write_manifest
from safetensors.torch import load, save

from l2t.manifest import read_manifest
from l2t.models.avsr import AVSR, AVSRConfig, avsr_from
from l2t.models.lipreader import LipReader, LipReaderConfig, reader_from
from l2t.models.loading import (
    build_student,
    load_encoder,
    load_expert,
    load_head,
    load_models,
    load_student,
)
from l2t.weights import Weights, load_tensors, resolve

CPU = torch.device("cpu")


def make_sound(folder: Path) -> Path:
    """A folder with a tiny model for each role that ships."""
    folder.mkdir(parents=True)
    debug = load_models(resolve("debug"), CPU)
    baseline = {"kind": "faceformer", "channels": 16, "width": 16, "heads": 2, "ffn": 32,
                "styles": ["natural", "clear"], "shapes": ["jawOpen"]}  # fmt: skip
    models = {
        "encoder": debug.encoder, "student": debug.student, "student_sync": debug.student,
        "student_faceformer": build_student(baseline), "syncnet3d": debug.expert,
        "posevae": debug.head,
        "lipreader": LipReader(LipReaderConfig(channels=(2, 2, 2, 2), width=8, blocks=1)),
        "avsr": AVSR(AVSRConfig(channels=16, width=8, blocks=1)),
    }  # fmt: skip
    for role, model in models.items():
        config = baseline if role == "student_faceformer" else asdict(model.config)
        (folder / f"{role}.json").write_text(json.dumps(config))
        data = save({k: t.contiguous() for k, t in model.state_dict().items()})
        (folder / f"{role}.safetensors").write_bytes(data)
    write_manifest(folder)
    return folder


def _student(role: str) -> Callable[[Weights], object]:
    return lambda weights: load_student(weights, role, CPU)


LOADERS: dict[str, Callable[[Weights], object]] = {
    "encoder": load_encoder, "syncnet3d": load_expert, "posevae": load_head,
    "student": _student("student"), "student_sync": _student("student_sync"),
    "student_faceformer": _student("student_faceformer"),
    "lipreader": lambda weights: reader_from(*load_tensors(weights, "lipreader")),
    "avsr": lambda weights: avsr_from(*load_tensors(weights, "avsr")),
}  # fmt: skip


def split(data: bytes) -> tuple[dict, bytes]:
    """Header and numbers of a safetensors file."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: dict | bytes, numbers: bytes, length: int | None = None) -> bytes:
    """The file again; length: what it claims its header to be."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


def _header(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    """An attack that changes the header in place."""

    def attack(data: bytes) -> bytes:
        header, numbers = split(data)
        change(header)
        return joined(header, numbers)

    return attack


def _tensors(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    """An attack that changes the tensors in place."""

    def attack(data: bytes) -> bytes:
        tensors = load(data)
        change(tensors)
        return save(tensors)

    return attack


def _floats(tensors: dict) -> str:
    """Name of the largest tensor of floats."""
    return max((k for k, t in tensors.items() if t.is_floating_point()),
               key=lambda k: tensors[k].numel())  # fmt: skip


def _put(make: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[bytes], bytes]:
    """An attack that puts another tensor in the place of the largest one."""

    def change(tensors: dict) -> None:
        name = _floats(tensors)
        tensors[name] = make(tensors[name].clone()).contiguous()

    return _tensors(change)


def _spoil(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def spoil(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[-1] = value
        return tensor

    return spoil


def _first(header: dict) -> dict:
    return next(v for k, v in header.items() if k != "__metadata__")


def _twice(data: bytes) -> bytes:
    header, numbers = split(data)
    name = next(k for k in header if k != "__metadata__")
    text = json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"
    return joined(text.encode(), numbers)


def _overlap(header: dict) -> None:
    entries = [v for k, v in header.items() if k != "__metadata__"]
    entries[-1]["data_offsets"] = entries[0]["data_offsets"]


def _zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"w": 1}))
    return out.getvalue()


def _saved(data: bytes) -> bytes:
    out = io.BytesIO()
    torch.save(load(data), out)
    return out.getvalue()


TENSOR_ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    "empty file": lambda data: b"",
    "seven bytes": lambda data: data[:7],
    "cut in the header": lambda data: data[:40],
    "cut after the header": lambda data: data[: 8 + int.from_bytes(data[:8], "little")],
    "cut by one byte": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "header of 8 GB": lambda data: joined(*split(data), 8 << 30),
    "header of 2^64 bytes": lambda data: joined(*split(data), (1 << 64) - 1),
    "header longer than the file": lambda data: joined(*split(data), len(data)),
    "header of 2 MiB": lambda data: joined(b" " * (2 << 20), b""),
    "header that is no object": lambda data: joined(b"[]", b""),
    "header of 300,000 brackets": lambda data: joined(b"[" * 300_000, b""),
    "header that is not UTF-8": lambda data: joined(b'{"\xff\xfe": 1}', b""),
    "name twice": _twice,
    "tensors over each other": _header(_overlap),
    "offsets backwards": _header(lambda h: _first(h)["data_offsets"].reverse()),
    "offsets past the end": _header(lambda h: _first(h).update(data_offsets=[0, 1 << 40])),
    "offsets that are no numbers": _header(lambda h: _first(h).update(data_offsets="all")),
    "shape of 2^62": _header(lambda h: _first(h).update(shape=[1 << 62, 4])),
    "shape below zero": _header(lambda h: _first(h).update(shape=[-1])),
    "shape with a fraction": _header(lambda h: _first(h).update(shape=[1.5])),
    "300,000 axes": _header(lambda h: _first(h).update(shape=[1] * 300_000)),
    "no shape": _header(lambda h: _first(h).pop("shape")),
    "type that does not exist": _header(lambda h: _first(h).update(dtype="F13")),
    "float64": _put(lambda t: t.double()),
    "complex": _put(lambda t: t.to(torch.complex64)),
    "float8": _put(lambda t: t.to(torch.float8_e4m3fn)),
    "int8": _put(lambda t: t.to(torch.int8)),
    "int64 for floats": _put(lambda t: t.to(torch.int64)),
    "booleans for floats": _put(lambda t: t > 0),
    "NaN": _put(_spoil(float("nan"))),
    "infinity": _put(_spoil(float("-inf"))),
    "bfloat16 with NaN": _put(lambda t: _spoil(float("nan"))(t.bfloat16())),
    "no numbers at all": _put(lambda t: t.new_zeros(0)),
    "an empty axis": _put(lambda t: t.new_zeros(t.shape[0], 0)),
    "flattened": _put(lambda t: t.reshape(-1)),
    "one number more": _put(lambda t: torch.cat([t.reshape(-1), t.new_zeros(1)])),
    "a scalar": _put(lambda t: t.new_zeros(())),
    "a tensor is missing": _tensors(lambda t: t.pop(_floats(t))),
    "one tensor too many": _tensors(lambda t: t.update(extra=torch.zeros(2))),
    "no tensor": _tensors(lambda t: t.clear()),
    "other names": _tensors(lambda t: t.update(w=t.pop(_floats(t)))),
    "pickle": lambda data: pickle.dumps({"w": [1.0]}),
    "zip": _zip,
    "torch.save": _saved,
}  # fmt: skip


def overflowing(data: bytes) -> bytes:
    """Sound tensors whose numbers overflow at the first recording: 1e38 everywhere."""
    return save({k: torch.full_like(t, 1e38) if t.is_floating_point() else t
                 for k, t in load(data).items()})  # fmt: skip


def rewrite(folder: Path, name: str, data: bytes) -> None:
    """Put other content into a file of the folder, with the manifest's blessing."""
    (folder / name).write_bytes(data)
    write_manifest(folder)
    assert read_manifest(folder).problems(folder) == {}
