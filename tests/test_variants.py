"""Which variants a set of weights offers, and how they are loaded from it."""

import json

import pytest
import torch

from l2t.errors import FaceError, WeightsError
from l2t.models.loading import Models, build_student, load_models, load_student
from l2t.models.regressor import Regressor
from l2t.talkingface import TalkingFace
from l2t.variants import COMPARED, find, find_each, offered, opponents, variants_of
from l2t.weights import resolve
from training.manifest import Origin, save_role

CPU = torch.device("cpu")
ORIGIN = Origin("python -m made.in.a.test", "none", "CC0-1.0")


def names(variants):
    return [variant.name for variant in variants]


@pytest.fixture
def folder(tmp_path):
    """A weights folder of the debug models: default, reconstruction, and a faceformer."""
    models = load_models(resolve("debug"), CPU)
    own = {"encoder": models.encoder, "student": models.student, "syncnet3d": models.expert}
    own["student_reconstruction"] = load_student(resolve("debug"), "student_reconstruction", CPU)
    own["student_faceformer"] = build_student({"kind": "faceformer", "channels": 16, "width": 16})
    for role, model in own.items():
        config = json.loads(json.dumps(vars(model.config)))
        save_role(tmp_path, role, config, model.state_dict(), ORIGIN)
    return tmp_path


# -- which there are


def test_only_what_the_weights_hold_is_offered_the_default_first():
    there = offered(("encoder", "student", "student_sync", "student_faceformer", "lipreader"))
    assert names(there) == ["default", "sync", "faceformer"]
    assert names(offered(("student",))) == ["default"]
    assert names(offered({v.role for v in COMPARED})) == ["default", *names(COMPARED)]


def test_a_default_that_is_one_of_the_variants_stands_for_both():
    there = offered(("student", "student_full", "student_reconstruction"), shipped="full")
    assert names(there) == ["full", "reconstruction"]
    assert there[0].role == "student"
    assert there[0].title == "Full (default)"
    assert find(there, "default") == find(there, None) == there[0]


def test_what_is_not_there_is_told_with_what_is():
    with pytest.raises(FaceError, match="no variant 'sync' .* choose one of default, full"):
        find(offered(("student", "student_full")), "sync")


def test_a_variant_is_not_compared_with_itself():
    there = offered(("student", "student_full"))
    assert names(find_each(there, (None, "full"))) == ["default", "full"]
    with pytest.raises(FaceError, match="'default' cannot be compared with itself"):
        find_each(there, (None, "default"))


@pytest.mark.parametrize(
    ("roles", "pair"),
    [
        (["reconstruction", "faceformer"], ["default", "reconstruction"]),
        (["full", "faceformer"], ["default", "faceformer"]),
        ([], ["default", "default"]),
    ],
)
def test_the_first_pair_is_the_default_and_its_plainest_rival(roles, pair):
    assert names(opponents(offered([f"student_{role}" for role in roles]))) == pair


# -- how they are loaded


def test_a_folder_offers_its_roles_and_each_of_them_speaks(folder):
    weights = resolve(folder)
    assert names(variants_of(weights)) == ["default", "reconstruction", "faceformer"]
    plain = load_student(weights, "student_reconstruction", CPU)
    assert isinstance(plain, Regressor)
    assert not plain.training
    baseline = load_student(weights, "student_faceformer", CPU)
    assert type(baseline).__name__ == "FaceFormer"
    with torch.inference_mode():
        motion = baseline(torch.zeros(1, 5, 16), 3, torch.zeros(1, dtype=torch.long))
    assert motion.shape == (1, 3, 52)


def test_the_configuration_says_which_variant_the_default_is(folder):
    models = load_models(resolve(folder), CPU)
    config = {"variant": "sync", **json.loads(json.dumps(vars(models.student.config)))}
    save_role(folder, "student", config, models.student.state_dict(), ORIGIN)
    with TalkingFace.from_pretrained(folder, device="cpu") as face:
        assert names(face.variants) == ["sync", "reconstruction", "faceformer"]


def test_a_kind_from_the_future_is_told_in_a_sentence():
    with pytest.raises(WeightsError, match="kind 'diffusion'; this version knows regressor, face"):
        build_student({"kind": "diffusion"})


def test_a_student_for_another_encoder_does_not_fit():
    models = load_models(resolve("debug"), CPU)
    other = build_student({"channels": 8, "width": 16, "heads": 2, "layers": 1})
    with pytest.raises(WeightsError, match="expects 8 feature channels, the encoder gives 16"):
        Models(models.encoder, other, models.expert)


def test_values_that_the_kind_does_not_know_are_told(folder):
    models = load_models(resolve(folder), CPU)
    save_role(folder, "student_sync", {"colour": "red"}, models.student.state_dict(), ORIGIN)
    with pytest.raises(WeightsError, match="do not fit this version's models"):
        load_student(resolve(folder), "student_sync", CPU)
