"""Speech recognition by ear, by eye, and by both: the paper's first application.

    recogniser = Recogniser.from_weights(weights, encoder)
    heard = add_noise(speech.samples, noise, snr_db=-5)
    found = recogniser.recognise(heard, mouths)
    print(found.audio.text, found.lips.text, found.both.text)

It knows the 51 words of the GRID corpus and one man's voice and lips best; on other speech it
still answers with those words.
"""

import numpy as np
import torch

from l2t.errors import WeightsError
from l2t.lip_limits import check_length
from l2t.lip_take import Transcripts
from l2t.lipreading import log_probs, read_scores
from l2t.manifest import read_manifest
from l2t.models.avsr import AVSR, AVSRConfig, avsr_from
from l2t.models.encoder import SpeechEncoder
from l2t.models.lipreader import FPS, LipReader, LipReaderConfig, reader_from
from l2t.voice import SAMPLE_RATE
from l2t.weights import Weights, load_tensors

ROLES = ("lipreader", "avsr")  # what weights must hold beside those of a talking face


class Recogniser:
    """The three models that listen, look and weigh; all in evaluation mode on one device."""

    def __init__(self, encoder: SpeechEncoder, reader: LipReader, model: AVSR):
        given, expected = encoder.config.channels, model.config.channels
        if given != expected:
            raise WeightsError(
                f"The recogniser expects {expected} feature channels, the encoder gives {given}."
            )
        self.encoder, self.reader, self.model = encoder, reader, model

    @staticmethod
    def from_weights(weights: Weights, encoder: SpeechEncoder) -> "Recogniser":
        """Raises WeightsError, also when these weights hold no recogniser."""
        if weights.folder is None:
            return _debug(encoder)
        there = read_manifest(weights.folder).roles
        if missing := [role for role in ROLES if role not in there]:
            raise WeightsError(
                f"These weights cannot read lips: they hold no {' and no '.join(missing)}."
            )
        device = next(encoder.parameters()).device
        reader = reader_from(*load_tensors(weights, "lipreader")).to(device)
        return Recogniser(encoder, reader, avsr_from(*load_tensors(weights, "avsr")).to(device))

    def listen(self, samples: np.ndarray) -> torch.Tensor:
        """The encoder's features of sound (n,) at 16 kHz, (1, features at 50 Hz, channels)."""
        device = next(self.encoder.parameters()).device
        return self.encoder(torch.from_numpy(samples)[None].to(device))

    def recognise(self, samples: np.ndarray, mouths: np.ndarray, rules: str = "grid"):
        """`Transcripts` of sound (n,) as `noise.add_noise` leaves it, and of pictures
        (frames at 25 fps, 96, 96) uint8 that begin with it; see `fitted` for other lengths.

        Raises SpeechError for a length that is not read, ValueError for other pictures or rules.
        """
        check_length(len(samples) / SAMPLE_RATE)
        features = self.listen(samples)
        frames = -(-features.shape[1] // 2)
        return self.weigh(features, log_probs(self.reader, fitted(mouths, frames)), rules)

    def weigh(self, features: torch.Tensor, seen: np.ndarray, rules: str = "grid") -> Transcripts:
        """From features (1, n, channels) and the lip reader's log probabilities (frames, units)."""
        with torch.inference_mode():
            inner, heard = self.model.hear(features)
            frames = min(heard.shape[1], len(seen))
            eyes = torch.from_numpy(seen[None, :frames]).to(heard)
            both, powers = self.model.fuse(inner[:, :frames], heard[:, :frames], eyes)
        ears = float((powers[..., 0] / powers.sum(-1)).mean())
        own, lips = self.model.config, self.reader.config
        scores = heard[0].cpu().numpy(), seen, both[0].cpu().numpy()
        found = (read_scores(s, c, rules) for s, c in zip(scores, (own, lips, own), strict=True))
        return Transcripts(*found, ears)


def fitted(mouths: np.ndarray, frames: int) -> np.ndarray:
    """Pictures cut to `frames`, or the last one held. Raises ValueError when there are none."""
    if not len(mouths):
        raise ValueError("there are no pictures of a mouth")
    return mouths[np.minimum(np.arange(frames), len(mouths) - 1)]


def frames_of(seconds: float) -> int:
    """Pictures that belong to so much sound."""
    return max(1, round(seconds * FPS))


def _debug(encoder: SpeechEncoder) -> Recogniser:
    """Tiny models with fixed random weights, for tests."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        reader = LipReader(LipReaderConfig(channels=(4, 4, 4, 4), width=8, blocks=1))
        model = AVSR(AVSRConfig(channels=encoder.config.channels, width=8, blocks=1))
    return Recogniser(encoder, reader.eval(), model.eval())
