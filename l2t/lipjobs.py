"""One job of the lip reading tab: what was ordered, what is done for it, what comes out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l2t.errors import SpeechError
from l2t.lip_limits import FPS, check_length, check_rules
from l2t.mouth_clip import load_mouths
from l2t.noisy import Noise, noisy
from l2t.render.film import write_film, write_sound
from l2t.speech import Limits, Speech, load_speech

if TYPE_CHECKING:
    from l2t.jobs import Job
    from l2t.lipstudio import LipTake

STAGES = ("listening", "moving", "drawing", "reading", "filming")  # in the order of the work
ENLARGED = 4  # times the reader's pictures in the film
APART = 0.5  # seconds by which a film's length may differ from its recording's


@dataclass(frozen=True)
class LipOrder:
    """What a visitor wants read: a recording under noise, the lips of a film or drawn ones.

    film: of the mouth, taken with the recording; None: the head says the recording.  rules: of
    `l2t.lip_limits`.  said: what was really said, "" where it is not known.
    """

    recording: Path
    film: Path | None = None
    noise: Noise = Noise()
    rules: str = "grid"
    said: str = ""


@dataclass(frozen=True)
class LipResult:
    """What a job made; files lie in the job's folder until it is discarded."""

    order: LipOrder
    take: "LipTake"
    film: Path  # the mouth that was read, with the sound that was heard
    sound: Path  # that sound alone
    seconds: float

    @property
    def spoken(self) -> float:
        return self.take.speech.seconds


def read_lips(job: "Job", infer: Callable, limits: Limits) -> LipResult:
    """The whole way of one job.

    infer: (speech, noise, mouths or None, rules) -> `LipTake`. Raises L2TError.
    """
    begun, order = time.monotonic(), job.order
    job.report("listening", 0.0)
    check_rules(order.rules)
    speech = load_speech(order.recording, limits, job.should_stop)
    check_length(speech.seconds)
    mouths = load_mouths(order.film, job.should_stop) if order.film else None
    if mouths is not None and abs(len(mouths) / FPS - speech.seconds) > APART:
        raise SpeechError(
            f"The film lasts {len(mouths) / FPS:.1f} seconds and the recording "
            f"{speech.seconds:.1f}; they must be of the same moment. Remove the film to have the "
            "head's lips read."
        )
    job.check()
    take = infer(speech, order.noise, mouths, order.rules)
    job.check()
    film, sound = job.folder / "learn2talk-lips.mp4", job.folder / "learn2talk-heard.wav"
    write_sound(sound, take.heard.samples, take.heard.seconds)
    write_film(
        film, enlarged(take.mouths), FPS, take.heard, len(take.mouths),
        lambda share: job.report("filming", share), job.should_stop,
    )  # fmt: skip
    return LipResult(order, take, film, sound, time.monotonic() - begun)


def enlarged(mouths: np.ndarray) -> Iterator[np.ndarray]:
    """Grey pictures (frames, side, side) as colour ones, each pixel a square of `ENLARGED`."""
    for mouth in mouths:
        large = mouth.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
        yield np.repeat(large[..., None], 3, axis=2)


def preview(recording: Path, noise: Noise, limits: Limits) -> Speech:
    """The recording under noise, to be heard beforehand. Raises L2TError."""
    speech = load_speech(recording, limits)
    check_length(speech.seconds)
    return Speech(noisy(speech, noise), speech.name)
