"""Takes: one recording said by one or several variants of the student, and how well each fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from l2t import sync
from l2t.animate import mouth_and_sound
from l2t.blinks import seed_of, with_blinks
from l2t.errors import Cancelled, FaceError
from l2t.face import FaceTemplate
from l2t.headmotion import heard, movement_of, with_movement
from l2t.models.loading import Models
from l2t.models.posevae import PoseVAE
from l2t.motion import FPS, Motion
from l2t.movement import NATURAL, Movement
from l2t.same_answer import same_answer
from l2t.speech import Speech
from l2t.take import Take
from l2t.variants import Variant
from l2t.voice import speech_mask

Progress = Callable[[str, float], None]
Stop = Callable[[], bool]
__all__ = ["Progress", "Speaker", "Stop", "Take", "judge", "make_motions"]


@dataclass(frozen=True)
class Speaker:
    """Who says it: a variant, its models, and one of their styles."""

    variant: Variant
    models: Models
    style: str


@same_answer()
def make_motions(
    speech: Speech,
    speakers: Sequence[Speaker],
    movement: Movement,
    progress: Progress,
    cancelled: Stop | None,
) -> list[Motion]:
    """The same recording by each; all blink, turn and look the same way at the same times.

    Raises FaceError for a movement that the weights do not hold, Cancelled.
    """
    motions, sound, head = [], None, speakers[0].models.head
    if head is None and not movement.still:
        raise FaceError("These weights hold no head movement; leave it at 0.")
    for i, speaker in enumerate(speakers):
        styles = speaker.models.student.config.styles
        listen = None if movement.still or i else partial(heard, head)  # once, all hear the same
        arkit, own = mouth_and_sound(
            speaker.models, speech.samples, styles.index(speaker.style),
            lambda share, i=i: progress("moving", (i + share) / len(speakers)), cancelled,
            listen=listen,
        )  # fmt: skip
        sound = own if sound is None else sound
        motions.append(Motion(with_blinks(arkit, seed_of(speech.samples))))
    if sound is None:
        return motions
    return _moving(motions, movement, speech, sound, head)


def _moving(
    motions: list[Motion], movement: Movement, speech: Speech, sound: np.ndarray, head: PoseVAE
) -> list[Motion]:
    """The motions with the head's turns and the eyes' glances; lips and lids stay."""
    seed = seed_of(speech.samples) if movement.seed is None else int(movement.seed)
    voiced = speech_mask(speech.samples, FPS, len(sound))
    turns = movement_of(head, sound, voiced, seed, NATURAL * movement.strength)
    return [with_movement(motion, turns, seed) for motion in motions]


@same_answer()
def judge(
    speech: Speech,
    motions: Sequence[Motion],
    template: FaceTemplate,
    models: Models,
    progress: Progress,
    cancelled: Stop | None,
) -> list[sync.SyncReport]:
    """How well each motion fits the voice, by the one expert of all. Raises Cancelled."""
    reports = []
    for i, motion in enumerate(motions):
        progress("checking", i / len(motions))
        if cancelled and cancelled():
            raise Cancelled("The job was cancelled.")
        reports.append(sync.score(speech, template, motion, models.expert))
    progress("checking", 1.0)
    return reports
