"""Both commands on folders of the published layout: a few real steps, then the paper's table."""

import json
import shutil

import pytest
import torch
from paper_files import SMALL, write_dataset, write_encoder, write_release

from training.curves import read_log
from training.files import load_parts
from training.paper import evaluate, train
from training.paper.biwi import BIWI
from training.paper.config import CONFIGS, DATASETS, read_config
from training.paper.vocaset import VOCASET

# BIWI has one layout only, and its larger mesh would take longer and show nothing new.
VOCASET_ONLY = pytest.mark.parametrize("trained", [VOCASET], indirect=True, ids=["vocaset"])


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """One thread, and no curves drawn: test_loop looks at those."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.loop.draw_curves", lambda log, picture: None)
        yield


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.json"
    path.write_text(json.dumps(SMALL))
    return path


@pytest.fixture(scope="module", params=[VOCASET, BIWI], ids=lambda layout: layout.name)
def trained(request, tmp_path_factory, encoder, config):
    """(layout, folder of the data, folder of the run) after `train` has run."""
    layout = request.param
    folder = tmp_path_factory.mktemp(layout.name)
    data, out = write_dataset(folder / "data", layout), folder / "run"
    run(train, layout, data, encoder, "--out", out, "--config", config)
    return layout, data, out


def run(module, layout, data, encoder, *more) -> None:
    module.main([layout.name, str(data), "--encoder", str(encoder), *map(str, more)])


def test_training_writes_everything_that_measuring_needs(trained):
    layout, _, out = trained
    for name in ("student", "sync_loss", "sync_measure"):
        assert (out / f"{name}.json").exists()
        assert (out / f"{name}.safetensors").exists()
    student = load_parts(out, "student")[0]
    assert student["fps"] == layout.fps
    assert tuple(student["styles"]) == layout.train.subjects
    lines = read_log(out / "log.csv")
    assert lines["step"] == [2, 4]
    assert lines["sync"][0] == 0 < lines["sync"][1]  # switched on after half of the steps
    assert (out / "sample.png").stat().st_size > 1000


def test_the_two_experts_are_of_the_papers_window_and_share_no_clip(trained):
    layout, _, out = trained
    loss, judge = (load_parts(out, role) for role in ("sync_loss", "sync_measure"))
    for config, _ in (loss, judge):
        assert config["window"] == {"vocaset": 6, "biwi": 5}[layout.name]
        assert config["notes"]["clips"] == len(layout.train.subjects)  # half of two each
    assert loss[0]["notes"]["half"] != judge[0]["notes"]["half"]
    assert not torch.equal(*(p[1]["motion.directions"] for p in (loss, judge)))


def test_the_table_names_masks_units_and_the_published_figures(trained, encoder, capsys):
    layout, data, out = trained
    run(evaluate, layout, data, encoder, "--weights", out)
    text = capsys.readouterr().out
    for name, split in layout.tests.items():
        assert f"{layout.title}, {name}: {2 * len(split.subjects)} of " in text
    assert {"vocaset": "254 vertices of FLAME_masks.pkl", "biwi": "4,996 vertices of lve.txt"}[
        layout.name
    ] in text
    assert layout.unit in text
    assert {"vocaset": "2.515", "biwi": "5.000"}[layout.name] in text
    assert "NOT the published" not in text
    truth = next(line for line in text.splitlines() if line.startswith("truth  "))
    assert "0.000 [0.000, 0.000]" in truth


@VOCASET_ONLY
def test_a_stopped_run_goes_on_to_the_same_bytes(trained, encoder, tmp_path):
    """Everything of the run but the student's last half is there already."""
    layout, data, out = trained
    stopped = json.loads(json.dumps(SMALL))
    stopped["student"]["stop"] = 2
    for part, settings in (("first", stopped), ("second", SMALL)):
        (tmp_path / f"{part}.json").write_text(json.dumps(settings))
        run(train, layout, data, encoder, "--out", tmp_path / "run", "--config",
            tmp_path / f"{part}.json", "--resume")  # fmt: skip
    whole, resumed = (torch.load(p / "checkpoint.pt", weights_only=True)["parts"]["model"]
                      for p in (out, tmp_path / "run"))  # fmt: skip
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def test_going_on_with_another_basis_is_refused_in_one_sentence(trained, encoder, config):
    layout, data, out = trained
    with pytest.raises(SystemExit, match="was begun with .*'components': 4}; .* cannot go on"):
        run(train, layout, data, encoder, "--out", out, "--config", config, "--resume",
            "--components", "5")  # fmt: skip


@VOCASET_ONLY
def test_the_release_gives_the_same_basis_as_one_file_a_sentence(trained, encoder, tmp_path):
    layout, _, out = trained
    data = write_release(tmp_path / "data")
    config = tmp_path / "short.json"
    config.write_text(json.dumps(SMALL | {"student": {"steps": 1, "warm": 1}}))
    run(train, layout, data, encoder, "--out", tmp_path / "run", "--config", config, "--sync", "0")
    ours, theirs = (evaluate.Basis.load(p / "basis.safetensors") for p in (out, tmp_path / "run"))
    torch.testing.assert_close(torch.from_numpy(ours.mean), torch.from_numpy(theirs.mean))
    assert "sync" not in read_log(tmp_path / "run" / "log.csv")


@VOCASET_ONLY
def test_direct_vertices_train_too(trained, encoder, config, tmp_path):
    layout, data, _ = trained
    run(train, layout, data, encoder, "--out", tmp_path / "run", "--config", config,
        "--components", "0")  # fmt: skip
    assert load_parts(tmp_path / "run", "student")[0]["outputs"] == 15069


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_shipped_configurations_are_readable(name):
    config = read_config(CONFIGS / f"{name}.json")
    train.LoopConfig(**config.student)
    train.VertexConfig(1, 1, 30.0, ("a",), **config.model)


def test_weights_of_the_other_dataset_are_refused_in_one_sentence(trained, encoder):
    layout, data, out = trained
    other = {"vocaset": BIWI, "biwi": VOCASET}[layout.name]
    with pytest.raises(SystemExit, match=f"was trained on {layout.name}; weights of {other.name}"):
        run(evaluate, other, data, encoder, "--weights", out)


def test_an_unfinished_run_is_refused_in_one_sentence(trained, encoder, tmp_path):
    layout, data, out = trained
    shutil.copy(out / "basis.safetensors", tmp_path)
    with pytest.raises(SystemExit, match=r"student\.safetensors is missing in .* is expected\."):
        run(evaluate, layout, data, encoder, "--weights", tmp_path)


def test_a_missing_mask_ends_training_before_it_begins(trained, encoder, tmp_path):
    layout, data, _ = trained
    mask = data / layout.lips.files[0]
    mask.rename(tmp_path / "aside")
    try:
        with pytest.raises(SystemExit, match=r"is missing in .*(flame\.is\.tue|CodeTalker)"):
            run(train, layout, data, encoder, "--out", tmp_path / "run")
    finally:
        (tmp_path / "aside").rename(mask)
    assert not (tmp_path / "run").exists()
