"""Learning an avatar from a folder: a small ball of known Gaussians, seen from all around."""

import csv
import json

import numpy as np
import pytest
from avatars import ball, looking, random_gaussians
from PIL import Image

from l2t.avatar.gaussians import Gaussians
from l2t.avatar.splatter import Splatter
from l2t.face import FaceTemplate
from training.avatar.begin import begin
from training.avatar.dataset import load_scene
from training.train_avatar import main

SIZE = 48


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of a coloured ball that swells, in the documented layout."""
    path = tmp_path_factory.mktemp("scene")
    vertices, faces = ball()
    moments = np.stack([vertices, vertices * (1.2, 1, 1)]).astype(np.float32)
    g = random_gaussians(len(faces), len(faces), 3)
    turn = np.tile(np.float32([1, 0, 0, 0]), (len(faces), 1))
    splatter = Splatter(
        Gaussians(np.arange(len(faces), dtype=np.int32), g.mu * 0, turn,
                  np.log(np.tile(np.float32([0.5, 0.1, 0.5]), (len(faces), 1))),
                  g.mu[:, 0] * 0 + 4, g.colour * (np.arange(4) == 0)[:, None]), faces, 1)
    for split, count in (("train", 8), ("test", 2)):
        frames = []
        for i in range(count):
            angle, moment = 2.4 * i + (split == "test"), i % 2
            camera = looking(SIZE, (0.6 * np.sin(angle), 0.1, 0.6 * np.cos(angle)))
            picture, behind = splatter.draw(moments[moment], camera)
            straight = picture / np.maximum(1 - behind, 1e-3)[..., None]
            pixels = np.concatenate([straight, 1 - behind[..., None]], axis=2)
            name = f"{split}_{i}.png"
            Image.fromarray(np.uint8(255 * np.clip(pixels, 0, 1) + 0.5)).save(path / name)
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = camera.turn.T * (1, -1, -1), camera.eye
            frames.append({"file_path": name, "timestep_index": moment,
                           "transform_matrix": matrix.tolist()})
        top = {"w": SIZE, "h": SIZE, "fl_x": camera.focal[0], "fl_y": camera.focal[1],
               "cx": SIZE / 2, "cy": SIZE / 2, "frames": frames}
        (path / f"transforms_{split}.json").write_text(json.dumps(top))
    np.savez(path / "motion.npz", vertices=moments, faces=faces)
    return path


def run(folder, out, *more):
    main(["--data", str(folder), "--out", str(out), "--steps", "60", "--count", "150",
          "--check-every", "20", *more])
    with (out / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, run(folder, out)


def test_pictures_of_unseen_views_get_better(trained):
    rows = trained[1]
    assert float(rows[-1]["psnr"]) > 27
    assert float(rows[-1]["psnr"]) > float(rows[0]["psnr"])
    assert float(rows[-1]["total"]) < 0.7 * float(rows[0]["total"])


def test_gaussians_grow_to_the_number_asked_for(trained):
    out, rows = trained
    assert float(rows[0]["gaussians"]) < 150
    assert int(float(rows[-1]["gaussians"])) == 150
    made = Gaussians.load(out / "avatar.safetensors", 96)
    assert len(made) == 150


def test_curves_and_a_sheet_of_pictures_are_written(trained):
    for name in ("curves.png", "sample.png"):
        with Image.open(trained[0] / name) as image:
            assert min(image.size) > SIZE


def test_a_resumed_run_ends_with_the_same_bytes(folder, trained, tmp_path):
    run(folder, tmp_path, "--stop", "40")
    run(folder, tmp_path, "--resume")
    name = "avatar.safetensors"
    assert (tmp_path / name).read_bytes() == (trained[0] / name).read_bytes()


def test_a_checkpoint_of_other_settings_is_refused(folder, trained):
    with pytest.raises(ValueError, match="other settings: seed"):
        run(folder, trained[0], "--resume", "--seed", "2")


def test_beginning_has_the_pictures_colours(folder):
    """Seen from all around, each triangle starts in the colour of its pixels; most are divided."""
    model = begin(load_scene(folder, FaceTemplate.load()), 150)
    assert len(model.triangle) == round(0.85 * 150)
    assert set(model.triangle.tolist()) == set(range(96))
    true = random_gaussians(96, 96, 3).colour[:, 0]
    made = model.gaussians().colour[:, 0]
    # Gaussians overlap, so that a start is paler than the truth; its hues must still be in place.
    found = np.corrcoef(made.ravel(), true[model.triangle].ravel())[0, 1]
    elsewhere = np.corrcoef(made.ravel(), true[(model.triangle + 48) % 96].ravel())[0, 1]
    assert found > 0.3
    assert elsewhere < 0.5 * found
