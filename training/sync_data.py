"""Pairs of sound and mouth for SyncNet3D: clips in memory, cut, bent and spoilt anew each batch.

An expert that has heard one voice knows that voice.  So the sound is sped up and down together
with the motion (which moves pitch and formants too), formants are warped on the mel axis, and the
recording is filtered, reverberated and drowned; mouths are made larger, lazier and uneven.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from l2t.mel import MEL_RATE, PER_FRAME, compress, filterbank, power_spectra
from l2t.motion import FPS

RATE = 16000
LEVEL = 0.07  # RMS of speech at the product's loudness (-23 dBFS)
WARPS = np.round(np.linspace(0.82, 1.22, 17), 3)  # factors on the mel filters' frequencies


@dataclass(frozen=True)
class Clip:
    """Sound and the motion that goes with it.

    samples: (n,) int16 at 16 kHz.  arkit: (frames, 52) at 30 fps.  valid: (frames,) bool, False
    where the motion is unknown.  speaker, source: who, and from which corpus.
    """

    samples: np.ndarray
    arkit: np.ndarray
    valid: np.ndarray
    speaker: str = ""
    source: str = ""


@dataclass(frozen=True)
class Spoiling:
    """How far augmentation goes; every range is drawn from uniformly, per clip.

    speed: factor on the tempo of sound and motion.  warp: use the warped filterbanks.
    gain: +- natural-log units of power.  tilt: +- log units of a smooth random equaliser.
    noise: range of signal-to-noise ratio in dB, applied to `noisy` of the clips.
    smear: share of clips with reverberation.  amplitude: range of a factor on the whole motion.
    uneven: +- relative, each ARKit weight on its own.  soften: share with smoothed motion.
    masks: number of blanked mel and time stripes.
    """

    speed: tuple[float, float] = (0.82, 1.2)
    warp: bool = True
    gain: float = 1.8
    tilt: float = 1.5
    noise: tuple[float, float] = (3.0, 30.0)
    noisy: float = 0.7
    smear: float = 0.4
    amplitude: tuple[float, float] = (0.7, 1.3)
    uneven: float = 0.35
    soften: float = 0.3
    masks: int = 2


CLEAN = Spoiling((1.0, 1.0), False, 0.0, 0.0, (99.0, 99.0), 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, 0)


def cut(clip: Clip, start: float, frames: int, speed: float) -> tuple[np.ndarray, np.ndarray]:
    """`frames` of motion from frame `start`, played `speed` times as fast, and the sound to it.

    -> samples (round(frames / 30 * 16000),) float32, arkit (frames, 52); what lies beyond the
    clip is silence and a held mouth.
    """
    steps = start + (np.arange(frames) + 0.5) * speed - 0.5
    arkit = _at(clip.arkit, steps)
    count = round(frames / FPS * RATE)
    at = start / FPS * RATE + (np.arange(count) + 0.5) * speed - 0.5
    first, last = max(0, int(at[0])), min(len(clip.samples), int(at[-1]) + 2)
    if last - first < 2:
        return np.zeros(count, np.float32), arkit
    piece = clip.samples[first:last].astype(np.float32) / 32768.0
    sound = np.interp(at - first, np.arange(len(piece)), piece, left=0.0, right=0.0)
    return sound.astype(np.float32), arkit


def _at(rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Rows at fractional positions, linear, held at the ends."""
    steps = np.clip(steps, 0, len(rows) - 1)
    low = np.minimum(steps.astype(int), max(len(rows) - 2, 0))
    part = (steps - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, len(rows) - 1)
    return (1 - part) * rows[low] + part * rows[high]


@dataclass
class Batches:
    """Endless training batches (mel, displacement, voiced) from a pool of clips.

    basis: (52, points, 3) displacement of the mouth's vertices in metres.  weights: odds of each
    source.  frames: length of a cut.
    """

    clips: list[Clip]
    basis: torch.Tensor
    seed: int
    batch: int = 16
    frames: int = 90
    spoiling: Spoiling = field(default_factory=Spoiling)
    weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        sizes = {s: sum(c.source == s for c in self.clips) for s in {c.source for c in self.clips}}
        odds = np.array([self.weights.get(c.source, 1.0) / sizes[c.source] for c in self.clips])
        self.odds = odds / odds.sum()

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> (batch, frames * 4, 80), (batch, frames, points, 3) metres, (batch, frames) bool."""
        picks = self.rng.choice(len(self.clips), self.batch, p=self.odds, replace=False)
        cuts = [self._cut(self.clips[p]) for p in picks]
        sound = torch.from_numpy(np.stack([c[0] for c in cuts]))
        arkit = torch.from_numpy(np.stack([c[1] for c in cuts]))
        known = torch.from_numpy(np.stack([c[2] for c in cuts]))
        mel, voiced = spoil_sound(sound, self.frames, self.spoiling, self.rng)
        moved = torch.einsum("bfk,kpd->bfpd", arkit, self.basis)
        return mel, moved, voiced & known

    def _cut(self, clip: Clip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        speed = self.rng.uniform(*self.spoiling.speed)
        spare = len(clip.arkit) - self.frames * speed
        start = self.rng.uniform(min(0.0, spare), max(0.0, spare))
        sound, arkit = cut(clip, start, self.frames, speed)
        steps = start + np.arange(self.frames) * speed
        inside = (steps >= 0) & (steps <= len(clip.arkit) - 1)
        near = np.clip(np.round(steps).astype(int), 0, len(clip.arkit) - 1)
        level = LEVEL / max(float(np.sqrt(np.mean(sound**2))) * 1.5, 1e-4)
        moved = spoil_motion(arkit.astype(np.float32), self.spoiling, self.rng)
        return sound * np.float32(level), moved, inside & clip.valid[near]


def spoil_motion(arkit: np.ndarray, how: Spoiling, rng: np.random.Generator) -> np.ndarray:
    """Another mouth doing the same: larger, smaller, uneven, softer; (frames, 52)."""
    gains = rng.uniform(*how.amplitude) * (1 + how.uneven * rng.uniform(-1, 1, arkit.shape[1]))
    out = arkit * gains.astype(np.float32)
    if rng.random() < how.soften:
        padded = np.pad(out, ((1, 1), (0, 0)), mode="edge")
        out = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return out


def spoil_sound(
    sound: torch.Tensor,
    frames: int,
    how: Spoiling,
    rng: np.random.Generator,
    rate: float = MEL_RATE,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-mel of a spoilt recording and where the clean one has voice.

    sound: (batch, n) -> (batch, frames * 4, 80), (batch, frames) bool.  rate: spectra a second.
    """
    power = power_spectra(sound, frames, rate)
    warps = rng.choice(WARPS, len(sound)) if how.warp else np.ones(len(sound))
    mel = torch.stack([p @ filterbank(float(w)).T for p, w in zip(power, warps, strict=True)])
    voiced = voiced_frames(mel)
    shape = (len(mel), 1, 1)

    def uniform(low, high, size=shape):
        return torch.from_numpy(rng.uniform(low, high, size).astype(np.float32))

    smear = uniform(0, 1) < how.smear
    mel = torch.where(smear, _reverberated(mel, rng), mel)
    mel = mel * torch.exp(_smooth_curve(mel.shape[-1], len(mel), how.tilt, rng))
    loud = mel.mean((1, 2), keepdim=True)
    bands = mel.shape[-1]
    colour = torch.exp(_smooth_curve(bands, len(mel), 1.5, rng) + _slope(bands, rng))
    hiss = colour / colour.mean(2, keepdim=True) * torch.empty_like(mel).exponential_(1.0)
    babble = mel.roll(1, 0) / loud.roll(1, 0).clamp_min(1e-8)
    kind = (uniform(0, 1) < 0.3).float()
    ratio = 10 ** (-uniform(*how.noise) / 10) * (uniform(0, 1) < how.noisy)
    mel = mel + loud * ratio * torch.where(kind > 0, babble * 0.5, hiss)
    out = compress(mel * torch.exp(uniform(-how.gain, how.gain)))
    return _masked(out, how.masks, rng), voiced


def voiced_frames(mel_power: torch.Tensor, below: float = 1e-3) -> torch.Tensor:
    """Frames whose power is above `below` (30 dB) of the clip's loud frames, (batch, frames)."""
    power = mel_power.sum(-1).unflatten(1, (-1, PER_FRAME)).mean(-1)
    loud = torch.quantile(power, 0.95, dim=1, keepdim=True)
    return (power > below * loud) & (power > 1e-7)


def _reverberated(mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Power smeared over the following 0.25 s by a decaying tail (a room of 0.2 .. 0.6 s)."""
    steps = torch.arange(30, dtype=torch.float32)
    tail = torch.exp(-steps * (13.8 / (rng.uniform(0.2, 0.6) * 120))) * rng.uniform(0.02, 0.15)
    tail[0] = 1.0
    flat = torch.nn.functional.pad(mel.transpose(1, 2), (29, 0))
    smeared = torch.nn.functional.conv1d(flat.flatten(0, 1)[:, None], tail.flip(0)[None, None])
    return smeared.reshape(mel.shape[0], mel.shape[2], -1).transpose(1, 2)


def _smooth_curve(bands: int, count: int, size: float, rng: np.random.Generator) -> torch.Tensor:
    """Random equaliser curves with six knots, (count, 1, bands), log units of power."""
    knots = torch.from_numpy(rng.uniform(-size, size, (count, 1, 6)).astype(np.float32))
    return torch.nn.functional.interpolate(knots, size=bands, mode="linear", align_corners=True)


def _slope(bands: int, rng: np.random.Generator) -> torch.Tensor:
    return torch.linspace(0.0, float(rng.uniform(-4, 0)), bands)


def _masked(mel: torch.Tensor, count: int, rng: np.random.Generator) -> torch.Tensor:
    """SpecAugment (arXiv 1904.08779): stripes of bands and of up to 0.1 s blanked, per clip."""
    silence = float(compress(torch.zeros(())))
    for row in mel:
        for _ in range(count):
            band, wide = rng.integers(0, mel.shape[2]), rng.integers(0, 10)
            row[:, band : band + wide] = row.mean()
            at, long = rng.integers(0, mel.shape[1]), rng.integers(0, 12)
            row[at : at + long] = silence
    return mel

