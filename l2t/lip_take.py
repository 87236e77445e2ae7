"""What reading lips gives back; light to import, as page and service show it without models."""

from dataclasses import dataclass

import numpy as np

from l2t.noisy import Noise
from l2t.speech import Speech


@dataclass(frozen=True)
class ReadWord:
    """A word (or phone), when it is said in seconds, and how sure the reader is, 0..1.

    confidence: share of this word among those that could stand there, on the same pictures; it
    says nothing about words outside the rules.
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Reading:
    """What was read: words in order, and the log scores (frames, units) it was read from."""

    words: tuple[ReadWord, ...]
    scores: np.ndarray

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Transcripts:
    """What was read in the sound, in the lips, in both; ears: share of the sound in both, 0..1."""

    audio: Reading
    lips: Reading
    both: Reading
    ears: float


@dataclass(frozen=True)
class LipTake:
    """speech: as recorded; heard: the same under noise; mouths: (frames at 25 fps, 96, 96) uint8
    that were read; drawn: whether the head drew them; found: the readings; free: what Whisper's
    decoder makes of the sound, None where it is not there."""

    speech: Speech
    noise: Noise
    heard: Speech
    mouths: np.ndarray
    drawn: bool
    found: Transcripts
    free: str | None = None
