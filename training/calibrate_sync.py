"""Fits the confidence that people see: a logistic map from margins to 0..1, on controls.

    python -m training.calibrate_sync --data data --cache CACHE \
        --expert assets/weights/syncnet3d

On validation clips (GRID, unseen rig takes, unseen LibriSpeech voices), voiced frames of a mouth
with its own sound are 1; frames of the same mouths 3 .. 12 frames early or late, with another
clip's sound, and frozen are 0.  Both classes weigh the same.  The weights go into the JSON.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncNet3D, mouth_basis
from l2t.sync import calibrated, played_margin, shift_distances, vectors
from training.evaluate_sync import Pair, auc, clip_sets, delayed, prepared, see
from training.train_syncnet import load_expert

LATE = (-12, -8, -5, -3, 3, 5, 8, 12)  # frames


def examples(expert: SyncNet3D, clips: list[Pair]) -> dict[str, np.ndarray]:
    """Margins (n,) of voiced frames for "aligned", "shifted", "swapped" and "frozen"."""
    heard = [vectors(expert, c.samples, c.displacement)[0] for c in clips]
    rows: dict[str, list[np.ndarray]] = {}

    def add(kind: str, motion: torch.Tensor, sound: np.ndarray, voiced: np.ndarray) -> None:
        n = min(len(motion), len(sound))
        margin = played_margin(shift_distances(see(expert, motion)[:n], sound[:n]))
        rows.setdefault(kind, []).append(margin[voiced[:n]])

    for i, (clip, sound) in enumerate(zip(clips, heard, strict=True)):
        add("aligned", clip.displacement, sound, clip.voiced)
        add("shifted", delayed(clip.displacement, LATE[i % len(LATE)]), sound, clip.voiced)
        other = (i + 1) % len(clips)
        add("swapped", clip.displacement, heard[other], clips[other].voiced)
        still = clip.displacement[(7 * i) % len(clip.displacement)]
        add("frozen", still.expand_as(clip.displacement), sound, clip.voiced)
    return {kind: np.concatenate(parts) for kind, parts in rows.items()}


def fit(sets: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """(bias, slope); every set and both classes weigh the same."""
    margins, labels, weights = [], [], []
    for rows in sets:
        wrong = sum(len(v) for k, v in rows.items() if k != "aligned")
        for kind, values in rows.items():
            margins.append(values)
            labels.append(np.full(len(values), kind == "aligned"))
            share = len(rows["aligned"]) if kind == "aligned" else wrong
            weights.append(np.full(len(values), 1000.0 / share))
    model = LogisticRegression(C=1e3, max_iter=1000)
    model.fit(np.concatenate(margins)[:, None], np.concatenate(labels), np.concatenate(weights))
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Calibrates a sync expert's confidence.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with targets/")
    parser.add_argument("--expert", type=Path, required=True, help="path without ending")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    expert, basis = load_expert(options.expert), mouth_basis(FaceTemplate.load())
    clips = clip_sets(options.data, options.cache, "validation")
    sets = {name: examples(expert, prepared(c, basis)) for name, c in clips.items()}
    calibration = fit(list(sets.values()))
    for name, rows in sets.items():
        sure = {kind: calibrated(values, calibration) for kind, values in rows.items()}
        wrong = np.concatenate([v for k, v in sure.items() if k != "aligned"])
        means = ", ".join(f"{kind} {values.mean():.2f}" for kind, values in sure.items())
        print(f"{name}: {means}; frames right/wrong AUC {auc(sure['aligned'], wrong[::3]):.3f}")
    path = options.expert.with_suffix(".json")
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= dataclasses.asdict(dataclasses.replace(expert.config, calibration=calibration))
    path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
