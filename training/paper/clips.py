"""Clips of a published dataset: vertices that stay on disk, sound, a face at rest, and checks.

Every check ends in one sentence that names the file: people find out in seconds, not after a night
of training, that a folder is not what was published.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import gcd
from pathlib import Path

import numpy as np
import soundfile

from l2t.loudness import normalise
from l2t.motion import frame_times
from l2t.voice import SAMPLE_RATE
from training.paper.layout import DatasetError, Layout
from training.paper.pickles import read_pickle

log = logging.getLogger(__name__)
RATE_TOLERANCE = 0.08  # of the frame rate that vertices and sound give together


@dataclass(frozen=True)
class Clip:
    """One sentence of one subject.

    frames:  as stored. seconds: of the sound.
    read():  (frames, vertices, 3) or (frames, vertices * 3) as stored.
    hear():  (n,) float32 mono at 16 kHz, loudness normalised.
    """

    name: str
    subject: str
    sentence: int
    frames: int
    seconds: float
    read: Callable[[], np.ndarray]
    hear: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Corpus:
    """Clips by (subject, sentence) and the faces at rest, (vertices, 3) float32 by subject."""

    layout: Layout
    clips: dict[tuple[str, int], Clip]
    templates: dict[str, np.ndarray]

    @classmethod
    def checked(cls, layout: Layout, clips: list[Clip], templates: dict) -> "Corpus":
        """The corpus, if every subject of every split is there at the published frame rate."""
        known = {(clip.subject, clip.sentence): clip for clip in clips}
        faces = {s: _face(templates, s, layout) for split in layout.splits.values()
                 for s in split.subjects}  # fmt: skip
        for name, split in layout.splits.items():
            for subject in split.subjects:
                if not any((subject, n) in known for s, n in split.wanted() if s == subject):
                    raise DatasetError(
                        f"{layout.title} has no sentence {split.first}-{split.last} of {subject} "
                        f"with both vertices and sound, which its {name} split needs: "
                        f"{layout.origin}"
                    )
            lack = [f"{s} {n}" for s, n in split.wanted() if (s, n) not in known]
            if lack:
                log.info("%s, %s: %d of %d clips are not there (%s%s)", layout.title, name,
                         len(lack), len(split.wanted()), ", ".join(lack[:5]),
                         ", ..." if len(lack) > 5 else "")  # fmt: skip
        _check_rate(layout, clips)
        return cls(layout, known, faces)

    def split(self, name: str) -> list[Clip]:
        """The clips of an official split that are there, in its order."""
        return [self.clips[key] for key in self.layout.splits[name].wanted() if key in self.clips]

    def displacement(self, clip: Clip) -> np.ndarray:
        """Vertices minus the subject's face at rest, (frames at layout.fps, vertices * 3) float32.

        Raises DatasetError where the clip holds numbers that are not finite.
        """
        stored = clip.read().reshape(clip.frames, -1)
        bad = np.flatnonzero(~np.isfinite(stored).all(1))
        if len(bad):
            raise DatasetError(
                f"{clip.name} holds numbers that are not finite, first in frame {bad[0]}; "
                "finite vertices are expected."
            )
        moved = stored.astype(np.float32) - self.templates[clip.subject].reshape(-1)
        return resample(moved, self.layout.stored_fps, self.layout.fps)


def resample(rows: np.ndarray, stored: float, fps: float) -> np.ndarray:
    """Rows (frames, n) at `stored` fps read at `fps` by time stamps, linear, float32.

    Frame i of either rate belongs to time (i + 0.5) / rate, so two frames of 60 fps lie on either
    side of one of 30 fps.
    """
    if stored == fps:
        return rows
    count = max(1, int(len(rows) / stored * fps + 1e-6))
    place = np.clip(frame_times(count, fps) * stored - 0.5, 0, len(rows) - 1)
    low = np.minimum(place.astype(int), max(0, len(rows) - 2))
    part = (place - low).astype(np.float32)[:, None]
    return (1 - part) * rows[low] + part * rows[np.minimum(low + 1, len(rows) - 1)]


def open_corpus(folder: Path, layout: Layout, pattern: str) -> Corpus:
    """vertices_npy/NAME.npy, wav/NAME.wav and templates.pkl; `pattern` parts subject and number."""
    vertices, sounds = layout.need(folder / "vertices_npy"), layout.need(folder / "wav")
    templates = read_pickle(layout.need(folder / "templates.pkl"))
    clips = []
    for path in sorted(vertices.glob("*.npy")):
        named, wav = re.fullmatch(pattern, path.stem), sounds / f"{path.stem}.wav"
        if not named or not wav.exists():
            continue
        frames = len(open_array(path, layout.vertices))
        clips.append(
            Clip(
                path.stem, named["subject"], int(named["number"]), frames, _seconds(wav),
                partial(open_array, path, layout.vertices), partial(_read_wav, wav),
            )
        )  # fmt: skip
    return Corpus.checked(layout, clips, templates)


def open_array(path: Path, vertices: int) -> np.ndarray:
    """A memory-mapped .npy of frames of `vertices` vertices; raises DatasetError otherwise."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError):
        raise DatasetError(
            f"{path.name} cannot be read; a .npy file of plain floats is expected."
        ) from None
    width = int(np.prod(stored.shape[1:])) if stored.ndim > 1 else 0
    if width != vertices * 3 or not len(stored) or stored.dtype.kind != "f":
        raise DatasetError(
            f"{path.name} holds {stored.dtype} of shape {stored.shape}; "
            f"floats (frames, {vertices * 3}) are expected, {vertices:,} vertices a frame."
        )
    return stored


def to_speech(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples (n,) or (n, channels) of any type and rate as (n,) float32, 16 kHz, one loudness."""
    from scipy.signal import resample_poly

    whole = samples.dtype.kind == "i" or np.abs(samples).max(initial=0.0) > 4.0
    mono = np.asarray(samples, np.float64).reshape(len(samples), -1).mean(1)
    mono = mono / 32768.0 if whole else mono  # 16-bit values, also when kept as floats
    common = gcd(SAMPLE_RATE, rate)
    moved = resample_poly(mono, SAMPLE_RATE // common, rate // common)
    return normalise(moved.astype(np.float32))


def _read_wav(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float64")
    return to_speech(samples, rate)


def _seconds(path: Path) -> float:
    try:
        return soundfile.info(path).duration
    except (soundfile.SoundFileError, OSError):
        raise DatasetError(f"{path.name} cannot be read; a wav file is expected.") from None


def _face(templates: dict, subject: str, layout: Layout) -> np.ndarray:
    face = templates.get(subject) if isinstance(templates, dict) else None
    found = "nothing" if face is None else f"shape {np.shape(face)}"
    if face is None or np.size(face) != layout.vertices * 3 or not np.isfinite(face).all():
        raise DatasetError(
            f"templates.pkl holds {found} for {subject}; "
            f"{layout.vertices:,} finite vertices are expected."
        )
    return np.asarray(face, np.float32).reshape(layout.vertices, 3)


def _check_rate(layout: Layout, clips: list[Clip]) -> None:
    """The median of frames a second over all clips says what the files were stored at."""
    rate = float(np.median([clip.frames / max(clip.seconds, 1e-3) for clip in clips]))
    if abs(rate / layout.stored_fps - 1) > RATE_TOLERANCE:
        raise DatasetError(
            f"{layout.title}'s vertices and sounds give {rate:.1f} frames a second; "
            f"{layout.stored_fps:g} are expected, as published."
        )
