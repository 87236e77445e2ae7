"""What the plot's script draws: waveform, silence, and a confidence curve with figures a take."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from l2t.ui import texts

if TYPE_CHECKING:
    from l2t.jobs import Said

BINS = 480  # bars of the waveform at most


def envelope(samples: np.ndarray, bins: int = BINS) -> list[float]:
    """Peak of |samples| in each of `bins` equal stretches, scaled so that the highest is 1.

    samples: (n,) float32. Fewer bars where there are fewer samples; zeros stay zeros.
    """
    edges = np.linspace(0, len(samples), min(bins, len(samples)) + 1).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges[:-1])
    return [round(float(p), 3) for p in peaks / max(float(peaks.max()), 1e-9)]


def silences(voiced: np.ndarray, fps: float) -> list[list[float]]:
    """Stretches without voice as [start, end] in seconds, from a (frames,) mask."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], voiced, [True]]).astype(int)))
    return [[start / fps, end / fps] for start, end in edges.reshape(-1, 2).tolist()]


def mean_confidence(confidence: list[float | None]) -> float | None:
    """Mean of the defined frames, None without any."""
    defined = [value for value in confidence if value is not None]
    return sum(defined) / len(defined) if defined else None


def plot_data(said: "Sequence[Said]") -> dict:
    """Everything the plot needs, as JSON values, of one take or of several of one recording."""
    take, fps = said[0].take, said[0].sync["fps"]
    quiet = silences(take.sync.voiced, fps)
    curves = [_curve(own, sum(end - start for start, end in quiet)) for own in said]
    if len(curves) == 1:
        curves[0]["name"] = ""  # nothing to tell it from
    return {
        "seconds": take.speech.seconds,
        "fps": fps,
        "envelope": envelope(take.speech.samples),
        "silences": quiet,
        "curves": curves,
        "notice": "" if take.sync.voiced.any() else texts.NO_SPEECH,
    }


def _curve(own: "Said", silent: float) -> dict:
    """One confidence curve with its figures; silent: seconds without voice."""
    mean = mean_confidence(own.sync["confidence"])
    return {
        "name": own.take.variant.title,
        "confidence": own.sync["confidence"],
        "readings": texts.readings(own.sync, mean),
        "summary": texts.summary(own.take.speech.seconds, own.sync, mean, silent),
    }


def as_json(data: dict | None) -> str:
    """One line of strict JSON (never NaN), "" for nothing."""
    return "" if data is None else json.dumps(data, ensure_ascii=False, allow_nan=False)
