"""How well lips are read: errors on photos and renders, controls, and the gap between the two.

    python -m training.evaluate_lipreader --cache CACHE --weights assets/weights/lipreader \
        --split validation

CACHE holds mouths/ (of training.data.mouths and training.render_mouths).  Errors are means over
clips with 95 % bootstrap intervals.  grid, words: word error with the corpus' grammar and with its
51 words in any order; phone, viseme: errors of open phones, where no language model helps.  A
control must be as bad as chance: a frozen mouth, another clip's, the clip backwards.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.grid_grammar import chance_error
from l2t.lipreading import log_probs
from l2t.metrics import bootstrap_interval
from l2t.models.lipreader import LipReader
from training.data.corpora import grid_split
from training.data.mouths import load_mouths
from training.lip_errors import COLUMNS, clip_errors
from training.train_lipreader import load_reader

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """Clips of one kind: their names and pictures (clips, frames, 96, 96) uint8."""

    names: list[str]
    mouths: np.ndarray


def load_seen(cache: Path, part: str, split: str) -> Seen:
    """The clips of a split of a part; every clip of a part that is not grid_s1's."""
    names, mouths = load_mouths(cache, part)
    whole = part not in ("grid_s1", "grid_s1_render")
    rows = [i for i in range(len(names)) if whole or grid_split(i) == split]
    return Seen([names[i] for i in rows], mouths[rows])


def frozen(mouths: np.ndarray) -> np.ndarray:
    """The middle picture of each clip, held."""
    return np.repeat(mouths[:, [mouths.shape[1] // 2]], mouths.shape[1], axis=1)


CONTROLS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "frozen": frozen,
    # Half of all clips away: in the order of names, neighbours say the same command and colour.
    "other clip": lambda mouths: np.roll(mouths, len(mouths) // 2, axis=0),
    "backwards": lambda mouths: mouths[:, ::-1],
}


def errors_of(reader: LipReader, seen: Seen) -> dict[str, np.ndarray]:
    """Errors (clips,) by COLUMNS."""
    each = [
        clip_errors(log_probs(reader, mouth), reader.config, name)
        for name, mouth in zip(seen.names, seen.mouths, strict=True)
    ]
    return {column: np.array([e[column] for e in each]) for column in COLUMNS}


def features_of(reader: LipReader, mouths: np.ndarray) -> np.ndarray:
    """Features (clips, frames, width), each frame's of length 1."""
    with torch.inference_mode():
        found = [reader.features(torch.from_numpy(m[None]).float() / 255)[0] for m in mouths]
    return torch.nn.functional.normalize(torch.stack(found), dim=-1).numpy()


def domain_gap(photo: np.ndarray, render: np.ndarray, apart: int = 12) -> dict[str, float]:
    """Mean cosines of features (clips, frames, width) of photos and renders.

    same frame: of the pair.  other frame: `apart` frames away in the clip.  other clip: the same
    frame of the next clip.  found: share of photo frames whose nearest render in the same clip is
    at most one frame away.
    """
    nearest = np.einsum("ctw,csw->cts", photo, render).argmax(2)
    away = np.abs(nearest - np.arange(nearest.shape[1]))
    return {
        "same frame": float((photo * render).sum(-1).mean()),
        "other frame": float((photo[:, apart:] * render[:, :-apart]).sum(-1).mean()),
        "other clip": float((photo * np.roll(render, 1, 0)).sum(-1).mean()),
        "found": float((away <= 1).mean()),
    }


def row(name: str, errors: dict[str, np.ndarray]) -> str:
    """One line of the table: mean and interval of each column."""
    cells = ["{:.3f} ({:.3f}-{:.3f})".format(*bootstrap_interval(errors[c])) for c in COLUMNS]
    return f"| {name} | {len(errors['grid'])} | " + " | ".join(cells) + " |"


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Measures a lip reader.")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/")
    parser.add_argument("--weights", type=Path, required=True, help="path without ending")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    reader = load_reader(options.weights)
    parts = [p for p in ("grid_s1", "grid_s1_render", "grid_s26", "grid_s26_render")
             if (options.cache / "mouths" / f"{p}.json").exists()]  # fmt: skip
    seen = {part: load_seen(options.cache, part, options.split) for part in parts}
    log.info("| %s | clips | %s |", options.split, " | ".join(COLUMNS))
    log.info("|---|---|%s", "---|" * len(COLUMNS))
    for part, one in seen.items():
        log.info(row(part, errors_of(reader, one)))
    for part in (p for p in parts if p.startswith("grid_s1")):
        for name, spoil in CONTROLS.items():
            one = Seen(seen[part].names, spoil(seen[part].mouths))
            log.info(row(f"{part}, {name}", errors_of(reader, one)))
    log.info("chance, with the grammar: %.3f", chance_error())
    for part in (p for p in parts if f"{p}_render" in seen):
        gap = domain_gap(*(features_of(reader, seen[p].mouths) for p in (part, f"{part}_render")))
        log.info("cosine photo, render of %s: %s", part,
                 ", ".join(f"{k} {v:.3f}" for k, v in gap.items()))  # fmt: skip


if __name__ == "__main__":
    main()
