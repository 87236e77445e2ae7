"""The recordings a visitor can try without a microphone, with their credits."""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """One recording with an open licence. `text` is empty where it is not known."""

    path: Path
    language: str
    seconds: float
    text: str
    credit: str
    licence: str

    @property
    def label(self) -> str:
        """What its button says."""
        return f"{self.language}, {self.seconds:.0f} s"

    @property
    def caption(self) -> str:
        """What is said, by whom, under which licence."""
        said = f"“{self.text}” " if self.text else ""
        return f"{said}{self.credit}, {self.licence}."


def load_examples(folder: Path = FOLDER) -> list[Example]:
    """The examples listed in examples.json whose files are there; an empty list without them."""
    listing = folder / "examples.json"
    if not listing.is_file():
        return []
    rows = json.loads(listing.read_text(encoding="utf-8"))
    found = [Example(folder / row.pop("file"), **row) for row in rows]
    return [example for example in found if example.path.is_file()]
