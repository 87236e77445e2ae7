"""One video, looked at and listened to: its landmarks at 25 frames a second, and its clips."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.voice import speech_mask
from training.data.clips import fill_gaps
from training.data.track_cut import Span, spans
from training.data.track_faces import Faces, TrackError
from training.data.track_video import FPS, clock, nearest, pictures, shown, sound

FEWEST = 0.2  # share of a video's pictures that must show a face
CROWD = 0.1  # share of the pictures that may show a second face: a mirror, a mistake


@dataclass(frozen=True)
class Take:
    """A tracked video.

    samples: (n,) float32 at 16 kHz, beside the pictures; size: (width, height) of the pictures.
    points:  (frames, 80, 3) pixels at 25 fps, gaps bridged; found: (frames,) bool.
    picture: (frames,) number of the video's picture nearest to each frame.
    spans, names: the clips, in frames, and what they are called.
    """

    video: Path
    samples: np.ndarray
    size: tuple[int, int]
    points: np.ndarray
    found: np.ndarray
    picture: np.ndarray
    spans: tuple[Span, ...]
    names: tuple[str, ...]


def take_video(video: Path, tracker: Callable[[Iterator[np.ndarray]], Faces]) -> Take:
    """Tracks one video and decides on its clips. Raises TrackError: a sentence without a name."""
    shown_at = shown(video)
    samples = sound(video, shown_at[0])
    height, width = next(pictures(video)).shape[:2]
    faces = tracker(pictures(video))
    check_people(faces)
    times, own = clock(shown_at)
    count = min(len(own), len(faces.points))  # a damaged end may decode differently
    own, picture = own[:count], nearest(times, own[:count])
    filled = fill_gaps(faces.points[:count], faces.found[:count])
    points, found = at_times(filled, own, times), faces.found[picture]
    clips = spans(points, found, samples)
    voiced = speech_mask(samples, FPS, len(times))
    clips = tuple((a, b) for a, b in clips if voiced[a:b].any())
    if not clips:
        raise TrackError("There is no second in which one face is seen and a voice is heard.")
    names = tuple(f"{video.stem}_{n + 1:03d}" for n in range(len(clips)))
    names = names if len(clips) > 1 else (video.stem,)
    return Take(video, samples, (width, height), points, found, picture, clips, names)


def check_people(faces: Faces) -> None:
    """Raises TrackError when no face or more than one is seen."""
    share = float(np.mean(faces.found))
    if share < FEWEST:
        raise TrackError(
            f"A face was found in {100 * share:.0f} % of the pictures; it takes one that is seen "
            f"from the front in at least {100 * FEWEST:.0f} %."
        )
    if faces.crowd > CROWD:
        raise TrackError(
            f"More than one face is seen in {100 * faces.crowd:.0f} % of the pictures; "
            "videos of one person are accepted."
        )


def at_times(values: np.ndarray, own: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(frames, ...) values of the moments `own` at other `times`, by straight lines, float32."""
    if len(own) == len(times) and np.allclose(own, times, atol=1e-3):
        return values
    flat = values.reshape(len(values), -1)
    at = np.interp(times, own, np.arange(len(own)))
    before = np.minimum(at.astype(int), len(own) - 1)
    after = np.minimum(before + 1, len(own) - 1)
    part = (at - before)[:, None]
    out = (1 - part) * flat[before] + part * flat[after]
    return out.reshape(len(times), *values.shape[1:]).astype(np.float32)
