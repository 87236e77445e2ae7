"""What the plot's script draws: the waveform, the confidence curve, silence and the figures."""

import json
from typing import TYPE_CHECKING

import numpy as np

from l2t.ui import texts

if TYPE_CHECKING:
    from l2t.talkingface import Take

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


def plot_data(take: "Take", sync: dict) -> dict:
    """Everything the plot needs of a take, as JSON values; `sync` is the report's own dict."""
    mean = mean_confidence(sync["confidence"])
    quiet = silences(take.sync.voiced, sync["fps"])
    seconds = take.speech.seconds
    return {
        "seconds": seconds,
        "fps": sync["fps"],
        "envelope": envelope(take.speech.samples),
        "confidence": sync["confidence"],
        "silences": quiet,
        "readings": texts.readings(sync, mean),
        "notice": "" if take.sync.voiced.any() else texts.NO_SPEECH,
        "summary": texts.summary(seconds, sync, mean, sum(end - start for start, end in quiet)),
    }


def as_json(data: dict | None) -> str:
    """One line of strict JSON (never NaN), "" for nothing."""
    return "" if data is None else json.dumps(data, ensure_ascii=False, allow_nan=False)
