"""Figures of one finished film, as a tracker that knows nothing of the mesh sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t import metrics
from l2t.motion import FPS, frame_times
from l2t.voice import speech_mask
from training.data import track_lag
from training.data.clips import TrackedClip, fill_gaps, opening
from training.data.targets import CLOSED, speaker_weights
from training.data.track_faces import INDEX, TrackError
from training.data.track_video import pictures, shown, sound

REACH_S = 0.3  # seconds that lips may run ahead of loudness
BILABIALS, OPEN_VOWELS = ("P", "B", "M"), ("AA", "AE", "AH", "AY", "AW", "EH")
# Figure -> what its row is called, in the table's order.
MEASURES = {
    "found": "share of pictures with a face and lips",
    "r_drawn": "opening seen, r with the opening drawn",
    "late_drawn": "seen behind drawn, ms",
    "r_voice": "opening seen, r with the loudness",
    "late_voice": "opening behind loudness, ms",
    "still": "movement in silence over speech, as seen",
    "still_drawn": "movement in silence over speech, as drawn",
    "lag": "mouth behind voice by the 3D expert on seen lips, ms",
    "depth": "how clear that lag is (valley over median)",
    "closed": "closed on p b m, as seen (recall)",
    "closed_drawn": "closed on p b m, as drawn (recall)",
    "false": "closed on open vowels, as seen (false)",
}


@dataclass(frozen=True)
class Film:
    """A film to judge. arkit: (frames, 52) at 30 fps that was drawn, phones: [(name, start s,
    end s)] of what is said; None and () where unknown."""

    path: Path
    arkit: np.ndarray | None = None
    phones: tuple = ()


@dataclass(frozen=True)
class Seen:
    """A film through the tracker's eyes: points (frames, 80, 3) pixels, gaps bridged; found
    (frames,); opening (frames,) of the lips; fps; samples (n,) at 16 kHz."""

    points: np.ndarray
    found: np.ndarray
    opening: np.ndarray
    fps: float
    samples: np.ndarray


def look(path: Path, tracker: Callable, frozen: bool = False) -> Seen:
    """Tracks one film; frozen: its first picture all the time. Raises TrackError."""
    shown_at = shown(path)
    film = pictures(path)
    faces = tracker([next(film)] if frozen else film)
    if not faces.found.any():
        raise TrackError("No face was found in any picture.")
    # The tracker takes every picture for itself: one that stays is seen the same each time.
    times = len(shown_at) - 1 if frozen else 1
    found, points = np.repeat(faces.found, times), np.repeat(faces.points, times, axis=0)
    points, fps = fill_gaps(points, found), float(1 / np.median(np.diff(shown_at)))
    return Seen(points, found, opening(points, INDEX), fps, sound(path, shown_at[0]))


def fitted(seen: Sequence[Seen], template) -> list[np.ndarray]:
    """Weights (frames, 52) fitted to the lips seen in each film of one face."""
    none = np.zeros((0, 2), np.float32)
    clips = [TrackedClip("", s.points, INDEX, s.found, none, (), s.fps, (), none) for s in seen]
    return speaker_weights(clips, template)[0]


def figures(
    film: Film, seen: Seen, weights: np.ndarray, template, expert, samples: np.ndarray | None = None
) -> dict[str, float]:
    """The figures of `MEASURES` of one film; NaN where something is unknown.

    weights: (frames, 52) fitted; samples: another sound in place of the film's own.
    """
    heard = seen.samples if samples is None else samples
    frames, nan = len(seen.opening), float("nan")
    loud = track_lag.loudness(heard, seen.fps, frames)
    voice = metrics.correlation(seen.opening, loud, seen.fps, REACH_S)
    voiced = speech_mask(heard, seen.fps, frames)
    moves = seen.opening.std() > track_lag.STEADY
    lag = track_lag.by_weights([heard], [weights], seen.fps, template, expert)
    out = dict.fromkeys(MEASURES, nan) | {
        "found": float(seen.found.mean()),
        "r_voice": voice.r,
        "late_voice": 1000 * voice.lag / seen.fps if moves else nan,
        "still": metrics.stillness(seen.opening, voiced, seen.fps),
        "lag": 1000 * lag.seconds if moves else nan,
        "depth": lag.depth,
    }
    if film.arkit is not None:
        own = metrics.lip_opening(template, film.arkit)
        drawn = np.interp(frame_times(frames, seen.fps), frame_times(len(own)), own)
        found = metrics.correlation(seen.opening, drawn, seen.fps)
        out |= {"r_drawn": found.r, "late_drawn": 1000 * found.lag / seen.fps}
        out["still_drawn"] = metrics.stillness(drawn, voiced, seen.fps)
        out["closed_drawn"] = closures(film, own, FPS, metrics.closed_limit(template)).recall
    met = closures(film, seen.opening, seen.fps, CLOSED)
    return out | {"closed": met.recall, "false": met.false}


def closures(film: Film, lips: np.ndarray, fps: float, closed: float) -> metrics.Closure:
    spans = [[(a, b) for p, a, b in film.phones if p in kind] for kind in (BILABIALS, OPEN_VOWELS)]
    bilabials, vowels = (np.array(s).reshape(-1, 2) for s in spans)
    return metrics.closure(lips, bilabials, vowels, fps, closed)
