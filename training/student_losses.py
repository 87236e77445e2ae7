"""All losses of the student in one place: reconstruction, sync, lipread."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training.guides import Pack, Shelf
from training.losses.balance import weighed
from training.losses.lipread import LipreadLoss
from training.losses.reconstruction import ReconstructionLoss, ReconstructionWeights
from training.losses.sync import SyncLoss
from training.student_batches import Batch


@dataclass(frozen=True)
class Extra:
    """One of the two extra losses.

    weight: factor of the loss; with `balanced`, share of the reconstruction's pull on the motion.
    after: steps before it is switched on. packs: corpus -> its pack. expert: the frozen network.
    Both are paths in the cache, without ending.
    form: of the sync loss. clips, frames: of the lipread loss, rendered a step.
    styles: that follow the teacher.
    """

    weight: float
    expert: str
    packs: dict[str, str]
    after: int = 0
    balanced: bool = True
    form: str = "contrast"
    clips: int = 3
    frames: int = 32
    styles: tuple[str, ...] = ("natural",)


def load_shelf(extras: dict[str, Extra], cache: Path) -> Shelf | None:
    """Packs of the losses that are in use."""
    packs = {
        name: {corpus: Pack(cache / f"{path}.npz") for corpus, path in extra.packs.items()}
        for name, extra in extras.items()
    }
    if not packs:
        return None
    styles = extras["lipread"].styles if "lipread" in extras else ()
    return Shelf(packs.get("sync", {}), packs.get("lipread", {}), styles)


class StudentLosses(nn.Module):
    """The terms of one batch and their `total`."""

    def __init__(self, template, reconstruction: dict, extras: dict[str, Extra], cache: Path):
        super().__init__()
        self.reconstruction = ReconstructionLoss(template, ReconstructionWeights(**reconstruction))
        self.extras = extras
        self.norms: dict[str, float] = {}
        if "sync" in extras:
            from training.train_syncnet import load_expert

            expert = load_expert(cache / extras["sync"].expert)
            self.sync = SyncLoss(expert, template, extras["sync"].form)
        if "lipread" in extras:
            self.lipread = _lipread(extras["lipread"], template, cache)

    def forward(self, made: Tensor, batch: Batch, number: int, rng) -> dict[str, Tensor]:
        """made (batch, frames, 52), number: of the step, rng: numpy Generator."""
        terms = self.reconstruction(made, batch.arkit, batch.valid)
        on = {k: e for k, e in self.extras.items() if number >= e.after}
        for name in on:
            terms[name] = self._extra(name, made, batch, rng)
        pulls = {k: (terms[k], e.weight) for k, e in on.items() if e.balanced}
        added = [e.weight * terms[k] for k, e in on.items() if not e.balanced]
        plain = terms["total"] + sum(added)
        terms["total"] = weighed(made, plain, pulls, self.norms) if pulls else plain
        for name in self.extras:
            terms.setdefault(name, torch.zeros(()))
        return terms

    def _extra(self, name: str, made: Tensor, batch: Batch, rng) -> Tensor:
        if name == "sync":
            return self.sync(made, batch.heard)
        return self.lipread(made, batch.read, rng)

    def state_dict(self, *args, **kwargs) -> dict:
        """Only what changes: the running norms. Everything else is frozen."""
        return {"norms": dict(self.norms)}

    def load_state_dict(self, state: dict, *args, **kwargs) -> None:
        self.norms = dict(state["norms"])


def _lipread(extra: Extra, template, cache: Path) -> LipreadLoss:
    from l2t.models.lipreader import reader_from
    from l2t.softrender import MouthRenderer
    from training.files import load_parts

    path = cache / extra.expert
    reader = reader_from(*load_parts(path.parent, path.name))
    return LipreadLoss(MouthRenderer(template), reader, extra.clips, extra.frames)
