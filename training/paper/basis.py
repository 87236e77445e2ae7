"""The space a student speaks in: principal directions of a dataset's motion, or its vertices.

Numbers in this space are z-scores of displacements from the face at rest; raw vertices, or
vertices squeezed into [0, 1], are known to train into a still mouth.  Principal directions are
orthonormal, so a squared error on vertices is a weighted squared error here, and no training step
ever touches a whole face.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

SMALL = 1e-6  # directions weaker than this share of the strongest are rounding


@dataclass(frozen=True)
class Basis:
    """displacement = mean + (z * scale) @ directions, or mean + z * scale without directions.

    mean: (vertices * 3,). scale: deviation of each number. directions: (numbers, vertices * 3)
    orthonormal rows, None for direct vertices. explained: share of the training motion's variance.
    All float32, in the dataset's unit.
    """

    mean: np.ndarray
    scale: np.ndarray
    directions: np.ndarray | None
    explained: float = 1.0

    @property
    def size(self) -> int:
        return len(self.scale)

    def project(self, displacement: np.ndarray) -> np.ndarray:
        """(frames, vertices * 3) -> z (frames, size) float32."""
        moved = displacement - self.mean
        if self.directions is not None:
            moved = moved @ self.directions.T
        return (moved / self.scale).astype(np.float32)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = {"mean": self.mean, "scale": self.scale, "explained": np.float32([self.explained])}
        if self.directions is not None:
            parts["directions"] = self.directions
        save_file(parts, path)

    @classmethod
    def load(cls, path: Path) -> "Basis":
        parts = load_file(path)
        return cls(parts["mean"], parts["scale"], parts.get("directions"), parts["explained"][0])


def fit_basis(blocks: Iterable[np.ndarray], components: int) -> Basis:
    """Principal directions of (frames, vertices * 3) displacements that come in blocks.

    Incremental PCA (Ross et al., IJCV 77, 2008): what is kept is the best rank-`components` summary
    of all blocks so far, so memory holds one block and the directions.  components = 0: no
    directions, one scale for all vertices.
    """
    count, mean, total, strength, rows = 0, 0.0, 0.0, np.zeros(0), None
    for block in blocks:
        block = block.astype(np.float64)
        own, size = block.mean(0), len(block)
        shift = np.sqrt(count * size / (count + size)) * (own - mean)
        centred = block - own
        total += float(np.square(centred).sum() + np.square(shift).sum())
        mean = mean + (own - mean) * (size / (count + size))
        count += size
        if components:
            parts = [centred, shift[None]]
            if rows is not None:
                parts.insert(0, strength[:, None] * rows)
            strength, rows = _summary(np.concatenate(parts), components)
    variance = total / max(1, count - 1)
    flat = mean.astype(np.float32)
    if not components:
        return Basis(flat, np.full(len(flat), np.sqrt(variance / len(flat)), np.float32), None)
    scale = strength / np.sqrt(max(1, count - 1))
    explained = float(np.square(strength).sum() / max(total, 1e-30))
    return Basis(flat, scale.astype(np.float32), rows.astype(np.float32), explained)


def _summary(stack: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest singular values and right vectors of a wide matrix, by its small Gram matrix."""
    squares, left = np.linalg.eigh(stack @ stack.T)
    order = np.argsort(squares)[::-1][:components]
    values = np.sqrt(np.maximum(squares[order], 0.0))
    keep = values > SMALL * max(values[0], 1e-30)
    values = values[keep]
    return values, (left[:, order][:, keep].T @ stack) / values[:, None]


class PointDecoder(nn.Module):
    """z (..., size) -> displacements of some vertices (..., points, 3) in the dataset's unit."""

    def __init__(self, basis: Basis, ids: np.ndarray):
        super().__init__()
        columns = (np.asarray(ids)[:, None] * 3 + np.arange(3)).reshape(-1)
        self.register_buffer("mean", torch.from_numpy(basis.mean[columns]))
        if basis.directions is None:
            self.register_buffer("rows", None)
            self.register_buffer("columns", torch.from_numpy(columns))
            self.register_buffer("scale", torch.from_numpy(basis.scale[columns]))
            spread = np.square(basis.scale[columns])
        else:
            rows = basis.scale[:, None] * basis.directions[:, columns]
            self.register_buffer("rows", torch.from_numpy(np.ascontiguousarray(rows)))
            spread = np.square(rows).sum(0)
        self.spread = float(np.sqrt(3 * spread.mean()))  # RMS way of a point from its mean

    def forward(self, z: Tensor) -> Tensor:
        moved = z[..., self.columns] * self.scale if self.rows is None else z @ self.rows
        return (moved + self.mean).unflatten(-1, (-1, 3))
