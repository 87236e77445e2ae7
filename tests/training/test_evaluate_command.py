"""The whole command on small data: tables on the screen, in the card and in a file."""

import csv
import json

import numpy as np
import pytest
import soundfile
import torch

from l2t.errors import WeightsError
from l2t.models.lipreader import LipReader, LipReaderConfig
from l2t.models.loading import load_models
from l2t.weights import resolve
from training.data.alignments import Alignment, save_alignments
from training.data.corpora import speaker_split
from training.data.mouths import pack_mouths
from training.evaluate.__main__ import main
from training.evaluate.clips import Clip
from training.evaluate.contenders import from_runs
from training.evaluate.tables import into_card
from training.files import save_module
from training.teacher.network import MouthPainter, PainterConfig

NAMES = [f"bbaf{digit}{last}" for digit in "123456" for last in "np"]  # index 10: validation


def buzz(seconds, rng):
    times = np.arange(int(seconds * 16000)) / 16000
    voice = np.sign(np.sin(2 * np.pi * 140 * times)) * (np.sin(2 * np.pi * 2 * times) > 0)
    return (0.1 * voice + 0.002 * rng.standard_normal(len(times))).astype(np.float32)


def aligned(name, speaker, split):
    times = np.linspace(0, 2, 6)
    phones = ("SIL", "B", "AA", "P", "AA")
    return Alignment(name, speaker, split, phones, times[:-1], times[1:])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """(data, cache) of twelve tracked clips and one utterance of a validation speaker."""
    data, cache = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("cache")
    rng = np.random.default_rng(0)
    for folder in (data / "grid_s1", data / "speech", *(cache / n for n in
                                                         ("targets", "align", "features"))):
        folder.mkdir()  # fmt: skip
    for name in NAMES:
        (data / "grid_s1" / f"{name}.npz").touch()
        path = data / "grid_s1" / f"{name}.opus"
        soundfile.write(path, buzz(2, rng), 16000, format="OGG", subtype="OPUS")
    arkit = np.clip(np.cumsum(rng.normal(0, 0.1, (12, 60, 52)), 1), 0, 1).astype(np.float32)
    opening = rng.uniform(0, 0.1, (12, 50)).astype(np.float32)
    np.savez(cache / "targets" / "grid_s1.npz", names=NAMES, arkit=arkit, opening=opening,
             valid=np.ones((12, 60), bool), fps=25.0)  # fmt: skip
    np.savez(cache / "features" / "grid_s1.0.npz", names=NAMES, speeds=np.ones(12, np.float32),
             features=rng.normal(size=(1200, 16)).astype(np.float16),
             starts=np.arange(13) * 100)  # fmt: skip
    save_alignments(cache / "align" / "grid_s1.npz", [aligned(n, "s1", "train") for n in NAMES])
    speaker = next(str(i) for i in range(99) if speaker_split(str(i)) == "validation")
    save_alignments(cache / "align" / "librispeech.npz", [aligned("u1", speaker, "validation")])
    soundfile.write(data / "speech" / "u1.flac", buzz(2, rng), 16000)
    with (data / "speech" / "librispeech.tsv").open("w", newline="") as file:
        row = {"id": "u1", "corpus": "librispeech", "speaker": speaker, "split": "", "end_s": 2.0,
               "file": "u1.flac", "start_s": 0.0, "text": "ah", "text_source": ""}  # fmt: skip
        writer = csv.DictWriter(file, list(row), delimiter="\t")
        writer.writeheader()
        writer.writerow(row)
    return data, cache


def run(folders, *more):
    data, cache = folders
    main(["--data", str(data), "--cache", str(cache), "--weights", "debug", "--split",
          "validation", "--threads", "1", "--judge", "0", *more])  # fmt: skip


def test_tables_go_to_the_screen_the_card_and_a_file(folders, tmp_path, capsys):
    card = tmp_path / "CARD.md"
    card.write_text("<!-- tables: training.evaluate -->\n<!-- end of tables -->\n")
    run(folders, "--card", str(card), "--json", str(tmp_path / "figures.json"))
    text = capsys.readouterr().out
    for title in ("Student (style", "Takes (style", "grid_s1, against the tracked truth",
                  "grid_s1, by others", "grid_s1: differences", "grid_s1: controls made of",
                  "librispeech, by others"):  # fmt: skip
        assert f"### {title}" in text
    for who in ("tracked truth", "Nearest neighbour", "Audio energy", "Mean motion"):
        assert f"| {who} | " in text
    assert "not measured, no films were asked for" in text
    assert "| not measured |" in text  # no lip reader travels with the debug weights
    assert text.strip() in card.read_text()
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["compared on grid_s1"]["tracked truth"]["lve"]["mean"] == 0
    assert figures["compared on grid_s1"]["still"]["missed"]["mean"] == 1
    assert figures["compared on librispeech"]["default"]["lse_d"]["clips"] == 1


def test_lips_of_renders_photos_and_a_teacher_are_read(folders, tmp_path, capsys):
    sizes = {"channels": (4, 4, 8, 8), "width": 16, "blocks": 1}
    save_module(LipReader(LipReaderConfig(**sizes)), tmp_path, "lipreader")
    small = PainterConfig(channels=16, width=8, blocks=1, maps=(8, 8, 8, 4))
    save_module(MouthPainter(small), tmp_path, "painter")
    films = [np.full((50, 96, 96), 90, np.uint8)] * len(NAMES)
    pack_mouths(folders[1] / "mouths", "grid_s1", NAMES, films, 50)
    run(folders, "--only-variants", "--variants", "student", "--reader", str(tmp_path),
        "--teacher", str(tmp_path))  # fmt: skip
    others = capsys.readouterr().out.split("### grid_s1, by others")[1].split("###")[0]
    rows = [line.strip("| ").split(" | ") for line in others.splitlines()]
    for who in ("tracked truth", "real photos", "2D teacher", "Frozen mouth"):
        (row,) = (row for row in rows if row[0] == who)
        assert "(" in row[rows[2].index("lip-reading WER (grammar)")]  # mean and interval


def test_only_the_variants_asked_for(folders, capsys):
    run(folders, "--only-variants", "--variants", "student", "student_full")
    text = capsys.readouterr().out
    assert "### Student" not in text
    assert "| Full | " in text
    assert "| Reconstruction only | " not in text


def test_a_run_that_left_no_student_is_refused(folders, tmp_path):
    with pytest.raises(WeightsError, match="holds 0 files student"):
        run(folders, "--only-variants", "--variants", "student", "--runs", str(tmp_path))


def test_runs_are_called_by_their_role_and_then_by_their_folder(tmp_path):
    models = load_models(resolve("debug"), torch.device("cpu"))
    for folder in ("first", "second"):
        save_module(models.student, tmp_path / folder, "student_sync")
    found = from_runs([tmp_path / "first", tmp_path / "second"], models, None, ["default"])
    assert [(c.name, c.title) for c in found] == [("sync", "first"), ("second", "second")]
    clip = Clip("a", buzz(1, np.random.default_rng(0)))
    assert np.allclose(found[0].make(clip), found[1].make(clip))


def test_a_card_without_marks_is_refused(tmp_path):
    (tmp_path / "CARD.md").write_text("nothing here")
    with pytest.raises(ValueError, match="lacks the lines"):
        into_card(tmp_path / "CARD.md", "x")
