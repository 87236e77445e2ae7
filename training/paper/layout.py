"""What a published dataset looks like: sizes, rates, splits, where a missing file comes from."""

from dataclasses import dataclass
from pathlib import Path

from l2t.errors import L2TError


class DatasetError(L2TError):
    """A folder lacks a file of the published dataset, or a file is not what was published."""


@dataclass(frozen=True)
class Split:
    """Whose sentences, and which: numbers from `first` to `last`, both included."""

    subjects: tuple[str, ...]
    first: int
    last: int

    def wanted(self) -> list[tuple[str, int]]:
        """(subject, sentence) of every clip that the split asks for."""
        return [(s, n) for s in self.subjects for n in range(self.first, self.last + 1)]


@dataclass(frozen=True)
class MaskSource:
    """A published list of vertices.

    files:   accepted places inside the dataset's folder, the first one found is read.
    entries: how many numbers the published list has (repeated ones included).
    origin:  end of the sentence "... is missing: ", where to get it.
    """

    files: tuple[str, ...]
    entries: int
    origin: str


@dataclass(frozen=True)
class Layout:
    """One dataset as it is published.

    vertices:   of the mesh. stored_fps: of the files; fps: of training and measuring.
    unit:       of the vertices, in words.
    train, validation, tests: the official splits; the training subjects are the styles.
    lips, upper: the masks of LVE and FDD (None: the paper gives no such figure).
    lve_scale, fdd_scale: what the published figures are multiplied by.
    origin:     where the dataset is asked for.
    """

    name: str
    title: str
    vertices: int
    stored_fps: float
    fps: float
    unit: str
    train: Split
    validation: Split
    tests: dict[str, Split]
    lips: MaskSource
    upper: MaskSource | None
    lve_scale: float
    fdd_scale: float
    origin: str

    @property
    def styles(self) -> tuple[str, ...]:
        return self.train.subjects

    @property
    def splits(self) -> dict[str, Split]:
        return {"train": self.train, "validation": self.validation} | self.tests

    def need(self, path: Path) -> Path:
        """`path` if it is there; else the sentence that says where to get it."""
        if not path.exists():
            raise DatasetError(f"{path.name} is missing in {path.parent}: {self.origin}")
        return path
