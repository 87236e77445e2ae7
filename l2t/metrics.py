"""Figures for a talking mouth, each with its formula, source and known flaw.

A figure is worth quoting only if it puts the truth before its controls (shifted, halved, shaken,
frozen); `tests/test_metrics.py` holds each one to that, and LVE to its known failure.
"""

from dataclasses import dataclass

import numpy as np

INNER_LIP_PAIRS = ((81, 178), (13, 14), (311, 402))  # MediaPipe: upper, lower
REACH_S = 0.12  # seconds a prediction may be early or late in `correlation`
CLOSED = 0.006  # lips count as closed up to this lip opening above the neutral face's
HIGH_HZ = 8.0  # speech moves lips below this; above it is closures, bursts and jitter
GUARD_S = 0.2  # lips move before and after the voice: silence counts from here on


def lip_opening(template, arkit: np.ndarray, identity: str | None = None) -> np.ndarray:
    """Inner-lip gap over the distance of the outer eye corners, (frames,) float32, no unit.

    Mean height of the gap between the three middle pairs of inner-lip landmarks, 0 where the lips
    press into each other, as it is measured on tracked faces.  arkit: (frames, 52); identity:
    whose neutral (None: the template's first).
    """
    from l2t.face import LIP_POINTS

    if not len(arkit):
        return np.zeros(0, np.float32)
    lips = np.asarray(template.lip_landmarks)
    column = [lips[LIP_POINTS.index(point)] for pair in INNER_LIP_PAIRS for point in pair]
    height = template.vertices(arkit, identity, np.asarray(column))[..., 1]
    gap = np.maximum(height[:, 0::2] - height[:, 1::2], 0.0).mean(axis=1)
    corners = template.neutral(identity)[np.asarray(template.eye_corners)[[0, -1]], :2]
    return (gap / np.linalg.norm(corners[0] - corners[1])).astype(np.float32)


def closed_limit(template, identity: str | None = None) -> float:
    """Lip opening up to which this face's lips count as closed: a little above its neutral."""
    rest = lip_opening(template, np.zeros((1, 52), np.float32), identity)
    return float(rest[0]) + CLOSED


def lve(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Lip vertex error: mean over frames of the largest squared distance, in the unit squared.

    (1/T) sum_t max_v || p_tv - g_tv ||^2 over lip vertices (frames, vertices, 3); MeshTalk (ICCV
    2021), FaceFormer.  Name the mask and the unit with the figure.  Known flaw: it rewards
    caution.  Perfect lips three frames late lose to a frozen mouth; use it beside others only.
    Unequal lengths are compared over the shorter; nan without frames.
    """
    p, g = _paired(prediction, truth)
    return float(np.square(p - g).sum(-1).max(-1).mean()) if len(p) else float("nan")


@dataclass(frozen=True)
class Dynamics:
    """FDD. signed: errors of stiff and lively vertices cancel; absolute: they do not."""

    signed: float
    absolute: float


def fdd(prediction: np.ndarray, truth: np.ndarray) -> Dynamics:
    """Upper-face dynamics deviation, in the unit of the motion (CodeTalker, CVPR 2023).

    mean over v of (dyn(g_v) - dyn(p_v)), dyn = deviation over time of a vertex' distance from
    neutral; both (frames, vertices, 3) displacements from neutral over the upper face.  Known
    flaw: timing and direction do not matter to it.  nan without frames.
    """
    if not len(prediction) or not len(truth):
        return Dynamics(float("nan"), float("nan"))
    gap = np.linalg.norm(truth, axis=-1).std(0) - np.linalg.norm(prediction, axis=-1).std(0)
    return Dynamics(float(gap.mean()), float(np.abs(gap).mean()))


@dataclass(frozen=True)
class Correlation:
    """r: Pearson's at the best lag; lag: that lag in frames, positive = the prediction is late."""

    r: float
    lag: int


def correlation(
    prediction: np.ndarray, truth: np.ndarray, fps: float, reach_s: float = REACH_S
) -> Correlation:
    """Pearson's r of two lip openings (frames,) at the best lag within +-reach_s (whole frames).

    Known flaw: half amplitude costs nothing; quote it with `high_frequency_ratio` or LVE.  A
    frozen mouth has r = 0.  Unequal lengths: the shorter counts.  nan for under three frames.
    """
    p, g = _paired(prediction, truth)
    if len(p) < 3:
        return Correlation(float("nan"), 0)
    reach = min(int(reach_s * fps + 1e-6), len(p) - 3)
    found = [Correlation(_pearson(*_lagged(p, g, lag)), lag) for lag in range(-reach, reach + 1)]
    return max(found, key=lambda c: (c.r, -abs(c.lag)))


def _lagged(p: np.ndarray, g: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """The parts of both that overlap when the prediction is moved `lag` frames earlier."""
    n = len(p) - abs(lag)
    return p[max(lag, 0) :][:n], g[max(-lag, 0) :][:n]


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 1e-12 else 0.0


@dataclass(frozen=True)
class Closure:
    """recall: share of bilabials with closed lips; false: share of open-vowel frames closed.

    bilabials, vowel_frames: how many there were; the share of none is nan.
    """

    recall: float
    false: float
    bilabials: int
    vowel_frames: int


def closure(
    opening: np.ndarray, bilabials: np.ndarray, open_vowels: np.ndarray, fps: float, closed: float
) -> Closure:
    """Do lips close on p b m, and only there?  Needs no truth but the phones' times.

    opening: (frames,) lip opening; closed: its `closed_limit`.  bilabials, open_vowels: (n, 2)
    start and end in seconds.  A bilabial is met when the opening is at or below `closed` in one of
    the frames that its interval touches; of an open vowel, frames whose middle lies in its middle
    half count.
    """
    shut = np.asarray(opening) <= closed
    spans = [(int(a * fps), max(int(a * fps) + 1, int(np.ceil(b * fps)))) for a, b in bilabials]
    met = [bool(shut[a:b].any()) for a, b in spans if a < len(shut)]
    times = (np.arange(len(shut)) + 0.5) / fps
    inside = np.zeros(len(shut), bool)
    for a, b in open_vowels:
        inside |= np.abs(times - (a + b) / 2) <= (b - a) / 4
    return Closure(
        float(np.mean(met)) if met else float("nan"),
        float(shut[inside].mean()) if inside.any() else float("nan"),
        len(met), int(inside.sum()),
    )  # fmt: skip


def stillness(opening: np.ndarray, voiced: np.ndarray, fps: float, guard: float = GUARD_S) -> float:
    """Deviation of the lip opening in silence over that in speech; 0 = a quiet mouth.

    opening: (frames,), voiced: (frames,) bool.  Silent frames within `guard` seconds of a voice
    are left out: lips get ready before the voice and come to rest after it.  nan when there is
    less than two frames of either, or no motion in speech.
    """
    opening, voiced = np.asarray(opening, np.float64), np.asarray(voiced, bool)
    if not len(voiced):
        return float("nan")
    reach = round(guard * fps)
    near = np.convolve(voiced, np.ones(2 * reach + 1), "full")[reach : reach + len(voiced)] > 0
    if voiced.sum() < 2 or (~near).sum() < 2 or opening[voiced].std() < 1e-12:
        return float("nan")
    return float(opening[~near].std() / opening[voiced].std())


def high_frequency_ratio(
    prediction: np.ndarray, truth: np.ndarray, fps: float, above: float = HIGH_HZ
) -> float:
    """Energy of lip motion above 8 Hz, prediction over truth: under 1 mumbles, over 1 shakes.

    sum over f > above of |DFT(hann * (x - mean))|^2, of curves (frames, ...); unequal lengths are
    cut to the shorter.  nan for under four frames or when the truth has none.
    """
    p, g = _paired(prediction, truth)
    if len(p) < 4:
        return float("nan")
    below = _energy_above(g, fps, above)
    return _energy_above(p, fps, above) / below if below > 0 else float("nan")


def _energy_above(curves: np.ndarray, fps: float, above: float) -> float:
    flat = curves.reshape(len(curves), -1).astype(np.float64)
    spectrum = np.fft.rfft((flat - flat.mean(0)) * np.hanning(len(flat))[:, None], axis=0)
    high = np.fft.rfftfreq(len(flat), 1 / fps) > above
    return float(np.square(np.abs(spectrum[high])).sum())


def bootstrap_interval(
    values: np.ndarray, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """(mean, low, high): percentile bootstrap of the mean of one value a clip (Efron 1979).

    nan values (clips where the figure is undefined) are left out; all nan without any.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return (float("nan"),) * 3
    picks = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[picks].mean(1), ((1 - level) / 2, (1 + level) / 2))
    return float(values.mean()), float(low), float(high)


def _paired(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both cut to the shorter, as float64."""
    n = min(len(a), len(b))
    return np.asarray(a, np.float64)[:n], np.asarray(b, np.float64)[:n]
