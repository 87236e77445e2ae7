"""Measures a trained student on the test sets of a paper's dataset, beside the published figures.

    python -m training.paper.evaluate vocaset FOLDER --weights runs/voca
    python -m training.paper.evaluate biwi FOLDER --weights runs/biwi

Prints one table a test set: the student, and the controls without which no figure means anything (a
still face, the truth, the truth under another clip's sound). LSE-D, LSE-C and the offset come from
the instance of SyncNet3D that was in no loss; they cannot be held against other experts'. A subject
outside the training set is spoken in every training style, and the mean taken, as in FaceFormer.
"""

import argparse
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.errors import L2TError
from l2t.models.syncnet3d import SyncNet3D
from training.data.features import load_encoder
from training.files import load_parts
from training.paper.basis import Basis, PointDecoder
from training.paper.clips import Corpus
from training.paper.config import DATASETS, ENCODER
from training.paper.figures import Figures, geometry
from training.paper.layout import DatasetError
from training.paper.masks import Mask, read_mask
from training.paper.prepare import Example, prepared
from training.paper.student import VertexConfig, VertexRegressor, in_styles
from training.paper.sync import lip_places, load_experts, scored
from training.paper.table import results_table
from training.paper.train import styles_of

ROWS = ("student", "still (mean) face", "truth", "truth, another clip's sound")
FILES = ("basis.safetensors", "student.safetensors", "sync_measure.safetensors")


@dataclass(frozen=True)
class Judge:
    """What measures: masks over all vertices, the expert and which lip vertices it sees.

    watched: of the mesh, in the expert's order. spread: the training lips' way.
    """

    lips: Mask
    upper: Mask | None
    expert: SyncNet3D
    watched: np.ndarray
    spread: float
    fps: float

    def figures(self, made: np.ndarray, truth: np.ndarray, example: Example, sound=None) -> Figures:
        """Of displacements (frames, vertices, 3) against the truth and the clip's own sound.

        sound: another one to score the lips against.
        """
        upper = None if self.upper is None else self.upper.ids
        geometric = geometry(made, truth, self.lips.ids, upper)
        watched = torch.from_numpy(np.ascontiguousarray(made[:, self.watched]))
        heard = example.sound if sound is None else sound
        scores = scored(self.expert, watched, heard, example.voiced, self.fps, self.spread)
        return Figures(len(truth), *geometric, scores.lse_d, scores.lse_c, scores.offset)


def judge_of(folder: Path, weights: Path, corpus: Corpus, basis: Basis) -> Judge:
    """The masks in the dataset's folder and the measuring expert."""
    layout = corpus.layout
    lips = read_mask(folder, layout, layout.lips)
    upper = read_mask(folder, layout, layout.upper) if layout.upper else None
    expert = load_experts(weights)["sync_measure"]
    watched = lip_places(lips.ids, expert.config.points)
    return Judge(lips, upper, expert, watched, PointDecoder(basis, watched).spread, layout.fps)


def measure(
    corpus: Corpus, name: str, model: VertexRegressor, basis: Basis, encoder, judge: Judge
) -> dict[str, list[Figures]]:
    """Row of the table -> figures of every clip of one test set."""
    everything = PointDecoder(basis, np.arange(corpus.layout.vertices))
    clips = corpus.split(name)
    examples = prepared(corpus, clips, basis, encoder)
    rows: dict[str, list[Figures]] = {row: [] for row in ROWS}
    for number, (clip, example) in enumerate(zip(clips, examples, strict=True)):
        frames = len(example.z)
        truth = corpus.displacement(clip)[:frames].reshape(frames, -1, 3)
        features = torch.from_numpy(example.features)
        made = in_styles(model, features, frames, styles_of(model, example)).cpu()
        still = everything(torch.zeros(frames, basis.size)).numpy()
        other = examples[(number + 1) % len(examples)].sound
        parts = [judge.figures(everything(z).numpy(), truth, example) for z in made]
        rows[ROWS[0]].append(Figures.mean(parts))
        rows[ROWS[1]].append(judge.figures(still, truth, example))
        rows[ROWS[2]].append(judge.figures(truth, truth, example))
        rows[ROWS[3]].append(judge.figures(truth, truth, example, other))
    return rows


def load_student(weights: Path) -> tuple[VertexRegressor, Basis]:
    """The student and its basis; raises DatasetError when the folder holds no finished run."""
    lack = next((name for name in FILES if not (weights / name).exists()), None)
    if lack:
        raise DatasetError(
            f"{lack} is missing in {weights}; a folder that training.paper.train finished is "
            "expected."
        )
    config, tensors = load_parts(weights, "student")
    model = VertexRegressor(VertexConfig(**config))
    model.load_state_dict(tensors)
    return model.eval(), Basis.load(weights / "basis.safetensors")


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", choices=sorted(DATASETS))
    parser.add_argument("folder", type=Path, help="the dataset as published, with its masks")
    parser.add_argument("--weights", type=Path, required=True, help="what train wrote")
    parser.add_argument("--encoder", type=Path, default=ENCODER, help="folder of the encoder")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    layout, opened = DATASETS[options.dataset]
    try:
        model, basis = load_student(options.weights)
        trained = json.loads((options.weights / "config.json").read_text())["dataset"]
        if trained != options.dataset:
            raise DatasetError(
                f"{options.weights} was trained on {trained}; weights of {options.dataset} are "
                "expected."
            )
        corpus = opened(options.folder)
        judge = judge_of(options.folder, options.weights, corpus, basis)
        encoder = load_encoder(options.encoder)
        for name in layout.tests:
            rows = measure(corpus, name, model, basis, encoder, judge)
            print(results_table(layout, name, rows, judge.lips, judge.upper))
    except L2TError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
