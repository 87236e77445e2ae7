"""Rows of the main table about the lips: against tracked truth, closures, silence."""

import numpy as np
from scipy.interpolate import CubicSpline

from l2t import metrics
from l2t.animate import mouth_weights
from l2t.models.loading import Models
from l2t.motion import FPS, frame_times
from l2t.voice import SAMPLE_RATE, speech_mask
from training.evaluate.clips import TRACKED_FPS, Clip
from training.evaluate.tables import row

BILABIALS = ("P", "B", "M")
OPEN_VOWELS = ("AA", "AE", "AH", "AY", "AW", "EH")


def beside_truth(clip: Clip, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A made opening (frames at 30 fps) and the tracked one, both at the tracked frames' times."""
    seen = np.isfinite(clip.opening)
    truth = clip.opening[seen]
    times = frame_times(len(truth), TRACKED_FPS)
    return CubicSpline(frame_times(len(made)), made)(times), truth


def against_truth(label: str, clips: list[Clip], openings: list[np.ndarray]) -> list[dict]:
    """r at the best lag within +-0.12 s, that lag, and energy above 8 Hz, against tracked lips."""
    r, lag, high = [], [], []
    for clip, opening in zip(clips, openings, strict=True):
        made, truth = beside_truth(clip, opening)
        found = metrics.correlation(made, truth, TRACKED_FPS)
        r.append(found.r)
        lag.append(found.lag * 1000 / TRACKED_FPS)
        high.append(metrics.high_frequency_ratio(made, truth, TRACKED_FPS))
    return [
        row(f"{label}: lip opening r", r),
        row(f"{label}: lag, ms (positive = late)", lag),
        row(f"{label}: energy above 8 Hz over truth's", high),
    ]


def clip_closure(clip: Clip, opening: np.ndarray, closed: float) -> metrics.Closure:
    """Closed lips on the p b m and on the open vowels of one aligned clip."""
    spans = [[(a, b) for p, a, b in clip.phones if p in kind] for kind in (BILABIALS, OPEN_VOWELS)]
    bilabials, vowels = (np.array(s).reshape(-1, 2) for s in spans)
    return metrics.closure(opening, bilabials, vowels, FPS, closed)


def closures(label: str, clips: list[Clip], openings: list, closed: float) -> list[dict]:
    """Share of p b m with closed lips, share of open-vowel frames with closed lips."""
    found = [clip_closure(c, o, closed) for c, o in zip(clips, openings, strict=True)]
    return [
        row(f"{label}: closed on p b m (recall)", [f.recall for f in found]),
        row(f"{label}: closed on open vowels (false)", [f.false for f in found]),
    ]


def silences(label: str, clips: list[Clip], openings: list[np.ndarray]) -> list[dict]:
    """Movement in silence over movement in speech."""
    still = [
        metrics.stillness(made, speech_mask(clip.samples, FPS, len(made)), FPS)
        for clip, made in zip(clips, openings, strict=True)
    ]
    return [row(f"{label}: lip movement in silence over speech", still)]


def surrounded(label: str, clips: list[Clip], models: Models, style: int, template) -> list[dict]:
    """Movement in 1.5 s of faint noise (-50 dBFS) put before and after, over that in the clip."""
    rng, still, pad = np.random.default_rng(0), [], int(1.5 * SAMPLE_RATE)
    for clip in clips:
        samples = np.pad(clip.samples, pad)
        samples = samples + 3e-3 * rng.standard_normal(len(samples)).astype(np.float32)
        opening = metrics.lip_opening(template, mouth_weights(models, samples, style))
        spoken, guard = slice(45, len(opening) - 45), 6  # frames: 0.2 s on either side
        quiet = np.concatenate([opening[: 45 - guard], opening[len(opening) - 45 + guard :]])
        still.append(float(quiet.std() / opening[spoken].std()))
    return [row(f"{label}: the same in 1.5 s of noise put around it", still)]
