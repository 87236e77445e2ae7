"""Noise over speech: white, babble of other voices, or music made here, at a chosen level.

    mixed = add_noise(speech.samples, babble(len(speech.samples), rng, voices), snr_db=-5)

The signal-to-noise ratio compares the speech while somebody speaks (`loudness.voiced_level`) with
the noise as a whole: pauses do not make a recording seem noisier.
"""

import numpy as np

from l2t.loudness import limited, voiced_level
from l2t.voice import SAMPLE_RATE

KINDS = ("babble", "white", "music")
LEVEL_DB = -26.0  # dBFS of the RMS of a whole mix: louder noise must not mean a louder recording
TALKERS = 6  # voices in a babble
SNR_RANGE = (-20.0, 40.0)  # dB


def white(count: int, rng: np.random.Generator) -> np.ndarray:
    """Every frequency alike, (count,) float32, RMS 1."""
    return rng.standard_normal(count, np.float32)


def babble(count: int, rng: np.random.Generator, voices: list[np.ndarray]) -> np.ndarray:
    """`TALKERS` stretches of `voices` (each (n,) at 16 kHz) at once, (count,) float32, RMS 1.

    Each begins anywhere and repeats if it is too short. Raises ValueError without voices.
    """
    if not voices:
        raise ValueError("babble needs recordings of voices, found none")
    picked = [voices[i] for i in rng.choice(len(voices), TALKERS, len(voices) < TALKERS)]
    loops = [np.roll(voice, -rng.integers(len(voice))) for voice in picked]
    return _unit(sum(_unit(np.resize(loop, count)) for loop in loops))


def music(count: int, rng: np.random.Generator) -> np.ndarray:
    """A small band that is made up: chords, bass, a melody and drums, (count,) float32, RMS 1.

    Synthesised, so that nobody's recording is needed; real music has singing and more instruments.
    """
    beat = 60 / rng.uniform(85, 140)
    root = 55 * 2 ** (rng.integers(12) / 12)
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    out, start = np.zeros(count + SAMPLE_RATE, np.float32), -rng.uniform(0, beat)
    degree, step = 0, 0
    while start * SAMPLE_RATE < count:
        if step % 4 == 0:
            degree = int(rng.choice([0, 3, 4, 5]))
            for third in (0, 2, 4):
                _put(out, start, _note(root * 4 * _up(scale, degree + third), 4 * beat, 0.25))
        _put(out, start, _note(root * _up(scale, degree), beat, 0.5))
        for half in range(2):
            if rng.random() < 0.7:
                pitch = root * 8 * _up(scale, int(rng.integers(9)))
                _put(out, start + half * beat / 2, _note(pitch, beat / 2, 0.35))
        drum = rng.standard_normal(int(0.12 * SAMPLE_RATE)).astype(np.float32)
        decay = np.exp(-np.arange(len(drum)) / (0.015 + 0.03 * (step % 2)) / SAMPLE_RATE)
        _put(out, start, (0.4 * drum * decay).astype(np.float32))
        start, step = start + beat, step + 1
    return _unit(out[:count])


def make_noise(
    kind: str, count: int, rng: np.random.Generator, voices: list[np.ndarray]
) -> np.ndarray:
    """Noise of one of `KINDS`, (count,) float32, RMS 1. Raises ValueError for another kind."""
    if kind == "babble":
        return babble(count, rng, voices)
    if kind not in KINDS:
        raise ValueError(f"There is no noise {kind!r}; accepted are {', '.join(KINDS)}.")
    return white(count, rng) if kind == "white" else music(count, rng)


def add_noise(samples: np.ndarray, noise: np.ndarray | None, snr_db: float) -> np.ndarray:
    """Speech (n,) under noise (n,), at `LEVEL_DB`; None: the speech alone at that level."""
    if noise is None:
        return at_level(samples)
    gain = 10 ** ((voiced_level(samples) - snr_db) / 20) / max(_rms(noise), 1e-9)
    return at_level(samples + np.float32(gain) * noise)


def at_level(samples: np.ndarray) -> np.ndarray:
    """The same with an RMS of `LEVEL_DB`, peaks bent below full scale; silence stays silence."""
    rms = _rms(samples)
    if rms < 1e-6:
        return samples
    return limited((samples * np.float32(10 ** (LEVEL_DB / 20) / rms)).astype(np.float32))


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _unit(samples: np.ndarray) -> np.ndarray:
    return (samples / max(_rms(samples), 1e-9)).astype(np.float32)


def _up(scale: np.ndarray, degree: int) -> float:
    """Frequency ratio of a degree of a scale, octaves included."""
    return 2 ** ((scale[degree % len(scale)] + 12 * (degree // len(scale))) / 12)


def _note(pitch: float, seconds: float, loud: float) -> np.ndarray:
    """A plucked tone of six harmonics."""
    times = np.arange(int(seconds * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 7))
    attack = np.minimum(times / 0.01, 1) * np.minimum((seconds - times) / 0.02, 1)
    return (loud * tone * attack * np.exp(-1.5 * times)).astype(np.float32)


def _put(out: np.ndarray, start: float, piece: np.ndarray) -> None:
    first = int(start * SAMPLE_RATE)
    piece = piece[max(0, -first) :]
    first = max(first, 0)
    room = len(out) - first
    if room > 0:
        out[first : first + len(piece)] += piece[:room]
