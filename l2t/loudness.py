"""Loudness: one level for every recording, so that a shy microphone moves the same lips."""

import numpy as np

from l2t.voice import HOP, voiced_steps

TARGET_DB = -23.0  # dBFS of the RMS over voiced steps
MAX_GAIN_DB = 35.0  # a quieter voice is raised by this much and no more: the rest would be noise
KNEE = 0.9  # of full scale; what is louder is bent so that it never passes 1


def normalise(samples: np.ndarray) -> np.ndarray:
    """`samples` (n,) float32 mono 16 kHz brought to -23 dBFS over its voiced parts, peak below 1.

    Where no voice is found the level stays as it is (and is only brought down if it clips), so
    silence stays silence and noise is not blown up.
    """
    gain = 10 ** (min(TARGET_DB - voiced_level(samples), MAX_GAIN_DB) / 20)
    return limited(samples * np.float32(gain))


def voiced_level(samples: np.ndarray) -> float:
    """RMS over the voiced steps in dBFS; the target itself where nobody speaks."""
    if not len(samples):
        return TARGET_DB
    voiced = np.repeat(voiced_steps(samples), HOP)[: len(samples)]
    if not voiced.any():
        return TARGET_DB
    return 10 * float(np.log10(np.mean(np.square(samples[voiced], dtype=np.float64)) + 1e-12))


def limited(samples: np.ndarray) -> np.ndarray:
    """`samples` with what is above the knee bent smoothly below full scale; the rest untouched."""
    over = np.abs(samples) - np.float32(KNEE)
    if not (over > 0).any():
        return samples
    bent = KNEE + (1 - KNEE) * np.tanh(over / np.float32(1 - KNEE))
    return np.where(over > 0, np.copysign(bent, samples), samples).astype(np.float32)
