"""Which corpora a run draws from, and their splits."""

from dataclasses import dataclass
from pathlib import Path

from training.data.corpora import grid_split
from training.data.packs import Example, rigged, spoken, tracked

HELD_OUT_TAKES = {"3_15": "validation"}  # of facegood


@dataclass(frozen=True)
class Source:
    """One pack of one corpus.

    corpus, copy: name the pack `features/CORPUS.COPY.npz`. kind: "tracked", "rigged" or "spoken".
    style: name of the speaking style it teaches. share: of the crops, relative to the others.
    amplitude: of spoken sources, how far the mouth goes (1 = as the tracked man).
    """

    corpus: str
    kind: str
    style: str
    share: float
    copy: int = 0
    amplitude: float = 1.0


def load_sources(
    wanted: tuple[dict, ...], styles: tuple[str, ...], cache: Path, data: Path, split: str
) -> list[tuple[Source, list[Example]]]:
    """Examples of every source in a split; for validation only the clean copies count."""
    out = []
    for row in wanted:
        source = Source(**row)
        if split != "train" and source.copy:
            continue
        examples = _load(source, styles.index(source.style), cache, data, split)
        if examples:
            out.append((source, examples))
    return out


def _load(source: Source, style: int, cache: Path, data: Path, split: str) -> list[Example]:
    pack = cache / "features" / f"{source.corpus}.{source.copy}.npz"
    if source.kind == "tracked":
        targets = cache / "targets" / f"{source.corpus}.npz"
        return tracked(targets, pack, lambda i: grid_split(i) == split, style)
    if source.kind == "rigged":
        return rigged(
            data / source.corpus, pack,
            lambda take: HELD_OUT_TAKES.get(take, "train") == split, style,
        )  # fmt: skip
    if source.kind == "spoken":
        from training.data.coarticulation import Coarticulation

        model = Coarticulation.load(cache / "targets" / "coarticulation.npz")
        align = cache / "align" / f"{source.corpus}.npz"
        return spoken(align, pack, model, lambda s: s == split, style, source.amplitude)
    raise ValueError(f"unknown kind of source {source.kind!r}; known: tracked, rigged, spoken")
