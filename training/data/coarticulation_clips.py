"""Tracked clips beside their phones, and what counts as an error of the mouth, for the fit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.face import LIP_POINTS
from l2t.metrics import INNER_LIP_PAIRS
from training.data.alignments import load_alignments
from training.data.coarticulation import SPREAD, UNITS, to_states
from training.data.corpora import grid_split

GAP, CHIN, DEPTH, WEIGHTS = 3.0, 0.3, 0.3, 0.1  # parts of the error, see `error_map`


@dataclass(frozen=True)
class Clips:
    """Tracked clips with their states, padded; C clips, F frames, S states at most.

    names (C,); states (C, S) long; starts, ends (C, S) seconds, -99 in the padding;
    units (C, F, K) tracked mouth units; valid (C, F); opening: per clip (frames at 25 fps,).
    """

    names: list[str]
    states: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    units: torch.Tensor
    valid: torch.Tensor
    opening: np.ndarray


def read_clips(targets: Path, align: Path, split: str) -> Clips:
    """Clips of one split ("train", "validation", "test") that have both targets and phone times."""
    with np.load(targets, allow_pickle=False) as file:
        data = {key: file[key] for key in ("names", "arkit", "valid", "opening")}
    found = {item.id: item for item in load_alignments(align)}
    names = data["names"].tolist()
    rows = [i for i, n in enumerate(names) if grid_split(i) == split and n in found]
    timed = [to_states(a.phones, a.starts, a.ends) for a in (found[names[i]] for i in rows)]
    width = max(len(states) for states, *_ in timed)
    table = np.full((3, len(rows), width), -99.0)
    for c, parts in enumerate(timed):
        for t, part in enumerate(parts):
            table[t, c, : len(part)] = part
    sides = SPREAD / SPREAD.sum(axis=1, keepdims=True)
    return Clips(
        [names[i] for i in rows], torch.tensor(table[0].clip(0)).long(),
        *torch.tensor(table[1:], dtype=torch.float32),
        torch.tensor(data["arkit"][rows] @ sides.T, dtype=torch.float32),
        torch.tensor(data["valid"][rows], dtype=torch.float32), data["opening"][rows],
    )  # fmt: skip


def gap_per_weight(template) -> np.ndarray:
    """(52,) what a full weight adds to the mean gap of the middle inner lips, in eye distances."""
    basis = template.basis(template.lip_landmarks)
    pairs = [(LIP_POINTS.index(a), LIP_POINTS.index(b)) for a, b in INNER_LIP_PAIRS]
    gaps = [basis[:, a, 1] - basis[:, b, 1] for a, b in pairs]
    return np.mean(gaps, axis=0) / _eye_distance(template)


def error_map(template) -> torch.Tensor:
    """(K, E): errors of mouth units to errors whose squares are summed.

    Landmark displacements in eye distances (root mean square over points; depth counts less), the
    chin's height, the gap between the lips, and the units themselves.
    """
    lips = SPREAD @ template.basis(template.lip_landmarks).reshape(52, -1) / _eye_distance(template)
    chin = SPREAD @ template.basis(template.chin_landmarks)[..., 1] / _eye_distance(template)
    lips = lips.reshape(len(UNITS), -1, 3) * (1, 1, DEPTH)
    parts = [
        lips.reshape(len(UNITS), -1) / np.sqrt(lips.shape[1]),
        chin * CHIN / np.sqrt(chin.shape[1]),
        GAP * (SPREAD @ gap_per_weight(template))[:, None],
        WEIGHTS * np.eye(len(UNITS)),
    ]
    return torch.tensor(np.concatenate(parts, axis=1), dtype=torch.float32)


def _eye_distance(template) -> float:
    corners = template.neutral()[template.eye_corners]
    return float(np.linalg.norm(corners[0] - corners[3]))
