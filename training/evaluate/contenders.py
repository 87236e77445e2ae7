"""Who is compared: variants of the student, baselines, and how each makes a motion."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from l2t.animate import mouth_weights
from l2t.errors import WeightsError
from l2t.models.loading import Models, build_student, load_student
from l2t.variants import DEFAULT, variants_of
from l2t.weights import Weights
from training.baseline_motions import EnergyMouth, MeanMouth, Retrieval
from training.evaluate.clips import Clip
from training.files import load_parts


@dataclass(frozen=True)
class Contender:
    """name: short and unique; title: in the tables; make: a clip's motion, (frames, 52)."""

    name: str
    title: str
    make: Callable[[Clip], np.ndarray]


class Once:
    """An encoder that remembers what it has heard: every variant listens to the same sound."""

    def __init__(self, encoder):
        self.encoder, self.config = encoder, encoder.config
        self._heard: dict[bytes, torch.Tensor] = {}

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        key = hashlib.blake2b(samples.numpy().tobytes()).digest()
        if key not in self._heard:
            self._heard[key] = self.encoder(samples)
        return self._heard[key]


def of_student(name: str, title: str, models: Models, style: str | None) -> Contender:
    """A student behind the whole product path: loudness, windows, silence gate."""
    styles = models.student.config.styles
    number = styles.index(style) if style else 0
    return Contender(name, title, lambda clip: mouth_weights(models, clip.samples, number))


def variants(
    weights: Weights, models: Models, roles: list[str] | None, style: str | None
) -> list[Contender]:
    """Students in these weights, all or those of the given roles. Raises WeightsError."""
    there = variants_of(weights)
    unknown = sorted(set(roles or ()) - {v.role for v in there})
    if unknown:
        raise WeightsError(
            f"These weights hold no {unknown[0]!r}; they hold {', '.join(v.role for v in there)}."
        )
    out = []
    for variant in there:
        if roles and variant.role not in roles:
            continue
        student = models.student
        if variant.role != DEFAULT.role:
            student = load_student(weights, variant.role, torch.device("cpu"))
        out.append(of_student(variant.name, variant.title, replace(models, student=student), style))
    return out


def from_runs(
    folders: list[Path], models: Models, style: str | None, taken: Collection[str]
) -> list[Contender]:
    """The student that each training run left in its folder, under the folder's title.

    Its name is that of its role, student_sync's "sync", as long as that is free.
    """
    out, taken = [], set(taken)
    for folder in folders:
        found = sorted(folder.glob("student*.safetensors"))
        if len(found) != 1:
            raise WeightsError(
                f"The folder {folder.name!r} holds {len(found)} files student*.safetensors; one "
                "is needed."
            )
        config, tensors = load_parts(folder, found[0].stem)
        student = build_student(config)
        student.load_state_dict(tensors)
        name = found[0].stem.removeprefix("student").removeprefix("_")
        name = name if name and name not in taken else folder.name
        taken.add(name)
        made = replace(models, student=student.eval())
        out.append(of_student(name, folder.name, made, style))
    return out


def baselines(cache: Path, encoder, train: list[Clip]) -> list[Contender]:
    """Baselines that need no training loop. train: clips of grid_s1's training split."""
    arkit = [c.arkit for c in train]
    mean, energy = MeanMouth.fit(arkit), EnergyMouth.fit([c.samples for c in train], arkit)
    near = Retrieval.fit(cache / "features" / "grid_s1.0.npz", cache / "targets" / "grid_s1.npz",
                         every=2)  # fmt: skip

    def retrieve(clip: Clip) -> np.ndarray:
        features = encoder(torch.from_numpy(clip.samples)[None])[0]
        return near.motion(features.numpy(), len(clip.samples))

    return [
        Contender("retrieval", "Nearest neighbour", retrieve),
        Contender("energy", "Audio energy", lambda clip: energy.motion(clip.samples)),
        Contender("mean", "Mean motion", lambda clip: mean.motion(len(clip.samples))),
        Contender("still", "Frozen mouth", lambda clip: mean.still(len(clip.samples))),
    ]
