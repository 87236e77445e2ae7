"""Avatar files made to hurt: each is refused in one sentence."""

import os

import numpy as np
import pytest
import torch
from avatars import random_gaussians
from safetensors.torch import load, save

from hostile.weight_attacks import TENSOR_ATTACKS
from l2t.avatar.avatar import Avatar
from l2t.avatar.gaussians import Gaussians
from l2t.errors import WeightsError

TRIANGLES = 20


@pytest.fixture
def path(tmp_path):
    random_gaussians(TRIANGLES, 30).save(tmp_path / "avatar.safetensors")
    return tmp_path / "avatar.safetensors"


def taken(path) -> bool:
    """Whether a file is accepted; a refusal is checked for its form."""
    sentence = ""
    try:
        Gaussians.load(path, TRIANGLES)
    except WeightsError as error:
        sentence = str(error)
    assert str(path.parent) not in sentence
    assert "\n" not in sentence
    return not sentence


def test_each_attack_on_the_tensors_is_refused(path):
    data, wrongly = path.read_bytes(), []
    assert taken(path)
    for attack, spoil in TENSOR_ATTACKS.items():
        path.write_bytes(spoil(data))
        if taken(path):
            wrongly.append(attack)
    assert wrongly == []


@pytest.mark.parametrize("name", ["mu", "turn", "scale_log", "opacity_logit", "colour"])
@pytest.mark.parametrize("value", [1e38, -6e4, float("inf"), float("nan")])
def test_numbers_that_overflow_are_refused(path, name, value):
    tensors = load(path.read_bytes())
    tensors[name] = torch.full_like(tensors[name].float(), value)
    path.write_bytes(save(tensors))
    assert not taken(path)


@pytest.mark.parametrize("kind", [torch.float32, torch.bool, torch.uint8, torch.int64])
def test_triangles_are_whole_numbers(path, kind):
    tensors = load(path.read_bytes())
    tensors["triangle"] = tensors["triangle"].to(kind)
    path.write_bytes(save(tensors))
    assert taken(path) == (kind == torch.int64)
    if kind == torch.int64:
        assert Gaussians.load(path, TRIANGLES).triangle.dtype == np.int32


@pytest.mark.parametrize("kind", ["pipe", "folder", "endless"])
def test_what_is_no_file_is_refused_and_not_waited_for(path, kind):
    path.unlink()
    if kind == "endless":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path) if kind == "pipe" else path.mkdir()
    assert not taken(path)


@pytest.mark.parametrize("text", ["[" * 200_000, "{}", "[1]", '{"identity": NaN}', " " * 70_000])
def test_a_description_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "avatar.json").write_text(text)
    with pytest.raises(WeightsError, match="no readable avatar.json"):
        Avatar.load(tmp_path)
