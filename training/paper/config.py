"""Everything that makes a run on a published dataset repeatable; training/configs/NAME.json."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from training.paper.biwi import BIWI, open_biwi
from training.paper.layout import DatasetError
from training.paper.vocaset import VOCASET, open_vocaset

DATASETS = {"vocaset": (VOCASET, open_vocaset), "biwi": (BIWI, open_biwi)}
CONFIGS = Path(__file__).resolve().parents[1] / "configs"
ENCODER = Path(__file__).resolve().parents[2] / "assets" / "weights"


@dataclass(frozen=True)
class PaperConfig:
    """components: of the basis, 0 = direct vertices (about 1 to 3 GB of memory more).

    batch, frames: crops a step of the student, frames a crop.
    velocity: weight of the velocity's error beside the vertices'.
    sync, lipread: weights of the sync loss and of the hook, in shares of the reconstruction's pull
        (0 = without). after: share of the steps from which they count.
    points: lip vertices that the sync experts see at most.
    model: of VertexConfig; student: of LoopConfig; expert_model: of SyncConfig; expert: of
        train_syncnet.TrainConfig.
    """

    components: int = 64
    batch: int = 16
    frames: int = 90
    velocity: float = 1.0
    sync: float = 0.3
    lipread: float = 0.0
    after: float = 0.3
    points: int = 256
    model: dict = field(default_factory=dict)
    student: dict = field(default_factory=dict)
    expert_model: dict = field(default_factory=dict)
    expert: dict = field(default_factory=dict)


def read_config(path: Path) -> PaperConfig:
    """Raises DatasetError on a name that no field has."""
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    known = [f.name for f in fields(PaperConfig)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise DatasetError(
            f"{Path(path).name} sets {', '.join(unknown)}; known are {', '.join(known)}."
        )
    return PaperConfig(**values)
