"""Trains the recogniser that hears and sees: its audio branch, and the gate between ears and eyes.

    python -m training.avsr_data --data data --cache CACHE \
        --reader assets/weights/lipreader
    python -m training.train_avsr --cache CACHE --out runs/avsr --steps 900

The audio branch learns from GRID under noise and, so that it knows more than one man's voice, from
LibriSpeech's augmented features; frames' phones and CTC, as in the lip reader.  In the same steps
the gate learns, on clips that neither branch learned from, to weigh what the audio branch hears
against what the lip reader sees in photos or renders; it does not move the branches.
"""

import argparse
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from l2t.models.avsr import AVSR, AVSRConfig
from l2t.models.lipreader import FPS, UNITS
from training.avsr_data import FEATURES, load_rows
from training.data.align import load_alignments
from training.data.corpora import speaker_split
from training.data.mouths import load_mouths
from training.data.packs import read_pack
from training.files import save_module
from training.lip_errors import clip_errors
from training.lipreader_data import UNKNOWN, Sentence, load_sentences, units_at, units_between
from training.loop import Loop, LoopConfig
from training.train_lipreader import frame_loss, with_priors

log = logging.getLogger(__name__)
FRAMES = FEATURES // 2


@dataclass(frozen=True)
class Recipe:
    """grid, others, gate: windows of a step from each source.  ctc: weight beside the frames'
    loss.  smooth: share of all units in the targets.  blank: longest stretch of features (of
    150) that is hidden from the audio branch."""

    grid: int = 14
    others: int = 6
    gate: int = 12
    ctc: float = 0.3
    smooth: float = 0.05
    blank: int = 15


@dataclass(frozen=True)
class Part:
    """Windows of 3 s: features (n, 150, channels), units (batch, 75), CTC targets and lengths."""

    features: Tensor
    units: Tensor
    targets: Tensor
    lengths: Tensor


def part_of(windows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Part:
    """From (features, units, targets) of each window."""
    features, units, targets = zip(*windows, strict=True)
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(t) for t in targets], True)
    lengths = torch.tensor([len(t) for t in targets])
    stacked = torch.from_numpy(np.stack(features).astype(np.float32))
    return Part(stacked, torch.from_numpy(np.stack(units)), padded, lengths)


def window(features: np.ndarray, sentence: Sentence, first: float, speed: float = 1.0):
    """3 s of features (n, channels) from `first` s on, and what is said there; beyond: UNKNOWN.

    speed: the sentence's times over those of the features.
    """
    at = int(first * 50) + np.arange(FEATURES)
    cut = features[np.clip(at, 0, len(features) - 1)]
    times = (int(first * 50) / 50 + (np.arange(FRAMES) + 0.5) / FPS) * speed
    units = units_at(sentence, times)
    units[at[::2] >= len(features)] = UNKNOWN
    return cut, units, units_between(sentence, times[0], times[-1])


class Draws:
    """Draws windows of every source."""

    def __init__(self, cache: Path, recipe: Recipe):
        names, _ = load_mouths(cache, "grid_s1")
        align = cache / "align"
        known = {s.name: s for split in ("train", "validation")
                 for s in load_sentences(align / "grid_s1.npz", names, split)}  # fmt: skip
        self.recipe, self.sentences = recipe, known
        self.rows = {kind: load_rows(cache / "avsr" / kind) for kind in ("train", "gate")}
        with np.load(cache / "avsr" / "seen.npz", allow_pickle=False) as file:
            self.at = {name: i for i, name in enumerate(file["names"].tolist())}
            self.seen = [file["photo"], file["render"]]
        self.others = _others(align / "librispeech.npz", cache / "features" / "librispeech.1.npz")

    def heard(self, rng: np.random.Generator) -> Part:
        """What the audio branch learns from: GRID under noise, and other voices."""
        rows, packed = self.rows["train"]
        picked = rng.integers(len(rows), size=self.recipe.grid)
        windows = [window(packed[i], self.sentences[rows[i][0]], 0.0) for i in picked]
        count = self.recipe.others if self.others else 0
        for i in rng.integers(max(1, len(self.others)), size=count):
            sentence, features, speed = self.others[i]
            first = rng.uniform(0, max(0.0, len(features) / 50 - 3))
            windows.append(window(features, sentence, first, speed))
        part = part_of(windows)
        for clip in part.features:
            length = int(rng.integers(self.recipe.blank + 1))
            first = int(rng.integers(FEATURES - length))
            clip[first : first + length] = 0
        return part

    def both(self, rng: np.random.Generator) -> tuple[Part, Tensor]:
        """What the gate learns from: (sound, log probabilities of the lip reader)."""
        rows, packed = self.rows["gate"]
        picked = rng.integers(len(rows), size=self.recipe.gate)
        part = part_of([window(packed[i], self.sentences[rows[i][0]], 0.0) for i in picked])
        seen = [self.seen[rng.integers(2)][self.at[rows[i][0]]] for i in picked]
        return part, torch.from_numpy(np.stack(seen))


def _others(align: Path, pack: Path) -> list[tuple[Sentence, np.ndarray, float]]:
    """Training speakers' aligned utterances: (sentence, features, speed); none without files."""
    if not (align.exists() and pack.exists()):
        return []
    packed, out = read_pack(pack), []
    for one in load_alignments(align):
        if speaker_split(one.speaker) == "train" and one.id in packed:
            units = np.array([UNITS.index(p) for p in one.phones])
            out.append((Sentence(one.id, 0, units, one.starts, one.ends), *packed[one.id]))
    return out


def losses(model, draws: Draws, rng: np.random.Generator) -> dict[str, Tensor]:
    """Terms of one step; "total" is what is minimised."""
    recipe = draws.recipe
    part = draws.heard(rng)
    heard, _ = model(part.features)
    terms = {"frame": frame_loss(heard, part.units, recipe.smooth), "ctc": _ctc(heard, part)}
    known = part.units != UNKNOWN
    terms["right"] = (heard.argmax(-1) == part.units)[known].float().mean()
    part, seen = draws.both(rng)
    with torch.no_grad():
        inner, heard = model.hear(part.features)
    both, powers = model.fuse(inner, heard, seen)
    terms["both"] = frame_loss(both, part.units, recipe.smooth)
    terms["ears"] = (powers[..., 0] / powers.sum(-1)).mean()
    total = terms["frame"] + terms["both"] + recipe.ctc * (terms["ctc"] + _ctc(both, part))
    return terms | {"total": total}


def _ctc(scores: Tensor, part: Part) -> Tensor:
    frames = torch.full((len(scores),), scores.shape[1])
    return F.ctc_loss(scores.transpose(0, 1), part.targets, frames, part.lengths,
                      blank=UNITS.index("blank"), zero_infinity=True)  # fmt: skip


@torch.inference_mode()
def validation(model: AVSR, draws: Draws, rows, packed) -> dict[str, float]:
    """Word errors under the grammar on noisy validation clips, by sound and by both."""
    errors: dict[str, list[float]] = {"audio": [], "photo": [], "render": []}
    for (name, *_), features in zip(rows, packed, strict=True):
        sound = torch.from_numpy(features[None].astype(np.float32))
        seen = [torch.from_numpy(s[draws.at[name]][None]) for s in draws.seen]
        scores = [model(sound)[0], *(model(sound, one)[1] for one in seen)]
        for key, found in zip(errors, scores, strict=True):
            wrong = clip_errors(found[0].numpy(), model.config, name, ("grid",))
            errors[key].append(wrong["grid"])
    out = {key: float(np.mean(values)) for key, values in errors.items()}
    return out | {"score": -sum(out.values()) / 3}


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Trains the audio-visual recogniser.")
    parser.add_argument("--cache", type=Path, required=True, help="folder with avsr/, align/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--check-every", type=int, default=300)
    parser.add_argument("--every", type=int, default=3, help="check one in so many rows")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = LoopConfig(options.seed, options.steps, rate=2e-3, warm=50, average=0.985,
                        check_every=options.check_every)  # fmt: skip
    recipe = Recipe()
    draws = Draws(options.cache, recipe)
    rows, packed = load_rows(options.cache / "avsr" / "validation")
    rows, packed = rows[:: options.every], packed[:: options.every]
    loop = Loop(options.out, config, options.resume)
    model = AVSR(replace(AVSRConfig(), channels=packed.shape[-1]))
    drawn = np.random.default_rng(0)
    units = torch.cat([draws.heard(drawn).units.flatten() for _ in range(8)])
    model = with_priors(model, units[units != UNKNOWN])

    def save(trained: AVSR, folder: Path) -> None:
        save_module(trained, folder, "avsr")
        text = asdict(trained.config) | {"notes": asdict(config) | asdict(recipe)}
        path = folder / "avsr.json"
        path.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")

    best = loop.run(
        model, lambda trained, _: losses(trained, draws, loop.rng),
        check=lambda trained: validation(trained, draws, rows, packed), save=save,
    )  # fmt: skip
    log.info("kept: %s", " ".join(f"{k} {v:.4g}" for k, v in best.items()))


if __name__ == "__main__":
    main()
