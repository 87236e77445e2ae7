"""Prints what SyncNet3D reaches on faces it has not seen, beside the controls it must order.

    python -m training.evaluate_sync --data data --cache CACHE \
        [--expert assets/weights/syncnet3d] [--split test|validation]

Offsets: the mouth of each 3 s clip is moved by -10 .. 10 frames (ends held) and the offset found
must be within one frame of that; "moves with the shift" compares with the offset found at shift 0
instead, so it does not count how late a clip is in the corpus.  AUC: LSE-C of each clip with its
own sound against LSE-C of its mouth with the sound of every other clip of the set.  No clip is left
out.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.loudness import normalise
from l2t.metrics import bootstrap_interval
from l2t.models.syncnet3d import SyncNet3D, mouth_basis
from l2t.sync import SyncReport, report, shift_distances, vectors
from l2t.voice import speech_mask
from training.sync_data import Clip
from training.sync_sources import facegood_clips, grid_clips, pieces, spoken_clips
from training.train_syncnet import load_expert

SHIFTS = range(-10, 11)


@dataclass(frozen=True)
class Pair:
    """One clip as the expert sees it: samples (n,), displacement (frames, points, 3), voiced."""

    samples: np.ndarray
    displacement: torch.Tensor
    voiced: np.ndarray


def prepared(clips: list[Clip], basis: torch.Tensor) -> list[Pair]:
    """Loudness as in the product, vertices as on the template."""
    out = []
    for clip in clips:
        samples = normalise(clip.samples.astype(np.float32) / 32768.0)
        moved = torch.einsum("fk,kpd->fpd", torch.from_numpy(clip.arkit), basis)
        out.append(Pair(samples, moved, speech_mask(samples, 30.0, len(moved))))
    return out


def clip_sets(data: Path, cache: Path, split: str) -> dict[str, list[Clip]]:
    """What is measured, 3 s clips by name: "test" for reporting, "validation" for choosing.

    LibriSpeech has no faces: its mouths come from the coarticulation model, so it tells how far
    the expert follows unseen voices, not real lips.
    """
    targets = cache / "targets"
    sets = {"grid_s1": grid_clips(data, targets, "grid_s1", split)}
    if split == "test":
        sets["grid_s26, unseen speaker"] = grid_clips(data, targets, "grid_s26", split)
    else:
        sets["facegood, unseen takes"] = pieces(facegood_clips(data, split))
    spoken = pieces(spoken_clips(data, cache, "librispeech", split))
    return sets | {"librispeech, unseen speakers, animated": spoken[::2]}


def delayed(motion: torch.Tensor, frames: int) -> torch.Tensor:
    """The same motion `frames` later (earlier when negative), ends held."""
    at = (torch.arange(len(motion)) - frames).clamp(0, len(motion) - 1)
    return motion[at]


def controls(motion: torch.Tensor, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Mouths that a sync score must put in order, best first; each like `motion`."""
    late = {f"shifted by {k}": delayed(motion, k) for k in (1, 2, 3, 5)}
    size = float(motion.std(0).square().sum(-1).mean().sqrt())
    shake = torch.from_numpy(rng.normal(0, 0.7 * size, motion.shape).astype(np.float32))
    return {
        "aligned": motion, **late, "half amplitude": motion * 0.5, "jitter": motion + shake,
        "frozen": motion[len(motion) // 2 :][:1].expand_as(motion),
    }  # fmt: skip


def see(expert: SyncNet3D, motion: torch.Tensor) -> np.ndarray:
    """Mouth vectors (frames, size)."""
    with torch.inference_mode():
        return expert.see(motion[None])[0].numpy()


def judged(expert: SyncNet3D, mouth: np.ndarray, sound: np.ndarray, pair: Pair) -> SyncReport:
    """The report of a mouth against a sound of about the same length."""
    n = min(len(mouth), len(sound))
    table = shift_distances(mouth[:n], sound[:n])
    return report(table, pair.voiced[:n], True, expert.config.calibration)


def auc(positive: list[float], negative: list[float]) -> float:
    """Probability that a positive exceeds a negative, ties count half."""
    p, n = np.asarray(positive)[:, None], np.asarray(negative)[None, :]
    return float((p > n).mean() + 0.5 * (p == n).mean())


def evaluate(expert: SyncNet3D, clips: list[Pair]) -> dict:
    """Figures of one set: offsets (share right per clip), AUC, and each control's means."""
    embedded = [vectors(expert, c.samples, c.displacement) for c in clips]
    right, follows, own, rows, wrong = [], [], [], {}, []
    for i, (clip, (sound, mouth)) in enumerate(zip(clips, embedded, strict=True)):
        found = [judged(expert, see(expert, delayed(clip.displacement, k)), sound, clip)
                 for k in SHIFTS]  # fmt: skip
        late = np.array([r.offset_frames for r in found]) - np.array(SHIFTS)
        right.append(np.mean(np.abs(late) <= 1))
        follows.append(np.mean(np.abs(late - late[SHIFTS.index(0)]) <= 1))
        own.append(found[SHIFTS.index(0)].lse_c)
        for name, motion in controls(clip.displacement, np.random.default_rng(i)).items():
            rows.setdefault(name, []).append(judged(expert, see(expert, motion), sound, clip))
        for j, other in enumerate(embedded):
            if j != i:
                wrong.append(judged(expert, mouth, other[0], clips[j]))
    return {
        "offset": right, "follows": follows, "auc": auc(own, [r.lse_c for r in wrong]),
        "controls": {name: _means(r) for name, r in (rows | {"swapped": wrong}).items()},
    }  # fmt: skip


def _means(reports: list[SyncReport]) -> tuple[float, float, float, float]:
    """Mean LSE-D, LSE-C, |offset| and confidence as played."""
    played = [np.nanmean(r.confidence) for r in reports]
    offsets = [abs(r.offset_frames) for r in reports]
    return tuple(
        float(np.mean(v))
        for v in ([r.lse_d for r in reports], [r.lse_c for r in reports], offsets, played)
    )


def show(title: str, clips: int, found: dict) -> None:
    """Print one set."""
    print(f"\n{title}: {clips} clips")
    for key, name in (("offset", "offset within one frame"), ("follows", "moves with the shift")):
        mean, low, high = bootstrap_interval(found[key])
        print(f"  {name:25s} {mean:7.2%}   (95 % interval {low:.2%} .. {high:.2%})")
    print(f"  AUC of LSE-C, own/swapped {found['auc']:7.4f}")
    print("  mouth             LSE-D   LSE-C  |offset|  confidence as played")
    for name, values in found["controls"].items():
        print("  {:16s} {:6.2f}  {:6.2f}  {:8.1f}  {:8.3f}".format(name, *values))


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="What the sync expert reaches.")
    parser.add_argument("--data", type=Path, required=True, help="folder with grid_s1/, grid_s26/")
    parser.add_argument("--cache", type=Path, required=True, help="folder with targets/")
    parser.add_argument("--expert", type=Path, default=Path("assets/weights/syncnet3d"))
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    expert, basis = load_expert(options.expert), mouth_basis(FaceTemplate.load())
    for name, clips in clip_sets(options.data, options.cache, options.split).items():
        found = evaluate(expert, prepared(clips, basis))
        show(f"{name} {options.split}", len(clips), found)


if __name__ == "__main__":
    main()
