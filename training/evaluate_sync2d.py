"""Prints what SyncNet2D reaches on films it has not seen, beside the controls it must order.

    python -m training.evaluate_sync2d --data data --cache CACHE [--name syncnet2d]

Offsets: the mouth of each 3 s clip is moved by -10 .. 10 frames (ends held) and the lag found must
be within one frame of that; "moves with the shift" compares with the lag found at shift 0 instead,
so it does not count how late a clip is in the corpus. AUC: LSE-C of each clip with its own sound
against LSE-C of its mouth with the sound of every other clip of the set. All of grid_s26 and the
test clips of grid_s1.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from l2t.loudness import normalise
from l2t.metrics import bootstrap_interval
from l2t.voice import speech_mask
from training.evaluate_sync import SHIFTS, auc
from training.models.syncnet2d import FPS, SyncNet2D, load_expert2d
from training.mouth_sync import judge, mouth_sync, moves, vectors
from training.mouth_sync_data import Film, grid_films


def delayed(frames: np.ndarray, by: int) -> np.ndarray:
    """The same (frames, ...) `by` frames later (earlier when negative), ends held."""
    return frames[np.clip(np.arange(len(frames)) - by, 0, len(frames) - 1)]


def evaluate(expert: SyncNet2D, films: list[Film]) -> dict:
    """Share of shifts found per clip, AUC, and the scores of each control."""
    sounds = [film.samples / np.float32(32768) for film in films]
    pairs = [vectors(expert, s, f.mouths) for s, f in zip(sounds, films, strict=True)]
    voices = [speech_mask(normalise(s), FPS, len(f.mouths))
              for s, f in zip(sounds, films, strict=True)]  # fmt: skip
    found, follows, rows = [], [], {}
    for film, samples, (sound, mouth), voiced in zip(films, sounds, pairs, voices, strict=True):
        late = [judge(delayed(mouth, k), sound, voiced, moves(film.mouths)) for k in SHIFTS]
        lags = np.array([np.nan if r.lag is None else r.lag for r in late])
        lags -= np.array(SHIFTS)
        found.append(np.mean(np.abs(lags) <= 1))
        follows.append(np.mean(np.abs(lags - lags[SHIFTS.index(0)]) <= 1))
        for by in (0, 1, 2, 3, 5):
            rows.setdefault(f"shifted by {by}" if by else "aligned", []).append(
                (played(delayed(mouth, by), sound, voiced), late[SHIFTS.index(by)]))  # fmt: skip
        still = np.repeat(film.mouths[len(film.mouths) // 2][None], len(film.mouths), 0)
        rows.setdefault("frozen", []).append((0.0, mouth_sync(expert, still, samples)))
    wrong = []
    for i, (_, mouth) in enumerate(pairs):
        for j, (sound, _) in enumerate(pairs):
            if i != j:
                scores = judge(mouth, sound, voices[j], True)
                wrong.append((played(mouth, sound, voices[j]), scores))
    own = [r.lse_c for _, r in rows["aligned"]]
    return {"found": found, "follows": follows, "auc": auc(own, [r.lse_c for _, r in wrong]),
            "controls": rows | {"swapped": wrong}}  # fmt: skip


def played(mouth: np.ndarray, sound: np.ndarray, voiced: np.ndarray) -> float:
    """Mean distance as played, without looking for a better shift, over voiced frames."""
    return float(np.linalg.norm(mouth - sound, axis=1)[voiced].mean())


def show(title: str, found: dict) -> None:
    """Prints one set."""
    print(f"\n{title}: {len(found['found'])} clips")
    for key, text in (("found", "lag within one frame"), ("follows", "moves with the shift")):
        mean, low, high = bootstrap_interval(np.array(found[key]))
        print(f"  {text:22s} {mean:.2%} (95 % interval {low:.2%} .. {high:.2%})")
    print(f"  AUC of LSE-C           {found['auc']:.4f}")
    print("  mouth          distance as played  LSE-D   LSE-C  |lag|  confidence")
    for name, rows in found["controls"].items():
        lags = [abs(r.lag) for _, r in rows if r.lag is not None]
        values = (np.mean([p for p, _ in rows]), np.mean([r.lse_d for _, r in rows]),
                  np.mean([r.lse_c for _, r in rows]), np.mean(lags) if lags else np.nan,
                  np.mean([r.confidence for _, r in rows]))  # fmt: skip
        print("  {:14s} {:18.2f}  {:5.2f}  {:6.2f}  {:5.1f}  {:10.3f}".format(name, *values))


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="What the sync expert on films reaches.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/, experts/")
    parser.add_argument("--name", default="syncnet2d", help="weights in CACHE/experts")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    expert = load_expert2d(options.cache / "experts" / options.name)
    for part, title in (("grid_s1", f"grid_s1 {options.split}"), ("grid_s26", "grid_s26, unseen")):
        films = grid_films(options.data, options.cache, part, options.split)
        show(title, evaluate(expert, films))


if __name__ == "__main__":
    main()
