"""Where in a recording somebody speaks, and how loud: from the energy of 10 ms steps."""

import numpy as np

SAMPLE_RATE = 16_000  # Hz, of every Speech
HOP = 160  # samples between two steps, 10 ms
WINDOW = 400  # samples a step looks at, 25 ms
CELL = 40  # samples that are summed before anything else; divides the two
FLOOR_DB = -60.0  # dBFS: nothing below is called voice, however quiet the rest
RISE = 0.4  # share of the way from noise floor to speech level where voice begins
DEPTH_DB = 30.0  # ... but never deeper than this below the speech level
RANGE_DB = 5.0  # a recording whose level varies less has no pauses: all voice or all noise
STEADY_DB = -45.0  # dBFS: a quieter sound without pauses is a hum, not a held vowel
HANGOVER = 9  # steps (90 ms) that voice is held on, so that stops do not tear words apart


def levels(samples: np.ndarray) -> np.ndarray:
    """Level of each 10 ms step in dBFS, (steps,), -120 at digital silence.

    samples: (n,) float32 at 16 kHz. Step i is the standard deviation of the 25 ms around
    (i + 0.5) * 10 ms (of what there is of them at the ends): an offset of the microphone and slow
    rumble count for nothing. Cells of 2.5 ms are summed first, so an hour needs little room.
    """
    steps = max(1, -(-len(samples) // HOP))
    before, after = (WINDOW - HOP) // 2 // CELL, (WINDOW + HOP) // 2 // CELL
    whole = len(samples) // CELL * CELL
    body, tail = samples[:whole].reshape(-1, CELL), samples[whole:].astype(np.float64)
    cells = np.zeros((3, steps * HOP // CELL + 1))  # samples, sum, sum of squares; 0 beyond the end
    cells[:, : len(body)] = (
        np.full(len(body), CELL),
        body.sum(axis=1, dtype=np.float64),
        np.einsum("ij,ij->i", body, body, dtype=np.float64),
    )
    cells[:, len(body)] = len(tail), tail.sum(), tail @ tail
    sums = np.cumsum(np.pad(cells, ((0, 0), (1, 0))), axis=1)
    first = np.arange(steps) * (HOP // CELL)
    start, end = np.maximum(first - before, 0), np.minimum(first + after, cells.shape[1])
    count, total, square = sums[:, end] - sums[:, start]
    count = np.maximum(count, 1)
    power = np.maximum(square / count - (total / count) ** 2, 0.0)
    return 10 * np.log10(power + 1e-12)


def voiced_steps(samples: np.ndarray) -> np.ndarray:
    """True for each 10 ms step with voice in it, (steps,) bool."""
    level = levels(samples)
    heard = level > FLOOR_DB - 10  # padding with zeros says nothing about the room's noise
    if not heard.any():
        return heard
    floor, top = np.percentile(level[heard], (10, 95))
    if top - floor < RANGE_DB:
        steady = level > max(STEADY_DB, floor - RANGE_DB)
        return hold(steady & is_tonal(samples), HANGOVER)
    threshold = np.clip(floor + RISE * (top - floor), top - DEPTH_DB, top - 6)
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
    rows = rows[rows.std(axis=1) > 10 ** (FLOOR_DB / 20)]
    if not len(rows):
        return False
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
