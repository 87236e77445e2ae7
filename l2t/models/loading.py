"""From chosen weights to models on a device."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import nn

from l2t.errors import WeightsError
from l2t.manifest import read_manifest
from l2t.models.encoder import EncoderConfig, SpeechEncoder
from l2t.models.limits import check_fields
from l2t.models.posevae import PoseConfig, PoseVAE
from l2t.models.regressor import Regressor, RegressorConfig
from l2t.models.rehearsal import check_models, check_student
from l2t.models.syncnet3d import SyncConfig, SyncNet3D
from l2t.models.trained import MISFITS, misfit, trained
from l2t.variants import DEBUG
from l2t.weights import Weights, load_tensors

log = logging.getLogger(__name__)
DEBUG_SEED = 7
DEBUG_STYLES = ("natural", "clear")
# "kind" in a student's configuration -> module, class, and class of the configuration. Every one
# is called as `model(features, frames, style)` and has `.config.channels` and `.config.styles`.
KINDS = {
    "regressor": ("l2t.models.regressor", "Regressor", "RegressorConfig"),
    "faceformer": ("l2t.models.faceformer", "FaceFormer", "FaceFormerConfig"),
}


@dataclass(frozen=True)
class Models:
    """encoder -> student makes motion, expert judges it; all in evaluation mode on one device.

    head: turns the head in step with the voice; None where the weights hold none.
    Raises WeightsError when student, head and encoder do not fit.
    """

    encoder: SpeechEncoder
    student: nn.Module
    expert: SyncNet3D
    head: PoseVAE | None = None

    def __post_init__(self):
        given, hearers = self.encoder.config.channels, {"student": self.student}
        if self.head is not None:
            hearers["head's model"] = self.head
        for name, model in hearers.items():
            if given != (expected := model.config.channels):
                raise WeightsError(
                    f"The {name} expects {expected} feature channels, the encoder gives {given}."
                )


def load_models(weights: Weights, device: torch.device) -> Models:
    """The models of `weights`. Raises WeightsError when files and models do not fit."""
    if weights.source == "debug":
        encoder, student, expert = _debug_models()
        head = _debug_head()
    else:
        encoder = load_encoder(weights)
        student = _loaded(weights, "student", build_student)
        expert = load_expert(weights)
        head = load_head(weights)
    made = [model.eval() for model in (encoder, student, expert, head) if model is not None]
    check_models(Models(*made))  # before a device comes into play, whose troubles are others
    return Models(*(model.to(device) for model in made))


def load_student(weights: Weights, role: str, device: torch.device) -> nn.Module:
    """One of the students alone, by its role in the manifest. Raises WeightsError."""
    if weights.source == "debug":
        student = _debug_models(DEBUG.index(role))[1]
    else:
        student = _loaded(weights, role, build_student)
    check_student(student, role)
    return student.to(device).eval()


def load_encoder(weights: Weights) -> SpeechEncoder:
    """The encoder alone, on the CPU. Raises WeightsError.

    One of another kind than "whisper" is itself fetched by name, so only an operator's own folder,
    never a file out of a Hub, may name one.
    """
    config, tensors = load_tensors(weights, "encoder")
    if config.get("kind", "whisper") == "whisper":
        return trained(lambda: _whisper(config), tensors, "encoder")
    if weights.source != "folder":
        raise misfit("encoder", f"its kind is {config['kind']!r} where whisper is needed")
    try:
        encoder = SpeechEncoder(EncoderConfig(**config))
        encoder.load_state_dict(tensors)
    except (*MISFITS, OSError) as error:
        log.warning("the encoder %s: %s", config.get("name"), error)
        raise misfit("encoder", "the model that it names does not load") from None
    return encoder


def load_expert(weights: Weights) -> SyncNet3D:
    """The sync expert alone, on the CPU. Raises WeightsError."""
    return _loaded(weights, "syncnet3d", lambda c: SyncNet3D(SyncConfig.from_dict(c)))


def load_head(weights: Weights) -> PoseVAE | None:
    """What turns the head, on the CPU; None where the weights hold none. Raises WeightsError."""
    if "posevae" not in read_manifest(weights.folder).roles:
        return None
    return _loaded(weights, "posevae", lambda c: PoseVAE(PoseConfig(**c)))


def build_student(config: Mapping) -> nn.Module:
    """An untrained student of the kind that its configuration names; none is a `Regressor`.

    "variant" in the configuration is for `l2t.variants`. Raises WeightsError for an unknown kind,
    TypeError or ValueError for values that the kind does not know.
    """
    kind = config.get("kind", "regressor")
    if kind not in KINDS:
        raise WeightsError(
            f"The weights hold a student of the kind {str(kind)[:40]!r}; "
            f"this version knows {', '.join(KINDS)}."
        )
    module, model, settings = KINDS[kind]
    home = import_module(module)
    values = {name: value for name, value in config.items() if name not in ("kind", "variant")}
    return getattr(home, model)(getattr(home, settings)(**values))


def _loaded(weights: Weights, role: str, build: Callable[[dict], nn.Module]) -> nn.Module:
    config, tensors = load_tensors(weights, role)
    return trained(lambda: build(config), tensors, role)


def _whisper(config: Mapping) -> SpeechEncoder:
    values = EncoderConfig(**config)
    check_fields(values, "encoder")  # transformers has errors of its own for what is of no use
    if not values.taps or not all(0 <= tap <= values.layers for tap in values.taps):
        raise misfit("encoder", f"its taps must be from 0 to {values.layers}")
    return SpeechEncoder(values)


def _debug_head() -> PoseVAE:
    """A tiny head of fixed random weights, for the encoder of `_debug_models`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(DEBUG_SEED)
        return PoseVAE(PoseConfig(12, channels=16, audio=4, latent=3, width=8, scale=(0.05,) * 3))


def _debug_models(number: int = 0) -> tuple[SpeechEncoder, Regressor, SyncNet3D]:
    """Tiny models with fixed random weights: the whole way in no time, for tests.

    number: of the variant in `DEBUG`, each with a student of its own.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(DEBUG_SEED + number)
        encoder = SpeechEncoder(EncoderConfig(layers=1, width=16, heads=2, ffn=32, taps=(1,)))
        student = Regressor(
            RegressorConfig(channels=16, width=16, heads=2, layers=1, ffn=32, styles=DEBUG_STYLES)
        )
        torch.nn.init.normal_(student.head.weight, std=0.3)  # else the face would not move
        expert = SyncNet3D(SyncConfig(channels=4, width=16, motion_width=16, size=8))
        torch.nn.init.normal_(expert.motion.directions, std=20.0)
    return encoder, student, expert
