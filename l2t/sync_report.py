"""How well a take's mouth follows its sound, as numbers; `l2t.sync` makes it."""

import dataclasses
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SyncReport:
    """How well a take's mouth follows its sound.

    fps:           frames a second of the arrays below.
    offset_frames: shift at which they fit best; positive = the mouth lags the sound.
    offset_ms:     the same in milliseconds.
    lse_d, lse_c:  SyncNet's distance and confidence at that shift, in this expert's own units.
    confidence:    (frames,) float32 in 0..1, calibrated on matching and wrong pairs, as played
                   (at shift 0); NaN in silence.
    margin:        (frames,) float32 SyncNet's raw per-frame confidence: median over shifts minus
                   the distance at the best shift, median-filtered; NaN in silence.
    voiced:        (frames,) bool, where there is a voice.
    The four numbers are None when nothing is voiced; the offset also when the mouth is still.
    """

    fps: float
    offset_frames: int | None
    offset_ms: float | None
    lse_d: float | None
    lse_c: float | None
    confidence: np.ndarray
    margin: np.ndarray
    voiced: np.ndarray

    def to_json(self) -> dict:
        """Plain types for json: null where a number is undefined."""

        def plain(values: np.ndarray, digits: int) -> list:
            return [round(float(v), digits) if np.isfinite(v) else None for v in values]

        numbers = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)[:5]}
        numbers |= {k: round(v, 4) for k, v in numbers.items() if isinstance(v, float)}
        return numbers | {
            "confidence": plain(self.confidence, 4),
            "margin": plain(self.margin, 4),
            "voiced": [bool(v) for v in self.voiced],
        }
