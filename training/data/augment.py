"""Makes one recording sound like other voices, rooms and microphones."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve, resample_poly

from l2t.loudness import normalise

RATE = 16000


@dataclass(frozen=True)
class Recipe:
    """What was done to a recording.

    speed: > 1 is faster; whatever happens at time t of the original happens at t / speed.
    """

    speed: float = 1.0


def resampled(samples: np.ndarray, factor: float) -> np.ndarray:
    """Played `factor` times as fast: shorter and higher, like a tape."""
    up = 100
    return resample_poly(samples, up, max(1, round(up * factor))).astype(np.float32)


def other_voice(samples: np.ndarray, factor: float) -> np.ndarray:
    """Pitch and formants moved by `factor`, the timing kept: a longer or shorter throat."""
    import librosa

    moved = resampled(samples, factor)
    stretched = librosa.effects.time_stretch(moved, rate=len(moved) / len(samples), n_fft=512)
    return np.resize(stretched.astype(np.float32), len(samples))


def room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverberation: exponentially decaying noise behind the direct sound, RT60 0.1 to 0.5 s."""
    decay = rng.uniform(0.1, 0.5)
    times = np.arange(int(decay * RATE)) / RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    tail *= rng.uniform(0.1, 0.6) / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    return fftconvolve(samples, tail)[: len(samples)].astype(np.float32)


def coloured(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone's colour: a random smooth gain of up to +-9 dB over frequency."""
    spectrum = np.fft.rfft(samples)
    knots = rng.uniform(-9, 9, 7)
    place = np.linspace(0, 6, len(spectrum))
    gain = 10 ** (np.interp(place, np.arange(7), knots) / 20)
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


def noise(count: int, rng: np.random.Generator, others: list[np.ndarray]) -> np.ndarray:
    """White noise, pink noise, or the babble of four other recordings; RMS 1."""
    kind = rng.integers(3 if others else 2)
    if kind == 2:
        picked = [others[i] for i in rng.integers(len(others), size=4)]
        out = sum(np.roll(np.resize(o, count), rng.integers(count)) for o in picked)
    else:
        spectrum = np.fft.rfft(rng.standard_normal(count))
        if kind == 1:
            spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
        out = np.fft.irfft(spectrum, count)
    return (out / (np.sqrt(np.mean(out**2)) + 1e-9)).astype(np.float32)


def augment(
    samples: np.ndarray, rng: np.random.Generator, others: list[np.ndarray]
) -> tuple[np.ndarray, Recipe]:
    """A random change of voice, speed, room, colour and noise, then the usual loudness.

    samples: (n,) float32 at 16 kHz. others: recordings for babble. Returns the new samples
    (another length when the speed changed) and what must be done to the motion.
    """
    speed = 1.0
    draw = rng.random()
    if draw < 0.4:
        samples = other_voice(samples, float(np.exp(rng.uniform(-0.25, 0.25))))
    elif draw < 0.8:
        speed = round(100 * float(np.exp(rng.uniform(-0.15, 0.15)))) / 100
        samples = resampled(samples, speed)
    if rng.random() < 0.3:
        samples = room(samples, rng)
    if rng.random() < 0.4:
        samples = coloured(samples, rng)
    if rng.random() < 0.5:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-rng.uniform(5, 30) / 20)
        samples = samples + level * noise(len(samples), rng, others)
    return normalise(samples.astype(np.float32)), Recipe(speed)
