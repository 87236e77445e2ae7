"""One clip, one motion: every figure of the comparison, by name.

Masks are regions of the template: LVE looks at "lips" (the mean over frames of the largest squared
distance), dynamics deviation (absolute FDD) at "upper_face", "lips" and "jaw".  The upper face is
driven by nobody here: its figure only shows what the mouth's shapes drag along, so the same
formula on lips and jaw stands beside it.
"""

from dataclasses import dataclass

import numpy as np

from l2t import metrics
from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncNet3D
from l2t.mtm import misalignment
from training.evaluate.clips import TRACKED_FPS, Clip
from training.evaluate.lips import beside_truth, clip_closure
from training.evaluate.main_tables import report

STILL = 1e-5  # eye distances: a lip opening that varies less does not move
LATE, HALF, FROZEN, SHAKEN, SWAPPED = "late", "half", "frozen", "shaken", "swapped"


@dataclass(frozen=True)
class Column:
    """key: of a figure; title: with its unit; better: "low", "high", or "zero" (nearer to it).

    orders: the controls that it promises to put behind the truth (see `controls`).
    """

    key: str
    title: str
    better: str
    digits: int = 2
    orders: tuple[str, ...] = ()


AGAINST_TRUTH = (
    Column("lve", "LVE, mm² (lips)", "low", 1, (LATE, HALF, FROZEN, SHAKEN, SWAPPED)),
    Column("upper", "absolute FDD, mm (upper face)", "low", 3),
    Column("lips", "absolute FDD, mm (lips)", "low", 2, (HALF, FROZEN)),
    Column("jaw", "absolute FDD, mm (jaw)", "low", 2, (HALF, FROZEN)),
    Column("r", "lip opening r", "high", 3, (FROZEN, SHAKEN, SWAPPED)),
    Column("lag", "lag, ms", "zero", 0, (LATE,)),
    Column("mtm", "MTM, ms", "low", 1, (LATE, SWAPPED)),
    Column("missed", "turns missed, share", "low", 2, (FROZEN,)),
)
BY_OTHERS = (
    Column("lse_d", "LSE-D", "low", 2, (FROZEN, SWAPPED)),
    Column("lse_c", "LSE-C", "high", 2, (FROZEN, SWAPPED)),
    Column("offset", "sync offset, frames", "low", 1, (LATE,)),
    Column("wer", "lip-reading WER (grammar)", "low", 3, (FROZEN, SWAPPED)),
    Column("free", "lip-reading WER (free)", "low", 3, (FROZEN, SWAPPED)),
    Column("viseme", "viseme error", "low", 3, (FROZEN, SWAPPED)),
    Column("recall", "closed on p b m", "high", 3, (FROZEN, SWAPPED)),
    Column("false", "closed on open vowels", "low", 3),
)
READ = ("wer", "free", "viseme")


@dataclass(frozen=True)
class Judges:
    """template: whose vertices are compared; expert: the sync expert that measures, which no
    training has seen; closed: lip opening up to which lips count as closed; reader: what reads
    the renders (`reading.Reading`), or None."""

    template: FaceTemplate
    expert: SyncNet3D
    closed: float
    reader: object | None = None


def measure(clip: Clip, arkit: np.ndarray, judges: Judges) -> dict[str, float]:
    """All figures that this clip allows. arkit: (frames, 52) at 30 fps."""
    out = in_sync(clip, arkit, judges)
    opening = metrics.lip_opening(judges.template, arkit)
    if clip.arkit is not None:
        out |= vertices_off(clip, arkit, judges.template) | opening_off(clip, opening)
    if clip.phones:
        found = clip_closure(clip, opening, judges.closed)
        out |= {"recall": found.recall, "false": found.false}
    if judges.reader is not None:
        out |= judges.reader.of_motion(clip, arkit)
    return out


def vertices_off(clip: Clip, arkit: np.ndarray, template: FaceTemplate) -> dict[str, float]:
    """LVE in mm^2 and absolute FDD in mm, over the frames where the face was tracked."""
    frames = min(len(arkit), len(clip.arkit))
    seen = slice(frames) if clip.valid is None else np.flatnonzero(clip.valid[:frames])
    moved = [a[:frames][seen].astype(np.float32) for a in (arkit, clip.arkit)]
    out = {}
    for region in ("lips", "upper_face", "jaw"):
        basis = template.basis(template.region(region)).reshape(52, -1) * 1e3
        made, truth = ((a @ basis).reshape(len(a), -1, 3) for a in moved)
        if region == "lips":
            out["lve"] = metrics.lve(made, truth)
        out[region.removesuffix("_face")] = metrics.fdd(made, truth).absolute
    return out


def opening_off(clip: Clip, opening: np.ndarray) -> dict[str, float]:
    """Correlation at the best lag, that lag, MTM and the share of turning points it misses.

    A mouth that does not move follows nothing and misses every turn, but has no lag and no MTM.
    """
    if opening.std() < STILL:
        return {"r": 0.0, "missed": 1.0}
    made, truth = beside_truth(clip, opening)
    found = metrics.correlation(made, truth, TRACKED_FPS)
    turns = misalignment(made, truth, TRACKED_FPS)
    return {
        "r": found.r, "lag": found.lag * 1000 / TRACKED_FPS,
        "mtm": turns.milliseconds, "missed": 1 - turns.matched,
    }  # fmt: skip


def in_sync(clip: Clip, arkit: np.ndarray, judges: Judges) -> dict[str, float]:
    """LSE-D, LSE-C and the size of the offset by the measuring expert."""
    found = report(clip, arkit, judges.expert, judges.template)
    values = {"lse_d": found.lse_d, "lse_c": found.lse_c, "offset": found.offset_frames}
    return {k: float("nan") if v is None else abs(float(v)) for k, v in values.items()}


def controls(clips: list[Clip], fps: float = 30.0) -> dict[str, list[np.ndarray]]:
    """What every figure should put behind the tracked truth: name -> a motion a clip.

    late: by 0.1 s; half: of the amplitude; frozen: at its mean; shaken: trembling by a twentieth
    of every weight's range, at most half of what it moves; swapped: another clip's motion.
    """
    rng, delay = np.random.default_rng(0), round(0.1 * fps)
    truths = [clip.arkit for clip in clips]
    return {
        LATE: [np.concatenate([np.repeat(a[:1], delay, 0), a[:-delay]]) for a in truths],
        HALF: [0.5 * a for a in truths],
        FROZEN: [np.repeat(a.mean(0, keepdims=True), len(a), 0) for a in truths],
        SHAKEN: [_shaken(a, rng) for a in truths],
        SWAPPED: [np.resize(truths[i - 1], a.shape) for i, a in enumerate(truths)],
    }


def _shaken(arkit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0, 1, arkit.shape) * np.minimum(0.05, 0.5 * arkit.std(0))
    return np.clip(arkit + noise, 0, 1).astype(np.float32)


def behind(column: Column, truth: float, control: float) -> bool:
    """Does this figure put the control behind the truth?"""
    if column.better == "high":
        return control < truth
    return abs(control) > abs(truth)
