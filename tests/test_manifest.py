"""Writing the list of a weights folder: `training.manifest`."""

import hashlib
import json

import pytest
import torch
from hub.folders import ROLES, flip_byte, make_weights

from l2t.errors import WeightsError
from l2t.weights import load_tensors, resolve
from training.manifest import Origin, main, save_role, write_manifest

ORIGIN = Origin("python -m training.x", "made up", "CC0-1.0", {"r": 0.5})


def save_all(folder, **tensors):
    for role in ROLES:
        save_role(folder, role, {"width": 2}, tensors or {"w": torch.ones(2, 3)}, ORIGIN)
    return folder


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())["files"]


def test_what_is_saved_is_loaded(tmp_path):
    weights = torch.linspace(-3, 3, 12).view(3, 4)
    save_all(tmp_path, w=weights.T, shared=weights, steps=torch.tensor([3]))
    config, tensors = load_tensors(resolve(tmp_path), "student")
    assert config == {"width": 2}
    assert torch.equal(tensors["w"], weights.T.half().float())
    assert tensors["steps"].tolist() == [3]


def test_each_file_is_listed_with_its_origin(tmp_path):
    files = manifest(save_all(tmp_path))
    assert set(files) == {f"{role}{end}" for role in ROLES for end in (".json", ".safetensors")}
    for name, facts in files.items():
        data = (tmp_path / name).read_bytes()
        assert facts["bytes"] == len(data)
        assert facts["sha256"] == hashlib.sha256(data).hexdigest()
        assert (facts["command"], facts["licence"]) == ("python -m training.x", "CC0-1.0")


def test_saving_is_repeatable(tmp_path):
    first = save_all(tmp_path / "a"), save_all(tmp_path / "b")
    assert resolve(first[0]).digest == resolve(first[1]).digest


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_numbers_beyond_half_precision_are_not_written(tmp_path, value):
    with pytest.raises(WeightsError, match="w holds NaN, infinity or a number beyond half"):
        save_role(tmp_path, "student", {}, {"w": torch.tensor([value])}, ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_origin_is_named(tmp_path):
    save_all(tmp_path)
    (tmp_path / "poet.json").write_text("{}")
    with pytest.raises(WeightsError, match="poet.json has no origin"):
        write_manifest(tmp_path)


def test_a_changed_file_must_be_described_again(tmp_path):
    flip_byte(save_all(tmp_path) / "student.safetensors")
    with pytest.raises(WeightsError, match="student.safetensors changed since"):
        write_manifest(tmp_path)
    write_manifest(tmp_path, {"student": Origin("again", "made up", "CC0-1.0")})
    assert manifest(tmp_path)["student.safetensors"]["command"] == "again"


def test_command_lists_the_folder(tmp_path, capsys):
    make_weights(tmp_path)
    assert main(["--folder", str(tmp_path)]) == 0
    assert "encoder, student, syncnet3d" in capsys.readouterr().out


def test_command_describes_a_role(tmp_path):
    make_weights(tmp_path)
    described = ["--command", "c", "--data", "d", "--licence", "l", "--figure", "r=0.9"]
    assert main(["--folder", str(tmp_path), "--role", "student", *described]) == 0
    facts = manifest(tmp_path)["student.safetensors"]
    assert (facts["command"], facts["data"], facts["figures"]) == ("c", "d", {"r": 0.9})


def test_command_refuses_in_one_sentence(tmp_path, capsys):
    (tmp_path / "poet.json").write_text("{}")
    assert main(["--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "poet.json has no origin yet: describe the role 'poet'.\n"
