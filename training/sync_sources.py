"""Where SyncNet3D's pairs of sound and mouth come from, split so that nothing leaks.

Two experts are trained, one for the student's loss and one that only measures: each gets its own
half of the training clips (`half` 0 or 1), and both leave validation and test alone.
"""

from pathlib import Path

import numpy as np
import soundfile

from training.data.corpora import grid_split, load_audio, read_part
from training.data.facegood import rig_targets
from training.sync_data import RATE, Clip

# Faces of facegood's animators answer to the sound about this many frames later than GRID's real
# face: estimated from the offsets, mostly 0 and 1, that an expert trained on GRID alone found.
FACEGOOD_LAG = 0.65
FACEGOOD_TAKES = {"train": ("2_01", "2_02", "2_03", "2_04"), "validation": ("2_05", "3_15")}


def grid_clips(data: Path, targets: Path, part: str, split: str, half: int | None = None):
    """Clips of `grid_s1` or `grid_s26` with the weights fitted to the tracked lips, list of Clip.

    targets: folder with PART.npz of `training.data.targets`.  split: "train", "validation" or
    "test" (all of grid_s26 is test).  half: only every second clip of the split.
    """
    with np.load(targets / f"{part}.npz", allow_pickle=False) as file:
        names, arkit, valid = file["names"], file["arkit"].astype(np.float32), file["valid"]
    chosen = [i for i in range(len(names)) if part == "grid_s26" or grid_split(i) == split]
    return [
        Clip(sound_of(data / part / f"{names[i]}.opus"), arkit[i], valid[i], part, part)
        for i in halved(chosen, half)
    ]


def facegood_clips(data: Path, split: str, half: int | None = None) -> list[Clip]:
    """Rig curves of other voices (Mandarin), one Clip a take, moved onto GRID's sense of time."""
    folder, clips = data / "facegood", []
    for take in halved(FACEGOOD_TAKES[split], half):
        arkit = rig_targets(folder / f"{take}.npz", folder / "to_arkit.csv")
        at = np.arange(len(arkit))
        arkit = np.stack([np.interp(at + FACEGOOD_LAG, at, c) for c in arkit.T], 1)
        sound = sound_of(folder / f"{take}.flac")
        known = np.ones(len(arkit), bool)
        clips.append(Clip(sound, arkit.astype(np.float32), known, take, "facegood"))
    return clips


def spoken_clips(
    data: Path, cache: Path, part: str, split: str, half: int | None = None
) -> list[Clip]:
    """Speech without a face, moved by the coarticulation model: the breadth of voices.

    part: of `training.data.corpora`, aligned in cache/align.  Halves are by speaker.
    """
    from training.data.align import load_alignments
    from training.data.coarticulation import Coarticulation, coarticulate

    model = Coarticulation.load(cache / "targets" / "coarticulation.npz")
    aligned = [a for a in load_alignments(cache / "align" / f"{part}.npz") if a.split == split]
    speakers = set(halved(sorted({a.speaker for a in aligned}), half))
    said = {u.id: u for u in read_part(data, part)}
    clips = []
    for one in sorted((a for a in aligned if a.speaker in speakers), key=lambda a: a.id):
        sound = (load_audio(said[one.id]) * 32767).astype(np.int16)
        seconds = len(sound) / RATE
        arkit = coarticulate(one.phones, one.starts, one.ends, seconds, model).astype(np.float32)
        clips.append(Clip(sound, arkit, np.ones(len(arkit), bool), one.speaker, part))
    return clips


def pieces(clips: list[Clip], frames: int = 90) -> list[Clip]:
    """Long clips cut into clips of `frames`; what is left over at the end is dropped."""
    out = []
    for clip in clips:
        for start in range(0, len(clip.arkit) - frames + 1, frames):
            stop = start + frames
            sound = clip.samples[round(start / 30 * RATE) : round(stop / 30 * RATE)]
            out.append(Clip(sound, clip.arkit[start:stop], clip.valid[start:stop],
                            clip.speaker, clip.source))  # fmt: skip
    return out


def halved(items, half: int | None) -> list:
    """Every second item, starting at `half`; all of them when it is None."""
    return list(items) if half is None else list(items)[half::2]


def sound_of(path: Path) -> np.ndarray:
    """Samples (n,) int16 of a mono file at 16 kHz. Raises ValueError for another one."""
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != RATE or samples.ndim != 1:
        raise ValueError(f"{path.name}: {rate} Hz, {samples.shape}; need mono at {RATE} Hz")
    return samples

