"""Loudness: one level for every recording, so that a shy microphone moves the same lips."""

import numpy as np

from l2t.voice import levels, voiced_steps

TARGET_DB = -23.0  # dBFS of the RMS over voiced steps
MAX_GAIN_DB = 35.0  # a quieter voice is raised by this much and no more: the rest would be noise
KNEE = 0.9  # of full scale; what is louder is bent so that it never passes the ceiling
CEILING = 0.99


def normalise(samples: np.ndarray) -> np.ndarray:
    """`samples` (n,) float32 mono 16 kHz brought to -23 dBFS over its voiced parts, peak below 1.

    Where no voice is found the level stays as it is (and is only brought down if it clips), so
    silence stays silence and noise is not blown up.
    """
    gain = 10 ** (min(TARGET_DB - voiced_level(samples), MAX_GAIN_DB) / 20)
    return limited(samples * np.float32(gain))


def voiced_level(samples: np.ndarray) -> float:
    """RMS over the voiced steps in dBFS; the target itself where nobody speaks.

    Steps 10 dB below the mean of the others do not count (the relative gate of ITU-R BS.1770):
    stops and the hangover of the voice detector would lower the figure.
    """
    voiced = voiced_steps(samples)
    if not voiced.any():
        return TARGET_DB
    power = 10 ** (levels(samples)[voiced] / 10)
    return 10 * float(np.log10(power[power >= 0.1 * power.mean()].mean()))


def limited(samples: np.ndarray) -> np.ndarray:
    """`samples` with what is above the knee bent smoothly below full scale; the rest untouched."""
    if not len(samples) or max(samples.max(), -samples.min()) <= KNEE:
        return samples
    loud = np.abs(samples) > KNEE
    room = CEILING - KNEE
    peaks = samples[loud]
    bent = samples.copy()
    bent[loud] = np.sign(peaks) * (KNEE + room * np.tanh((np.abs(peaks) - KNEE) / room))
    return bent
