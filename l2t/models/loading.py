"""From chosen weights to models on a device."""

from dataclasses import dataclass

import torch

from l2t.errors import WeightsError
from l2t.models.encoder import EncoderConfig, SpeechEncoder
from l2t.models.regressor import Regressor, RegressorConfig
from l2t.models.syncnet3d import SyncConfig, SyncNet3D
from l2t.weights import Weights, load_tensors

DEBUG_SEED = 7
DEBUG_STYLES = ("natural", "clear")


@dataclass(frozen=True)
class Models:
    """encoder -> student makes motion, expert judges it; all in evaluation mode on one device."""

    encoder: SpeechEncoder
    student: Regressor
    expert: SyncNet3D


def load_models(weights: Weights, device: torch.device) -> Models:
    """The three models of `weights`. Raises WeightsError when files and models do not fit."""
    if weights.source == "debug":
        return _placed(*_debug_models(), device)
    try:
        config, tensors = load_tensors(weights, "encoder")
        encoder = SpeechEncoder(EncoderConfig(**config))
        encoder.load_state_dict(tensors)
        config, tensors = load_tensors(weights, "student")
        student = Regressor(RegressorConfig(**config))
        student.load_state_dict(tensors)
        config, tensors = load_tensors(weights, "syncnet3d")
        expert = SyncNet3D(SyncConfig.from_dict(config))
        expert.load_state_dict(tensors)
    except (RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(
            f"The weights do not fit this version's models ({_first_line(error)})."
        ) from error
    if encoder.config.channels != student.config.channels:
        raise WeightsError(
            f"The student expects {student.config.channels} feature channels, "
            f"the encoder gives {encoder.config.channels}."
        )
    return _placed(encoder, student, expert, device)


def _debug_models() -> tuple[SpeechEncoder, Regressor, SyncNet3D]:
    """Tiny models with fixed random weights: the whole way in no time, for tests."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(DEBUG_SEED)
        encoder = SpeechEncoder(EncoderConfig(layers=1, width=16, heads=2, ffn=32, taps=(1,)))
        student = Regressor(
            RegressorConfig(channels=16, width=16, heads=2, layers=1, ffn=32, styles=DEBUG_STYLES)
        )
        torch.nn.init.normal_(student.head.weight, std=0.3)  # else the face would not move
        expert = SyncNet3D(SyncConfig(channels=4, width=16, motion_width=16, size=8))
        torch.nn.init.normal_(expert.motion.directions, std=20.0)
    return encoder, student, expert


def _placed(encoder, student, expert, device: torch.device) -> Models:
    return Models(*(model.to(device).eval() for model in (encoder, student, expert)))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120].rstrip(".")
