"""Rig curves of FACEGOOD's Audio2Face takes (Mandarin, MIT) as ARKit weights.

The corpus' own table names an ARKit weight for most of the rig's mouth; two visemes of the rig have
no counterpart there and are spread over ARKit's rounding shapes (`VISEMES`).
"""

import csv
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES

# Rig viseme -> ARKit weights that draw about the same lips.
VISEMES = {
    "mouth_oh_c": {"mouthFunnel": 0.5, "mouthPucker": 0.2},
    "mouth_oo_c": {"mouthFunnel": 0.2, "mouthPucker": 0.6},
}


def mapping(table: Path) -> dict[str, list[str]]:
    """ARKit name -> the rig's columns whose maximum it takes (only those marked valid)."""
    out = {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            if len(row) < 7 or row[6].strip() != "valid" or row[0] not in ARKIT_NAMES:
                continue
            columns = row[2].strip().removeprefix("max(").removesuffix(")")
            out[row[0]] = [name.strip() for name in columns.split(",")]
    return out


def rig_targets(take: Path, table: Path) -> np.ndarray:
    """One take's curves, (frames, 52) float32 at the corpus' 30 fps."""
    with np.load(take, allow_pickle=False) as file:
        weights = file["weights"].astype(np.float32)
        at = {name: column for column, name in enumerate(file["names"].tolist())}
    out = np.zeros((len(weights), len(ARKIT_NAMES)), np.float32)
    for arkit, columns in mapping(table).items():
        known = [at[name] for name in columns if name in at]
        if known:
            out[:, ARKIT_NAMES.index(arkit)] = weights[:, known].max(axis=1)
    for viseme, parts in VISEMES.items():
        for arkit, share in parts.items():
            out[:, ARKIT_NAMES.index(arkit)] += share * weights[:, at[viseme]]
    return out.clip(0, 1)
