"""A recording under a noise that somebody chose; babble is made of the example recordings."""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from l2t.errors import L2TError
from l2t.noise import KINDS, SNR_RANGE, add_noise, make_noise
from l2t.speech import Speech, load_speech
from l2t.values import is_within, shown

VOICES = Path(__file__).resolve().parents[1] / "assets" / "examples"


class NoiseError(L2TError):
    """There is no such noise."""


@dataclass(frozen=True)
class Noise:
    """Which noise, and how loud: dB of the voice over it. kind None: no noise at all."""

    kind: str | None = None
    snr_db: float = 0.0

    def __post_init__(self):
        known = self.kind is None or isinstance(self.kind, str) and self.kind in KINDS
        if not known:
            kinds = ", ".join(KINDS)
            raise NoiseError(f"There is no noise {shown(self.kind)}; accepted are {kinds}.")
        low, high = SNR_RANGE
        if not is_within(self.snr_db, low, high):
            raise NoiseError(
                f"The signal-to-noise ratio must be from {low:g} to {high:g} dB, "
                f"found {shown(self.snr_db)}."
            )


def noisy(speech: Speech, noise: Noise) -> np.ndarray:
    """The recording under noise, (n,) float32; the same for the same recording and noise."""
    if noise.kind is None:
        return add_noise(speech.samples, None, 0.0)
    rng = np.random.default_rng(zlib.crc32(noise.kind.encode()) + len(speech.samples))
    others = voices() if noise.kind == "babble" else []
    made = make_noise(noise.kind, len(speech.samples), rng, others)
    return add_noise(speech.samples, made, noise.snr_db)


@cache
def voices(folder: Path = VOICES) -> list[np.ndarray]:
    """The example recordings, as other people's voices. Raises NoiseError without any."""
    listing = folder / "examples.json"
    names = [row["file"] for row in json.loads(listing.read_text())] if listing.is_file() else []
    found = [load_speech(folder / n).samples for n in names if (folder / n).is_file()]
    if not found:
        raise NoiseError("Babble needs the example recordings, which are not there; choose white.")
    return found
