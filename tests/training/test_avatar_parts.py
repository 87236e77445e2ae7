"""Losses, density and folders of the avatar's training."""

import json

import numpy as np
import pytest
import torch
from avatars import ball, random_gaussians
from PIL import Image

from l2t.face import FaceTemplate
from training.avatar.dataset import SceneError, load_scene
from training.avatar.density import Watch, choose, divided, rearranged
from training.avatar.losses import psnr, ssim, stray, swell
from training.avatar.model import BoundGaussians, matrices


def naive_ssim(a, b):
    """One window at a time, one channel at a time."""
    at = np.arange(11) - 5
    bell = np.exp(-0.5 * (at[:, None] ** 2 + at**2) / 1.5**2)
    bell /= bell.sum()
    found = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            for c in range(3):
                p, q = (v[y : y + 11, x : x + 11, c] for v in (a, b))
                mp, mq = (bell * p).sum(), (bell * q).sum()
                vp, vq = (bell * (p - mp) ** 2).sum(), (bell * (q - mq) ** 2).sum()
                both = (bell * (p - mp) * (q - mq)).sum()
                found.append((2 * mp * mq + 1e-4) * (2 * both + 9e-4)
                             / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)))
    return np.mean(found)


def test_ssim_is_the_naive_one():
    random = np.random.default_rng(0)
    a = random.random((15, 17, 3))
    b = np.clip(a + random.normal(0, 0.2, a.shape), 0, 1)
    assert float(ssim(torch.tensor(a), torch.tensor(b))) == pytest.approx(naive_ssim(a, b))
    assert float(ssim(torch.tensor(a), torch.tensor(a))) == pytest.approx(1)


def test_gradient_of_ssim_is_its_slope():
    random = torch.Generator().manual_seed(0)
    made, real = torch.rand(2, 13, 14, 3, generator=random, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: ssim(a, real), made.requires_grad_())


def test_psnr_of_a_known_error():
    assert psnr(torch.zeros(4, 4, 3), torch.full((4, 4, 3), 0.1)) == pytest.approx(20)


def test_straying_and_swelling_cost_only_beyond_the_bound():
    assert float(stray(torch.tensor([[0.5, 0, 0], [0, 3.0, 0]]))) == pytest.approx(1.0)
    assert float(swell(torch.log(torch.tensor([[0.6, 0.3, 0.8]])))) == pytest.approx(0.2 / 3)


def watched(pull, most):
    watch = Watch(len(pull))
    watch.add(torch.tensor(pull)[:, None] * torch.tensor([0.6, 0.8]), torch.tensor(most))
    return watch


def test_unused_ones_go_and_the_hardest_pulled_are_divided():
    watch = watched([1.0, 5.0, 9.0, 2.0], [0.5, 0.5, 0.001, 0.5])
    kept, rows = choose(watch, 5, 1)
    assert kept.tolist() == [0, 1, 3]
    assert rows.tolist() == [1, 3]  # room for two more; number 2 is not seen
    assert choose(watch, 2, 1)[1].tolist() == []
    assert choose(watch, 4, 2)[0].tolist() == [0, 1, 2, 3]  # the other picture may show it


def test_children_share_the_parents_place_and_triangle():
    _, faces = ball()
    model = BoundGaussians.of(random_gaussians(len(faces), 6))
    first, second = divided(model, torch.tensor([4]))
    torch.testing.assert_close((first["mu"] + second["mu"])[0] / 2, model.mu[4])
    apart = (first["mu"] - second["mu"])[0]
    longest = int(model.scale_log[4].argmax())
    axis = matrices(model.turn)[4, :, longest]
    assert float((apart / apart.norm() @ axis).detach().abs()) == pytest.approx(1, abs=1e-5)
    assert (first["scale_log"] < model.scale_log[4]).all()
    grown = rearranged(model, torch.tensor([0, 2, 4]), torch.tensor([4]))
    assert grown.triangle.tolist() == model.triangle[[0, 2, 4, 4]].tolist()
    torch.testing.assert_close(grown.mu[:2], model.mu[[0, 2]])


@pytest.fixture
def folder(tmp_path):
    """One picture of 8 x 6 pixels, its cover in a file of its own."""
    vertices, faces = ball()
    np.savez(tmp_path / "motion.npz", vertices=vertices[None], faces=faces)
    Image.fromarray(np.full((6, 8, 3), 200, np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.full((6, 8), 128, np.uint8)).save(tmp_path / "m.png")
    frame = {"file_path": "a.png", "fg_mask_path": "m.png", "timestep_index": 0,
             "transform_matrix": np.eye(4).tolist(), "w": 8, "h": 6, "fl_x": 9, "fl_y": 9,
             "cx": 4, "cy": 3}
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": [frame]}))
    return tmp_path


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def changed(folder, **values):
    text = json.loads((folder / "transforms.json").read_text())
    text["frames"][0] |= values
    (folder / "transforms.json").write_text(json.dumps(text))
    return folder


def test_a_folder_is_read(folder, template):
    scene = load_scene(folder, template, scale=0.5)
    (view,) = scene.train
    assert (view.camera.width, view.camera.height, scene.test) == (4, 3, [])
    target, cover = view.target(torch.zeros(3))
    torch.testing.assert_close(cover, torch.full((3, 4), 128 / 255))
    torch.testing.assert_close(target[0, 0, 0], torch.tensor(200 / 255 * 128 / 255))


def test_weights_move_the_template(folder, template):
    np.savez(folder / "motion.npz", arkit=np.zeros((2, 52), np.float32))
    scene = load_scene(folder, template)
    np.testing.assert_allclose(scene.vertices[1], template.neutral())


@pytest.mark.parametrize(("values", "message"), [
    ({"timestep_index": 7}, "moment 7, but motion.npz has 1"),
    ({"transform_matrix": [[1]]}, "4 x 4"),
    ({"file_path": "none.png"}, "'none.png' is missing"),
])  # fmt: skip
def test_broken_frames_are_named(folder, template, values, message):
    with pytest.raises(SceneError, match=message):
        load_scene(changed(folder, **values), template)


def test_missing_files_are_named(folder, template):
    (folder / "transforms.json").unlink()
    with pytest.raises(SceneError, match="transforms_train.json"):
        load_scene(folder, template)
    (folder / "motion.npz").unlink()
    with pytest.raises(SceneError, match="no motion.npz"):
        load_scene(folder, template)


def test_motion_without_weights_or_vertices_is_refused(folder, template):
    np.savez(folder / "motion.npz", poses=np.zeros(3))
    with pytest.raises(SceneError, match="found poses"):
        load_scene(folder, template)
