"""Reads lips with a talking face at hand: noise over the sound, a mouth, three readings.

Without a film of a mouth the head says the CLEAN recording and its drawn lips are read, as in the
paper; only the sound gets the noise.
"""

from functools import cached_property

import numpy as np
import torch

from l2t.animate import mouth_weights
from l2t.errors import Cancelled
from l2t.face import FaceTemplate
from l2t.free_speech import transcribe
from l2t.lip_limits import check_length
from l2t.lip_take import LipTake
from l2t.models.lipreader import FPS
from l2t.models.loading import Models
from l2t.motion import Motion
from l2t.noisy import Noise, noisy
from l2t.recognition import Recogniser, fitted, frames_of
from l2t.same_answer import same_answer
from l2t.speech import Speech
from l2t.takes import Progress, Stop
from l2t.weights import Weights

AT_ONCE = 16  # pictures drawn between two looks at `cancelled`


class LipStudio:
    """The recogniser and the mouth's renderer beside the models of a talking face, made at need."""

    def __init__(self, models: Models, weights: Weights, template: FaceTemplate):
        self.models, self.weights, self.template = models, weights, template

    @cached_property
    def recogniser(self) -> Recogniser:
        """Raises WeightsError where the weights hold none."""
        return Recogniser.from_weights(self.weights, self.models.encoder)

    @cached_property
    def renderer(self):
        from l2t.softrender import MouthRenderer

        return MouthRenderer(self.template).eval()

    @same_answer()
    def read(
        self,
        speech: Speech,
        noise: Noise,
        mouths: np.ndarray | None = None,
        rules: str = "grid",
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> LipTake:
        """Transcripts of a recording by ear, by eye and by both.

        mouths: (frames at 25 fps, 96, 96) uint8 filmed with the recording; None: the head draws
        them. Raises SpeechError for a length that is not read, WeightsError, Cancelled.
        """
        tell = progress or (lambda stage, share: None)
        check_length(speech.seconds)
        recogniser, drawn = self.recogniser, mouths is None
        if mouths is None:
            mouths = self._draw(speech, tell, cancelled)
        tell("reading", 0.0)
        _check(cancelled)
        heard = Speech(noisy(speech, noise), speech.name)
        mouths = fitted(mouths, frames_of(speech.seconds))
        found = recogniser.recognise(heard.samples, mouths, rules)
        tell("reading", 0.5)
        free = transcribe(heard.samples)
        tell("reading", 1.0)
        return LipTake(speech, noise, heard, mouths, drawn, found, free)

    def _draw(self, speech: Speech, tell: Progress, cancelled: Stop | None) -> np.ndarray:
        """The mouth of the default head saying it, (frames at 25 fps, 96, 96) uint8."""
        tell("moving", 0.0)
        arkit = mouth_weights(
            self.models, speech.samples, 0, lambda share: tell("moving", share), cancelled
        )
        rows, drawn = torch.from_numpy(Motion(arkit).resampled(FPS).arkit), []
        for first in range(0, len(rows), AT_ONCE):
            tell("drawing", first / len(rows))
            _check(cancelled)
            with torch.inference_mode():
                drawn.append(self.renderer(rows[first : first + AT_ONCE]))
        return (torch.cat(drawn).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _check(cancelled: Stop | None) -> None:
    if cancelled and cancelled():
        raise Cancelled("The job was cancelled.")
