"""Where in a recording somebody speaks, and how loud: from the energy of 10 ms steps."""

import numpy as np

SAMPLE_RATE = 16_000  # Hz, of every Speech
HOP = 160  # samples between two steps, 10 ms
WINDOW = 400  # samples a step looks at, 25 ms
FLOOR_DB = -60.0  # dBFS: nothing below is called voice, however quiet the rest
RANGE_DB = 8.0  # a recording whose level varies less has no pauses: all voice or all noise
HANGOVER = 9  # steps (90 ms) that voice is held on, so that stops do not tear words apart


def levels(samples: np.ndarray) -> np.ndarray:
    """Level of each 10 ms step in dBFS of the RMS, (steps,), rumble below about 80 Hz left out.

    samples: (n,) float32 at 16 kHz. Step i looks at 25 ms around (i + 0.5) * 10 ms.
    """
    steps = max(1, -(-len(samples) // HOP))
    # First difference, leaky: a one-pole high-pass without a loop, as samples minus 25 ms mean.
    total = np.concatenate([[0.0], np.cumsum(samples, dtype=np.float64)])
    square = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    middle = np.arange(steps) * HOP + HOP // 2
    start = np.clip(middle - WINDOW // 2, 0, len(samples))
    end = np.clip(middle + WINDOW // 2, 0, len(samples))
    count = np.maximum(end - start, 1)
    mean = (total[end] - total[start]) / count
    power = np.maximum((square[end] - square[start]) / count - mean**2, 0.0)
    return 10 * np.log10(power + 1e-12)


def voiced_steps(samples: np.ndarray) -> np.ndarray:
    """True for each 10 ms step with voice in it, (steps,) bool."""
    level = levels(samples)
    floor, top = np.percentile(level, 10), np.percentile(level, 95)
    if top - floor < RANGE_DB:
        return (level > FLOOR_DB) & is_tonal(samples)
    threshold = np.clip(floor + 0.35 * (top - floor), max(FLOOR_DB, top - 30), top - 6)
    return hold(level > max(threshold, FLOOR_DB), HANGOVER)


def hold(mask: np.ndarray, steps: int) -> np.ndarray:
    """`mask` (n,) bool, each True held on for `steps` more."""
    last = np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -steps - 1))
    return np.arange(len(mask)) - last <= steps


def is_tonal(samples: np.ndarray) -> bool:
    """Whether a recording of constant level is a held vowel or a tone rather than noise.

    By the highest normalised autocorrelation at lags of a voice's pitch (70 to 400 Hz).
    """
    size = 1024
    count = len(samples) // size
    if not count:
        return False
    rows = samples[: count * size].reshape(count, size)[:: max(1, count // 200)]
    rows = (rows - rows.mean(axis=1, keepdims=True)).astype(np.float64)
    power = np.abs(np.fft.rfft(rows, 2 * size, axis=1)) ** 2
    auto = np.fft.irfft(power, axis=1)[:, :size] / (size - np.arange(size)) * size
    peak = auto[:, SAMPLE_RATE // 400 : SAMPLE_RATE // 70].max(axis=1)
    return bool(np.median(peak / np.maximum(auto[:, 0], 1e-12)) > 0.5)


def speech_mask(samples: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """True for each video frame with voice in it, (frames,) bool.

    samples: (n,) float32 mono at 16 kHz; frame i covers the time i / fps to (i + 1) / fps and is
    voiced if half of its 10 ms steps are. The threshold lies between the recording's own noise
    floor and its own speech level; silence and steady noise are nowhere voiced.
    """
    if not len(samples):
        return np.zeros(frames, bool)
    steps = voiced_steps(samples)
    sums = np.concatenate([[0.0], np.cumsum(steps)])
    edges = np.arange(frames + 1) / fps * SAMPLE_RATE / HOP
    share = np.diff(np.interp(edges, np.arange(len(sums)), sums)) * fps * HOP / SAMPLE_RATE
    return share >= 0.5 - 1e-9
