"""Which weights are chosen, and what is refused before anything is parsed."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hub.folders import ROLES, flip_byte, make_weights, write_manifest
from safetensors.torch import load_file, save_file

from l2t import weights
from l2t.errors import WeightsError
from l2t.weights import load_tensors, resolve


@pytest.fixture
def folder(tmp_path):
    return make_weights(tmp_path / "mine")


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    folder = make_weights(tmp_path / "embedded", seed=2)
    monkeypatch.setattr(weights, "EMBEDDED", folder)
    monkeypatch.delenv("L2T_HUB_REPO", raising=False)
    return folder


# Choosing


def test_default_is_the_embedded_folder(embedded):
    found = resolve()
    assert (found.folder, found.source, found.label) == (embedded, "embedded", "Embedded default")
    assert found == resolve("") == resolve("  ")


def test_folder(folder):
    found = resolve(folder)
    assert (found.folder, found.source) == (folder, "folder")
    assert found == resolve(str(folder))
    assert "mine" in found.label
    assert str(folder) not in found.label  # no server paths before a visitor's eyes


def test_a_folder_that_looks_like_a_repository_is_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent.parent)
    assert resolve(f"{folder.parent.name}/mine").source == "folder"


def test_debug_has_no_files():
    found = resolve("debug")
    assert (found.source, found.folder) == ("debug", None)
    assert len(found.digest) == 64
    with pytest.raises(WeightsError, match="made in memory"):
        load_tensors(found, "student")


def test_digest_follows_the_manifest(folder):
    before = resolve(folder).digest
    make_weights(folder, seed=9)
    assert resolve(folder).digest != before


def test_importing_is_light():
    script = "import sys, l2t.weights; print(*sys.modules)"
    root = Path(weights.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert {"torch", "huggingface_hub", "safetensors", "numpy"}.isdisjoint(done.stdout.split())


# Loading


@pytest.mark.parametrize("role", ROLES)
def test_half_precision_comes_back_as_float32(folder, role):
    config, tensors = load_tensors(resolve(folder), role)
    expected = load_file(folder / f"{role}.safetensors")
    assert config["width"] == 512
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected[name].float())


def test_whole_numbers_stay_whole(folder):
    save_file({"steps": torch.tensor(7)}, folder / "student.safetensors")
    write_manifest(folder)
    assert load_tensors(resolve(folder), "student")[1]["steps"].dtype == torch.int64


def test_unknown_role_names_those_that_exist(folder):
    with pytest.raises(WeightsError, match="'poet'.*encoder, student, syncnet3d"):
        load_tensors(resolve(folder), "poet")


# Refusing


def refused(folder, *words, error=WeightsError):
    """A bad folder is one sentence, without a path of the machine."""
    with pytest.raises(error) as caught:
        load_tensors(resolve(folder), "student")
    message = str(caught.value)
    assert str(folder.parent) not in message
    assert "\n" not in message
    for word in words:
        assert word in message
    return True


def test_missing_folder(tmp_path):
    assert refused(tmp_path / "nowhere", "no weights folder 'nowhere'")


def test_folder_without_manifest(tmp_path):
    assert refused(tmp_path, "no readable manifest.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not valid JSON"),
        ('{"format": 1, "files": {"a": {"bytes": NaN}}}', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "no JSON object"),
        ('{"format": 2, "files": {}}', "format 1 is understood"),
        ('{"format": 1}', "lists no files"),
        ('{"format": 1, "files": {"a.json": 3}}', "without role"),
        ('{"a": "' + "x" * (1 << 20) + '"}', "longer than"),
    ],
)
def test_bad_manifest(folder, content, words):
    (folder / "manifest.json").write_text(content)
    assert refused(folder, words)


@pytest.mark.parametrize(
    "name", ["../x.json", "/etc/passwd", "a/b.json", "..", ".hidden", "a\\b", "", "manifest.json"]
)
def test_names_that_leave_the_folder(folder, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = manifest["files"].pop("student.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert refused(folder, "no plain file name")


@pytest.mark.parametrize("change", [{"bytes": True}, {"bytes": -1}, {"sha256": "0"}, {"role": ""}])
def test_manifest_entry_of_another_type(folder, change):
    write_manifest(folder, student=change)
    assert refused(folder, "describes student.safetensors without role, bytes or sha256")


def test_missing_file(folder):
    (folder / "student.safetensors").unlink()
    assert refused(folder, "student.safetensors is missing")


def test_wrong_length(folder):
    with (folder / "student.safetensors").open("ab") as file:
        file.write(b"more")
    assert refused(folder, "bytes instead of")


def test_flipped_byte(folder):
    flip_byte(folder / "student.safetensors")
    assert refused(folder, "student.safetensors", "damaged")


def test_file_damaged_after_it_was_chosen(folder):
    found = resolve(folder)
    flip_byte(folder / "student.safetensors")
    with pytest.raises(WeightsError, match="damaged"):
        load_tensors(found, "student")


def test_folder_replaced_after_it_was_chosen(folder):
    found = resolve(folder)
    make_weights(folder, seed=5)
    with pytest.raises(WeightsError, match="changed on disk"):
        load_tensors(found, "student")


def test_missing_role(folder):
    for path in folder.glob("syncnet3d.*"):
        path.unlink()
    write_manifest(folder)
    assert refused(folder, "it holds no syncnet3d")


def test_embedded_folder_that_is_damaged(embedded):
    flip_byte(embedded / "student.safetensors")
    with pytest.raises(WeightsError, match="embedded weights cannot be used: student"):
        resolve()


# Content that a manifest vouches for, and that is refused all the same


def replaced(folder, data: bytes):
    (folder / "student.safetensors").write_bytes(data)
    write_manifest(folder)
    return folder


class Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_is_not_opened(folder, tmp_path):
    mark = tmp_path / "exploded"
    assert refused(replaced(folder, pickle.dumps(Bomb(mark))), "is not a safetensors file")
    torch.save({"w": Bomb(mark)}, folder / "student.safetensors")
    write_manifest(folder)
    assert refused(folder, "is not a safetensors file")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not a safetensors file"),
        (b"\xff" * 64, "is not a safetensors file"),
        ((1 << 21).to_bytes(8, "little") + b" " * (1 << 21), "at most 1048576"),
        ((2).to_bytes(8, "little") + b"[]", "no JSON object"),
        ((9).to_bytes(8, "little") + b'{"w": 3} ', "as None"),
    ],
)
def test_header(folder, data, words):
    assert refused(replaced(folder, data), words)


def test_offsets_past_the_end(folder):
    entry = {"w": {"dtype": "F16", "shape": [9999], "data_offsets": [0, 19998]}}
    header = json.dumps(entry).encode()
    data = len(header).to_bytes(8, "little") + header + b"\0" * 8
    assert refused(replaced(folder, data), "not a sound safetensors file")


def test_double_precision(folder):
    save_file({"w": torch.zeros(3, dtype=torch.float64)}, folder / "student.safetensors")
    write_manifest(folder)
    assert refused(folder, "'w' as F64; accepted are F16, BF16, F32")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none(folder, value):
    tensor = torch.zeros(100, dtype=torch.float16)
    tensor[42] = value
    save_file({"w": tensor}, folder / "student.safetensors")
    write_manifest(folder)
    assert refused(folder, "NaN or infinity in 'w'")


def test_configuration_that_is_no_object(folder):
    (folder / "student.json").write_text("[1, 2]")
    write_manifest(folder)
    assert refused(folder, "student.json holds no JSON object")
