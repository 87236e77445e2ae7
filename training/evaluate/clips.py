"""The clips that are measured on, and what is known of each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.loudness import normalise
from training.data.align import load_alignments
from training.data.corpora import grid_split, load_audio, read_part

TRACKED_FPS = 25.0


@dataclass(frozen=True)
class Clip:
    """samples (n,) normalised; opening (frames at 25 fps) and arkit (frames, 52) where tracked,
    valid (frames,) False where the tracker lost the face; phones [(name, start s, end s)] where
    aligned; text: what is said."""

    name: str
    samples: np.ndarray
    opening: np.ndarray | None = None
    arkit: np.ndarray | None = None
    phones: tuple = ()
    valid: np.ndarray | None = None
    text: str = ""


def tracked_clips(
    data: Path, cache: Path, part: str, split: str, every: int = 1
) -> list[Clip]:
    """Clips of grid_s1's split, or all of grid_s26; of those every so many."""
    with np.load(cache / "targets" / f"{part}.npz", allow_pickle=False) as file:
        names, arkit, opening = file["names"].tolist(), file["arkit"], file["opening"]
        valid = file["valid"]
    at = {u.id: u for u in read_part(data, part)}
    aligned = cache / "align" / f"{part}.npz"
    phones = {a.id: _timed(a) for a in load_alignments(aligned)} if aligned.exists() else {}
    kept = [i for i in range(len(names)) if part == "grid_s26" or grid_split(i) == split]
    return [
        Clip(n := names[i], normalise(load_audio(at[n])), opening[i], arkit[i], phones.get(n, ()),
             valid[i], at[n].text)
        for i in kept[::every]
    ]  # fmt: skip


def spoken_clips(data: Path, cache: Path, part: str, split: str) -> list[Clip]:
    """Aligned utterances of speakers held out from training."""
    at = {u.id: u for u in read_part(data, part)}
    return [
        Clip(a.id, normalise(load_audio(at[a.id])), phones=_timed(a), text=at[a.id].text)
        for a in load_alignments(cache / "align" / f"{part}.npz")
        if a.split == split
    ]


def _timed(alignment) -> tuple:
    return tuple(zip(alignment.phones, alignment.starts.tolist(), alignment.ends.tolist(),
                     strict=True))  # fmt: skip


def evaluation_sets(data: Path, cache: Path, split: str) -> dict[str, list[Clip]]:
    """Label -> clips: grid_s1, the face that taught; grid_s26, an unseen face and voice, which is
    test only; librispeech, unseen voices without a face."""
    sets = {"grid_s1": tracked_clips(data, cache, "grid_s1", split)}
    if split == "test":
        sets["grid_s26"] = tracked_clips(data, cache, "grid_s26", split)
    sets["librispeech"] = spoken_clips(data, cache, "librispeech", split)
    return {label: clips for label, clips in sets.items() if clips}
