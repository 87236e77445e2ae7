"""Coarticulation: phone times in, ARKit mouth weights out, after Cohen and Massaro (1993).

Every phone pulls the mouth toward its own target, strongest while it sounds and fading before and
after; where phones overlap, the mouth goes to the mean of their targets weighted by dominance:

    w_k(t) = sum_j D_jg(t) T_jk / sum_j D_jg(t)
    D_jg(t) = strength_jg exp(-(time before j / before_jg)^2 - (time after j / after_jg)^2)

Dominance is separate for each group g of mouth units (`GROUPS`): rounding starts long before its
vowel while the lips close at the last moment. A diphthong is two states of half its length.
Targets and dominance are fitted to tracked faces by `training.fit_coarticulation`, which says
what it does for phones that the tracked speech lacks. What no mean of targets can promise is
seen to afterwards by `training.data.closures`: lips that touch in p b m and rest in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES, FPS, frame_count, frame_times
from training.data.closures import close_lips
from training.data.pronounce import PHONES

DIPHTHONGS = ("AW", "AY", "EY", "OW", "OY")
STATES = (*PHONES, *(f"{phone}>" for phone in DIPHTHONGS))  # "AY>" is the second half of AY
# Mouth units: ARKit weights without their side, left and right move together.
GROUPS = {
    "jaw": ("jawOpen",),
    "close": ("mouthClose", "mouthPress", "mouthShrugLower"),
    "lower": ("mouthLowerDown", "mouthRollLower"),
    "upper": ("mouthUpperUp", "mouthRollUpper", "mouthShrugUpper"),
    "round": ("mouthFunnel", "mouthPucker"),
    "wide": ("mouthSmile", "mouthFrown", "mouthStretch"),
    "tongue": ("tongueOut",),
}
UNITS = tuple(unit for units in GROUPS.values() for unit in units)
GROUP_OF = np.array([g for g, units in enumerate(GROUPS.values()) for _ in units])
# (units, 52): the ARKit weights of each unit.
SPREAD = np.array(
    [[name.removesuffix("Left").removesuffix("Right") == unit for name in ARKIT_NAMES]
     for unit in UNITS], np.float32,
)  # fmt: skip
_FIELDS = ("targets", "strength", "before", "after", "shift", "gap", "loudness")


@dataclass(frozen=True)
class Coarticulation:
    """The fitted model; S states (`STATES`), G groups (`GROUPS`), K units (`UNITS`).

    targets:  (S, K) weights in 0..1 that a state pulls toward.
    strength: (S, G) dominance inside the state, > 0.
    before, after: (S, G) seconds over which dominance fades on either side (to 1/e).
    shift:    (S, 2) seconds added to a state's start and end: how the lips lag or lead the sound.
    gap:      (52,) what a full ARKit weight adds to the gap between the lips, in eye distances.
    loudness: () share by which the mouth opens further for 10 dB over the usual level.
    """

    targets: np.ndarray
    strength: np.ndarray
    before: np.ndarray
    after: np.ndarray
    shift: np.ndarray
    gap: np.ndarray
    loudness: np.ndarray

    @staticmethod
    def load(path: Path) -> "Coarticulation":
        """What `save` wrote. Raises ValueError when it was fitted for other states or units."""
        with np.load(path, allow_pickle=False) as file:
            if tuple(file["states"]) != STATES or tuple(file["units"]) != UNITS:
                raise ValueError(f"{Path(path).name} was fitted for other phones or mouth units")
            return Coarticulation(**{name: file[name] for name in _FIELDS})

    def save(self, path: Path) -> None:
        """One small npz without pickle."""
        arrays = {name: np.asarray(getattr(self, name), np.float32) for name in _FIELDS}
        np.savez_compressed(path, states=np.array(STATES), units=np.array(UNITS), **arrays)


def coarticulate(
    phones: Sequence[str],
    starts: np.ndarray,
    ends: np.ndarray,
    seconds: float,
    model: Coarticulation,
    energy: np.ndarray | None = None,
    amplitude: float = 1.0,
) -> np.ndarray:
    """ARKit weights that say the phones, (frames, 52) float32 in 0..1 at 30 fps.

    phones:    ARPAbet names and "SIL" in order; starts, ends: (n,) seconds.
    energy:    (frames,) dB of the sound at the frames; louder speech opens the mouth further.
    amplitude: style, scales how far the mouth leaves its rest; closures stay closures.
    """
    times = frame_times(frame_count(seconds))
    if not len(phones):
        return np.zeros((len(times), len(ARKIT_NAMES)), np.float32)
    states, first, last = to_states(phones, starts, ends)
    units = blend(model, states, first, last, times)
    rest = model.targets[STATES.index("SIL")]
    scale = amplitude * _loudness(model, energy, len(times))
    units = rest + scale[:, None] * (units - rest)
    weights = np.clip(units, 0, 1) @ SPREAD
    return close_lips(weights, phones, starts, ends, model.gap, FPS).astype(np.float32)


def to_states(
    phones: Sequence[str], starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Phones with times -> state numbers (n,) and their starts and ends in seconds (n,) each."""
    states, first, last = [], [], []
    for phone, start, end in zip(phones, starts, ends, strict=True):
        middle = (start + end) / 2
        halves = [(phone, start, middle), (f"{phone}>", middle, end)]
        for name, a, b in halves if phone in DIPHTHONGS else [(phone, start, end)]:
            states.append(STATES.index(name))
            first.append(a)
            last.append(b)
    return np.array(states, int), np.array(first, float), np.array(last, float)


def dominance(
    model: Coarticulation,
    states: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    """Pull of each state at each time, (frames, states, groups)."""
    starts = starts + model.shift[states, 0]
    ends = np.maximum(ends + model.shift[states, 1], starts)
    early = np.maximum(starts - times[:, None], 0)[..., None] / model.before[states]
    late = np.maximum(times[:, None] - ends, 0)[..., None] / model.after[states]
    # The floor keeps the mean defined where every phone is far away.
    return model.strength[states] * np.exp(-(early**2) - late**2) + 1e-9


def blend(
    model: Coarticulation,
    states: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    """Mouth units (frames, K) by dominance alone, in the convex hull of the targets."""
    pull = dominance(model, states, starts, ends, times)
    share = pull / pull.sum(axis=1, keepdims=True)
    columns = [share[:, :, g] @ model.targets[states, k] for k, g in enumerate(GROUP_OF)]
    return np.stack(columns, axis=1)


def _loudness(model: Coarticulation, energy: np.ndarray | None, frames: int) -> np.ndarray:
    """Scale of the opening per frame from the level in dB, 0.6..1.4; ones without energy."""
    if energy is None:
        return np.ones(frames)
    level = np.resize(np.asarray(energy, float), frames)
    voiced = level[level > np.percentile(level, 95) - 30]
    smooth = np.convolve(np.pad(level, 2, "edge"), np.ones(5) / 5, "valid")
    return np.clip(1 + float(model.loudness) * (smooth - np.median(voiced)) / 10, 0.6, 1.4)
