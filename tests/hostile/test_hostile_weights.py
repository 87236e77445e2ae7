"""Weights made to hurt: each is refused in one sentence, before memory is taken or anything runs.

Whoever can publish weights writes the manifest too, so it agrees with every file here.
"""

import json
import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hub.folders import write_manifest
from torch import nn

from hostile.weight_attacks import (
    CPU,
    LOADERS,
    TENSOR_ATTACKS,
    joined,
    make_sound,
    overflowing,
    rewrite,
    split,
)
from l2t.errors import WeightsError
from l2t.manifest import MAX_FILES, read_manifest
from l2t.models.loading import load_models, load_student
from l2t.models.trained import trained
from l2t.weights import Weights, resolve

resource = pytest.importorskip("resource", reason="bounds memory where there is POSIX")
ROLES = tuple(LOADERS)
MORE_BYTES = 1 << 30  # what refusing may add to the address space
MORE_RESIDENT = 150_000  # kB, what refusing may add to the memory in use


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_sound(tmp_path_factory.mktemp("weights") / "sound")


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "bad")


@pytest.fixture(autouse=True)
def bounded(sound):
    """Whatever is asked for, the machine that runs the tests survives it; and it is fast."""
    before, limits = _peak(), resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * MORE_BYTES, limits[1]))
    start = time.monotonic()
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)
    assert time.monotonic() - start < 60
    assert _peak() - before < MORE_RESIDENT


def _peak() -> int:
    """kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def refusal(role: str, folder) -> str | None:
    """The sentence with which the folder is refused, checked for its form; None: accepted."""
    try:
        LOADERS[role](resolve(folder))
    except WeightsError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 500
        assert str(folder.parent) not in sentence
        return sentence
    return None


def test_sound_weights_are_taken(sound):
    assert {role: refusal(role, sound) for role in ROLES} == dict.fromkeys(ROLES)


# -- tensors


@pytest.mark.parametrize("role", ROLES)
def test_each_attack_on_the_tensors_is_refused(folder, role):
    name = f"{role}.safetensors"
    data = (folder / name).read_bytes()
    taken = []
    for attack, spoil in TENSOR_ATTACKS.items():
        rewrite(folder, name, spoil(data))
        if refusal(role, folder) is None:
            taken.append(attack)
    assert taken == []


@pytest.mark.parametrize("role", ["encoder", "student", "student_faceformer", "posevae"])
def test_numbers_that_overflow_in_use_are_refused(folder, role):
    name = f"{role}.safetensors"
    rewrite(folder, name, overflowing((folder / name).read_bytes()))
    alone = role.startswith("student_")
    with pytest.raises(WeightsError, match=f"The {role}'s .* values that are no numbers"):
        load_student(resolve(folder), role, CPU) if alone else load_models(resolve(folder), CPU)


def test_a_scale_of_zero_is_refused(folder):
    name = "student.safetensors"
    header, numbers = split((folder / name).read_bytes())
    first, last = header["feature_scale"]["data_offsets"]
    numbers = numbers[:first] + bytes(last - first) + numbers[last:]
    rewrite(folder, name, joined(header, numbers))
    with pytest.raises(WeightsError, match="values that are no numbers"):
        load_models(resolve(folder), CPU)


@pytest.mark.parametrize("role", ["student_sync", "lipreader"])
def test_changed_bytes_are_taken_or_refused(folder, role):
    """150 random changes, most of them in the header, where they hurt."""
    name, chance = f"{role}.safetensors", random.Random(role)
    data = (folder / name).read_bytes()
    length = 8 + int.from_bytes(data[:8], "little")
    refused = 0
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            end = length if chance.random() < 0.9 else len(data)
            changed[chance.randrange(end)] = chance.randrange(256)
        rewrite(folder, name, bytes(changed))
        refused += refusal(role, folder) is not None
    assert refused > 100


# -- configuration


# Values that no field of a configuration may have; each goes into each number of each role.
NONSENSE = (10**9, 10**6, 10**400, -1, -(10**9), 0.5, 1e308, True, "12", "x" * 10_000, None,
            [], [[[[[1]]]]], [3] * 5000, {"a": 1}, ["1"])  # fmt: skip
TOLERATED = {"reach", "listen", "dropout", "search", "scale", "calibration", "priors", "prior",
             "words", "phones", "sharpness"}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_each_nonsense_in_a_configuration_is_refused(folder, role):
    name = f"{role}.json"
    config = json.loads((folder / name).read_text())
    taken = []
    for key, value in config.items():
        for nonsense in NONSENSE:
            if nonsense == value or (key in TOLERATED and type(nonsense) in (int, float, list)):
                continue  # a share may be 0.5, a table may be empty
            if key == "name" and nonsense == "12":
                continue  # a text is what belongs there
            rewrite(folder, name, json.dumps(config | {key: nonsense}).encode())
            if refusal(role, folder) is None:
                taken.append((key, str(nonsense)[:20]))
    assert taken == []


@pytest.mark.parametrize(
    "text",
    [
        '{"width": NaN}', '{"width": Infinity}', '{"width": 1e999}', '{"width": 16, "width": 16}',
        '{"width": ' + "9" * 5000 + "}", '{"a": ' + "[" * 200_000, "[]", "", "\xff", "null",
        '{"__class__": "os.system"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["student", "avsr"])
def test_json_that_is_none_is_refused(folder, role, text):
    rewrite(folder, f"{role}.json", text.encode("latin-1"))
    assert refusal(role, folder)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("size", [4096, 65536])
def test_a_model_larger_than_its_file_is_refused_unbuilt(folder, role, size):
    """Within the bounds of each number, and yet hundreds of GB: the file does not hold them."""
    name = f"{role}.json"
    config = json.loads((folder / name).read_text())
    big = {k: size for k in ("width", "ffn", "channels", "motion_width", "audio") if k in config}
    deep = {k: 60 for k in ("layers", "blocks") if k in config}
    if role == "lipreader":
        big["channels"] = [size] * 4
    rewrite(folder, name, json.dumps(config | big | deep).encode())
    assert "do not fit" in refusal(role, folder)


def test_nothing_is_made_before_it_is_compared():
    made = []

    @dataclass(frozen=True)
    class Shape:
        width: int = 4

    class Layer(nn.Linear):
        config = Shape()

        def __init__(self):
            super().__init__(4, 4)
            made.append(self.weight.device.type)

    with pytest.raises(WeightsError, match="weight is"):
        trained(Layer, {"weight": torch.zeros(2, 2), "bias": torch.zeros(4)}, "layer")
    assert made == ["meta"]


@pytest.mark.parametrize(
    ("role", "table", "good", "bad"),
    [("lipreader", "priors", (0, 41), (1, 40, 42)), ("avsr", "priors", (0, 41), (1, 40, 42)),
     ("syncnet3d", "calibration", (0, 2), (1, 3))],
)  # fmt: skip
def test_tables_have_the_length_that_is_read(folder, role, table, good, bad):
    config = json.loads((folder / f"{role}.json").read_text())
    for length in (*good, *bad):
        rewrite(folder, f"{role}.json", json.dumps(config | {table: [0.5] * length}).encode())
        assert (refusal(role, folder) is None) == (length in good), length


def test_styles_are_short_printable_names(folder):
    config = json.loads((folder / "student.json").read_text())
    for style in ("x" * 81, "a\nb", "\x1b[31m", "\u202eabc"):
        rewrite(folder, "student.json", json.dumps(config | {"styles": [style, "b"]}).encode())
        assert "printable" in refusal("student", folder)


def test_only_an_own_folder_may_name_an_encoder_to_be_fetched(folder):
    config = json.loads((folder / "encoder.json").read_text())
    rewrite(folder, "encoder.json", json.dumps(config | {"kind": "hub", "name": "a/b"}).encode())
    from_hub = Weights(folder, "hub", "", read_manifest(folder).digest, "org/name", "0" * 40)
    with pytest.raises(WeightsError, match="kind is 'hub' where whisper is needed"):
        load_models(from_hub, CPU)


# -- manifest


def entry(**changes) -> dict:
    return {"role": "student", "bytes": 2, "sha256": "0" * 64, **changes}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({f"f{i}.json": entry() for i in range(5000)}, f"at most {MAX_FILES}"),
        ({f"f{i}.json": entry(bytes=2 << 30) for i in range(3)}, "bytes; at most"),
        ({"a.json": entry(bytes=10**30)}, "without role, bytes or sha256"),
        ({"a.json": entry(bytes=1e3)}, "without role, bytes or sha256"),
        ({"a.json": entry(bytes="2")}, "without role, bytes or sha256"),
        ({"a.json": entry(role="../../etc")}, "without role, bytes or sha256"),
        ({"a.json": entry(role="r" * 100)}, "without role, bytes or sha256"),
        ({"a.json": entry(figures=[1])}, "without role, bytes or sha256"),
        ({"a.json": entry(sha256="g" * 64)}, "without role, bytes or sha256"),
        ({"a" * 200 + ".json": entry()}, "no plain file name"),
        ({"a.json\0": entry()}, "no plain file name"),
        ({"a.json\n": entry()}, "no plain file name"),
        ({"../a.json": entry()}, "no plain file name"),
        ({"C:\\a.json": entry()}, "no plain file name"),
        ([["a.json", entry()]], "lists no files"),
    ],
)  # fmt: skip
def test_manifests_that_lie(folder, files, words):
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "files": files}))
    assert words in refusal("student", folder)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        '{"a":' * 150_000,
        '{"format": 1, "files": {"a.json": {}, "a.json": {}}}',
        '{"format": 1, "format": 1, "files": {}}',
        '{"format": 1, "files": {"a": {"figures": {"r": 1e400}}}}',
        '{"format": ' + "1" * 5000 + "}",
        '{"format": 1, "files": {"a": 1' + "0" * 900_000,
    ],
)
def test_manifests_that_are_no_plain_json(folder, text):
    (folder / "manifest.json").write_text(text)
    assert "not valid JSON" in refusal("student", folder)


def test_a_million_entries(folder):
    lines = ",".join(f'"f{i}":{{}}' for i in range(1_000_000))
    (folder / "manifest.json").write_text(f'{{"format":1,"files":{{{lines}}}}}')
    assert "longer than" in refusal("student", folder)


@pytest.mark.parametrize("change", [{"bytes": 0}, {"bytes": 3}, {"bytes": 1 << 30}])
def test_sizes_that_lie(folder, change):
    write_manifest(folder, student=change)
    assert "bytes instead of" in refusal("student", folder)


# -- what is no file


@pytest.mark.parametrize("name", ["student.safetensors", "student.json", "manifest.json"])
@pytest.mark.parametrize("kind", ["pipe", "endless", "folder", "loop", "dangling"])
def test_what_is_no_file_is_refused_and_not_waited_for(folder, name, kind):
    path = folder / name
    if name != "manifest.json":  # an entry of 0 bytes: what a pipe or a device says of itself
        listed = json.loads((folder / "manifest.json").read_text())
        listed["files"][name]["bytes"] = 0
        (folder / "manifest.json").write_text(json.dumps(listed))
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"endless": "/dev/zero", "loop": name, "dangling": "nowhere"}[kind])
    assert refusal("student", folder)
