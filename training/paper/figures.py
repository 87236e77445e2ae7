"""LVE and FDD as the papers on these datasets compute them, and means over clips.

The published code (Doubiiu/CodeTalker, main/cal_metric.py) takes FDD over *squared* distances from
the face at rest, where `l2t.metrics.fdd` takes distances; only the former can be held against a
published figure.  Both figures come from displacements, so the face at rest cancels in LVE.
"""

from dataclasses import dataclass, fields

import numpy as np

from l2t.metrics import Dynamics, bootstrap_interval, lve


@dataclass(frozen=True)
class Figures:
    """Of one clip; nan = undefined. frames: how many LVE is the mean of.

    lve: in the unit squared. fdd, fdd_absolute: likewise. lse_d, lse_c, offset: see
    `training.paper.sync.Scores`.
    """

    frames: int
    lve: float
    fdd: float
    fdd_absolute: float
    lse_d: float
    lse_c: float
    offset: float

    @classmethod
    def mean(cls, parts: list["Figures"]) -> "Figures":
        """Over the styles in which one clip was made."""
        columns = {f.name: [getattr(p, f.name) for p in parts] for f in fields(cls)}
        return cls(parts[0].frames, *(_mean(columns[f.name]) for f in fields(cls)[1:]))


def published_fdd(prediction: np.ndarray, truth: np.ndarray) -> Dynamics:
    """Mean over vertices of (dyn(truth) - dyn(prediction)), and of its absolute value.

    dyn: deviation over time of a vertex' squared distance from the face at rest; (frames, n, 3)
    displacements over the upper face.
    """
    gap = np.square(truth).sum(-1).std(0) - np.square(prediction).sum(-1).std(0)
    return Dynamics(float(gap.mean()), float(np.abs(gap).mean()))


def geometry(
    prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray, upper: np.ndarray | None
) -> tuple[float, float, float]:
    """(LVE, signed FDD, absolute FDD) of (frames, vertices, 3) displacements; nan without upper."""
    error = lve(prediction[:, lips], truth[:, lips])
    if upper is None:
        return error, float("nan"), float("nan")
    dynamics = published_fdd(prediction[:, upper], truth[:, upper])
    return error, dynamics.signed, dynamics.absolute


def pooled_lve(rows: list[Figures]) -> float:
    """LVE over all frames of all clips at once, as cal_metric.py takes it."""
    frames = np.array([row.frames for row in rows], float)
    return float(np.dot(frames, [row.lve for row in rows]) / frames.sum())


def interval(rows: list[Figures], name: str) -> tuple[float, float, float]:
    """(mean, low, high) of a figure: mean of clip means with its 95 % bootstrap interval."""
    return bootstrap_interval(np.array([getattr(row, name) for row in rows]))


def _mean(values: list[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")
