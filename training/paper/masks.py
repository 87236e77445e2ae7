"""The published lists of lip and upper-face vertices, over which LVE and FDD are taken."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.paper.layout import DatasetError, Layout, MaskSource
from training.paper.pickles import read_pickle

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mask:
    """ids: (n,) vertices in ascending order, each once; name: of file and size, for tables."""

    ids: np.ndarray
    name: str


def read_mask(folder: Path, layout: Layout, source: MaskSource) -> Mask:
    """The first of the source's files that is there.

    A list of another length than published is taken, and said so: such figures cannot be held
    against the paper's.  Raises DatasetError when none is there or it is no list of vertices.
    """
    path = next((p for f in source.files if (p := Path(folder) / f).exists()), None)
    if path is None:
        raise DatasetError(f"{source.files[0]} is missing in {folder}: {source.origin}")
    listed = _from_pickle(path) if path.suffix == ".pkl" else _from_text(path)
    ids = np.unique(listed)
    if not len(ids) or ids[0] < 0 or ids[-1] >= layout.vertices:
        span = f"{ids[0]} to {ids[-1]}" if len(ids) else "none"
        raise DatasetError(
            f"{path.name} lists vertices {span}; 0 to {layout.vertices - 1} are expected."
        )
    name = f"{len(ids):,} vertices of {path.name}"
    if len(listed) != source.entries:
        name += f", NOT the published {source.entries:,}"
        log.warning("%s lists %d vertices, the published list has %d: figures cannot be held "
                    "against the paper's.", path.name, len(listed), source.entries)  # fmt: skip
    return Mask(ids, name)


def _from_text(path: Path) -> np.ndarray:
    """Whole numbers with commas or white space between them."""
    words = [w for w in re.split(r"[\s,;\[\]]+", path.read_text(encoding="utf-8")) if w]
    try:
        return np.array([int(word) for word in words], np.int64)
    except ValueError:
        raise DatasetError(
            f"{path.name} holds something else than whole numbers; a list of vertices is expected."
        ) from None


def _from_pickle(path: Path) -> np.ndarray:
    masks = read_pickle(path)
    if not isinstance(masks, dict) or "lips" not in masks:
        raise DatasetError(f'{path.name} has no entry "lips"; FLAME\'s vertex masks are expected.')
    return np.asarray(masks["lips"]).reshape(-1).astype(np.int64)
