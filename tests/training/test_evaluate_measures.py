"""Every figure of the comparison puts the truth before the controls that it promises to order."""

import numpy as np
import pytest
import torch

from l2t import metrics
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.motion import ARKIT_NAMES, frame_times
from l2t.weights import resolve
from training.evaluate.clips import Clip
from training.evaluate.measures import (
    AGAINST_TRUTH,
    BY_OTHERS,
    FROZEN,
    Judges,
    behind,
    controls,
    measure,
    vertices_off,
)

BY_SYNC_AND_READER = {"lse_d", "lse_c", "offset", "wer", "free", "viseme"}


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def judges(template):
    expert = load_models(resolve("debug"), torch.device("cpu")).expert
    return Judges(template, expert, metrics.closed_limit(template))


def talker(template, seed):
    """A tracked clip of 3 s: a jaw that opens and closes at random, p where it is shut."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.uniform(0.12, 0.3, 12))
    knots = np.tile([0.0, 1.0], 6) * rng.uniform(0.3, 0.8, 12)
    arkit = np.zeros((90, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = np.interp(frame_times(90), at, knots)
    arkit[:, ARKIT_NAMES.index("mouthPucker")] = 0.3 * np.interp(frame_times(90), at, knots[::-1])
    tracked = np.stack([np.interp(frame_times(75, 25), frame_times(90), c) for c in arkit.T], 1)
    opening = metrics.lip_opening(template, tracked.astype(np.float32))
    phones = tuple(("P", t - 0.03, t + 0.03) for t in at[2:-2:2])
    phones += tuple(("AA", t - 0.05, t + 0.05) for t in at[3:-2:2])
    samples = 0.1 * rng.standard_normal(48000).astype(np.float32)
    return Clip(f"clip{seed}", samples, opening, arkit, phones, np.ones(90, bool))


@pytest.fixture(scope="module")
def measured(template, judges):
    """control or "truth" -> figure -> mean over four clips."""
    clips = [talker(template, seed) for seed in range(4)]
    motions = {"truth": [c.arkit for c in clips]} | controls(clips)
    out = {}
    for name, moved in motions.items():
        found = [measure(c, m, judges) for c, m in zip(clips, moved, strict=True)]
        keys = {k for f in found for k in f if np.isfinite(f[k])}
        out[name] = {k: np.nanmean([f.get(k, np.nan) for f in found]) for k in keys}
    return out


@pytest.mark.parametrize(
    ("column", "control"),
    [(c, name) for c in AGAINST_TRUTH + BY_OTHERS for name in c.orders
     if c.key not in BY_SYNC_AND_READER],
    ids=lambda v: v if isinstance(v, str) else v.key,
)  # fmt: skip
def test_each_figure_orders_the_controls_it_promises(measured, column, control):
    truth, worse = measured["truth"][column.key], measured[control][column.key]
    assert behind(column, truth, worse), (truth, worse)


def test_known_flaws_show():
    """What the columns do not promise is not promised for a reason."""
    promised = {c.key: c.orders for c in AGAINST_TRUTH + BY_OTHERS}
    assert "half" not in promised["r"]  # half amplitude costs correlation nothing
    assert "late" not in promised["lse_c"]  # a constant lag up to 15 frames goes unpunished


def test_the_truth_is_near_perfect(measured):
    truth = measured["truth"]
    assert truth["lve"] == truth["lips"] == truth["jaw"] == truth["upper"] == 0
    assert truth["r"] > 0.99
    assert abs(truth["lag"]) < 1
    assert truth["recall"] > 0.9
    assert measured["late"]["lag"] == pytest.approx(100, abs=25)
    assert measured[FROZEN]["missed"] == 1
    assert measured[FROZEN]["r"] == 0
    assert "mtm" not in measured[FROZEN]


def test_vertex_figures_are_what_a_loop_over_all_vertices_gives(template):
    clip = talker(template, 3)
    made = np.clip(clip.arkit * 0.7 + 0.05, 0, 1).astype(np.float32)
    valid = np.ones(90, bool)
    valid[10:20] = False
    clip = Clip(clip.name, clip.samples, clip.opening, clip.arkit, valid=valid)
    seen = [i for i in range(90) if valid[i]]
    p, g = (template.vertices(a)[seen].astype(np.float64) * 1e3 for a in (made, clip.arkit))
    lips, rest = template.region("lips"), template.neutral() * 1e3
    worst = [max(np.sum((a[v] - b[v]) ** 2) for v in lips) for a, b in zip(p, g, strict=True)]
    found = vertices_off(clip, made, template)
    assert found["lve"] == pytest.approx(np.mean(worst), rel=1e-3)
    away = [np.linalg.norm(x - rest, axis=2).std(0)[template.region("jaw")] for x in (p, g)]
    assert found["jaw"] == pytest.approx(np.abs(away[0] - away[1]).mean(), rel=1e-2)


def test_a_clip_without_a_face_has_only_what_needs_none(template, judges):
    clip = talker(template, 0)
    spoken = Clip("a", clip.samples, phones=clip.phones)
    assert set(measure(spoken, clip.arkit, judges)) == {
        "lse_d", "lse_c", "offset", "recall", "false"
    }  # fmt: skip
