"""The tables of the student that ships: lips, controls, and the sync of its takes."""

import numpy as np

from l2t import metrics, sync
from l2t.animate import mouth_weights
from l2t.models.loading import Models
from l2t.motion import Motion
from l2t.speech import Speech
from training import baselines
from training.evaluate.clips import Clip
from training.evaluate.lips import against_truth, closures, silences, surrounded
from training.evaluate.tables import row


def takes(label: str, clips: list[Clip], motions: list, expert, template, truth_c) -> list:
    """Sync of generated takes and of the controls by the measuring expert.

    truth_c: per clip the truth's LSE-C, or one number (the mean of grid_s1's truth).
    """
    made = [report(c, m, expert, template) for c, m in zip(clips, motions, strict=True)]
    late = [report(c, np.roll(m, 5, axis=0), expert, template)
            for c, m in zip(clips, motions, strict=True)]  # fmt: skip
    swapped = [report(c, np.resize(motions[i - 1], motions[i].shape), expert, template)
               for i, c in enumerate(clips)]  # fmt: skip
    truths = np.broadcast_to(truth_c, len(clips))
    ok = [r.offset_frames is not None and abs(r.offset_frames) <= 1 for r in made]
    near = [r.lse_c >= 0.85 * t for r, t in zip(made, truths, strict=True)]
    auc = np.mean([a.lse_c > b.lse_c for a in made for b in swapped])
    sure = [[np.nanmean(r.confidence) for r in group] for group in (made, late, swapped)]
    return [
        row(f"{label}: |offset| at most 1 frame", ok),
        row(f"{label}: LSE-C at least 85 % of the truth's", near),
        row(f"{label}: both", [a and b for a, b in zip(ok, near, strict=True)]),
        row(f"{label}: LSE-C", [r.lse_c for r in made]),
        row(f"{label}: LSE-D", [r.lse_d for r in made]),
        row(f"{label}: LSE-C above swapped (AUC)", [auc]),
        row(f"{label}: confidence shown", sure[0]),
        row(f"{label}: confidence, 5 frames late", sure[1]),
        row(f"{label}: confidence, swapped voice", sure[2]),
    ]


def report(clip: Clip, arkit: np.ndarray, expert, template) -> sync.SyncReport:
    """What the measuring expert says of one clip's sound and a motion for it."""
    return sync.score(Speech(clip.samples, clip.name), template, Motion(arkit), expert)


def main_tables(models: Models, style: int, sets: dict[str, list[Clip]], template) -> dict:
    """Rows by title: "student", "controls", "takes"."""
    closed = metrics.closed_limit(template)
    tables: dict[str, list] = {"student": [], "controls": [], "takes": []}
    usual = None  # mean LSE-C of the tracked man's truth: the yardstick where no truth is known
    for label, clips in sets.items():
        motions = [mouth_weights(models, c.samples, style) for c in clips]
        openings = [metrics.lip_opening(template, m) for m in motions]
        if clips[0].opening is not None:
            tables["student"] += against_truth(label, clips, openings)
            free = [mouth_weights(models, c.samples, style, gated=False) for c in clips]
            free = [metrics.lip_opening(template, m) for m in free]
            tables["student"] += against_truth(f"{label}, before the silence gate", clips, free)
            energy = [baselines.energy_opening(c.samples) for c in clips]
            tables["controls"] += against_truth(f"{label}, energy", clips, energy)
            half = [0.5 * o for o in openings]
            tables["controls"] += against_truth(f"{label}, half amplitude", clips, half)
            level = [report(c, c.arkit[: len(m)], models.expert, template).lse_c
                     for c, m in zip(clips, motions, strict=True)]  # fmt: skip
            usual = float(np.mean(level)) if usual is None else usual
            tables["takes"] += [row(f"{label}: LSE-C of the tracked truth", level)]
        else:
            level = usual
            tables["student"] += closures(label, clips, openings, closed)
            frozen = [np.full(len(o), o.mean()) for o in openings]
            tables["controls"] += closures(f"{label}, frozen", clips, frozen, closed)
        tables["student"] += silences(label, clips, openings)
        tables["student"] += surrounded(label, clips, models, style, template)
        tables["takes"] += takes(label, clips, motions, models.expert, template, level)
    return tables
