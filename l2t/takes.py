"""Takes: one recording said by one or several variants of the student, and how well each fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from l2t import sync
from l2t.animate import mouth_weights
from l2t.blinks import seed_of, with_blinks
from l2t.errors import Cancelled
from l2t.face import FaceTemplate
from l2t.models.loading import Models
from l2t.motion import Motion
from l2t.speech import Speech
from l2t.variants import Variant
from l2t.weights import Weights

Progress = Callable[[str, float], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Take:
    """One recording, said by the head.

    motion: 30 fps; sync: how well it fits the voice; weights, variant: which ones spoke.
    """

    speech: Speech
    motion: Motion
    sync: sync.SyncReport
    identity: str
    style: str
    weights: Weights
    variant: Variant


@dataclass(frozen=True)
class Speaker:
    """Who says it: a variant, its models, and one of their styles."""

    variant: Variant
    models: Models
    style: str


def make_motions(
    speech: Speech, speakers: Sequence[Speaker], progress: Progress, cancelled: Stop | None
) -> list[Motion]:
    """The same recording by each; all blink at the same times. Raises Cancelled."""
    motions = []
    for i, speaker in enumerate(speakers):
        styles = speaker.models.student.config.styles
        arkit = mouth_weights(
            speaker.models, speech.samples, styles.index(speaker.style),
            lambda share, i=i: progress("moving", (i + share) / len(speakers)), cancelled,
        )  # fmt: skip
        motions.append(Motion(with_blinks(arkit, seed_of(speech.samples))))
    return motions


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
