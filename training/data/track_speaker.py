"""All videos of one speaker to clips: tracked, fitted together, their lags measured and mended."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.voice import SAMPLE_RATE
from training.data import track_lag
from training.data.clips import TrackedClip, opening
from training.data.mouths import decode_mouth
from training.data.targets import speaker_weights
from training.data.track_crop import crop, squares, write_mouths
from training.data.track_faces import INDEX, Faces, NoTracker, TrackError
from training.data.track_format import Tracked, Words, find_words, write_clip
from training.data.track_lag import Lag
from training.data.track_pose import head_transform
from training.data.track_take import Take, take_video
from training.data.track_video import FPS, moved, pictures

log = logging.getLogger(__name__)
SMALL = 0.03  # seconds: the estimate of a 3 s clip is no better, smaller lags are left alone


@dataclass(frozen=True)
class Judges:
    """Who measures the lag: the 2D expert (None: not given), the 3D expert (None: no weights)."""

    pictures: torch.nn.Module | None = None
    weights: torch.nn.Module | None = None


def track_speaker(
    videos: list[Path],
    out: Path,
    tracker: Callable[[Iterator[np.ndarray]], Faces],
    template: FaceTemplate,
    judges: Judges | None,
) -> tuple[list[str], list[str]]:
    """Writes all clips of one speaker; (names of clips, one sentence for each video left out).

    judges: None leaves sound and mouth as they are. Raises NoTracker.
    """
    out.mkdir(parents=True, exist_ok=True)
    takes, trouble, stems = [], [], set()
    for video in videos:
        began = time.monotonic()
        try:
            if video.stem in stems:
                raise TrackError("Another video of this speaker has the same name.")
            take = take_video(video, tracker)
            write_pictures(take, out)
            words = find_words(video)
        except NoTracker:
            raise
        except TrackError as error:
            trouble.append(f"{video.name}: {error}")
            log.warning(trouble[-1])
            continue
        stems.add(video.stem)
        takes.append((take, words))
        log.info("%s: %d clips tracked, %.1f s", video.name, len(take.spans),
                 time.monotonic() - began)  # fmt: skip
    names = []
    if takes:
        fitted = iter(speaker_weights([c for t, _ in takes for c in clips_of(t)], template)[0])
        for take, words in takes:
            weights = list(islice(fitted, len(take.spans)))
            names += finish(take, words, weights, out, template, judges)
    return names, trouble


def write_pictures(take: Take, out: Path) -> None:
    """NAME.mp4 of every clip of a video, in one pass through its pictures."""
    wanted = np.concatenate([take.picture[a:b] for a, b in take.spans])
    shape = [squares(take.points[a:b]) for a, b in take.spans]
    cuts = zip(
        wanted,
        np.concatenate([s.centres for s in shape]),
        np.concatenate([s.sides for s in shape]),
        np.concatenate([s.angles for s in shape]),
        strict=True,
    )

    def mouths() -> Iterator[np.ndarray]:
        film = enumerate(pictures(take.video))
        number, picture = next(film)
        for want, centre, side, angle in cuts:
            while number < want:
                number, picture = next(film)
            yield crop(picture, centre, side, angle)

    source = mouths()
    for name, (first, last) in zip(take.names, take.spans, strict=True):
        write_mouths(out / f"{name}.mp4", islice(source, last - first))


def clips_of(take: Take) -> list[TrackedClip]:
    """The clips of a video as the fit reads them."""
    none = np.zeros((0, 2), np.float32)
    return [
        TrackedClip(name, take.points[a:b], INDEX, take.found[a:b], none, (), FPS, (), none)
        for name, (a, b) in zip(take.names, take.spans, strict=True)
    ]


def sound_of(take: Take, span: tuple[int, int], later: float = 0.0) -> np.ndarray:
    """The sound of a clip, moved `later` seconds, as long as the clip's pictures."""
    first, last = (round(f / FPS * SAMPLE_RATE) for f in span)
    return moved(take.samples, later - first / SAMPLE_RATE, last - first)


def measure(take: Take, weights: list, out: Path, template, judges: Judges) -> Lag:
    """The lag of a video, by the expert whose valley is deeper; by loudness where there is none."""
    sounds, found = [sound_of(take, span) for span in take.spans], []
    if judges.pictures is not None:
        mouths = [decode_mouth(out / f"{name}.mp4") for name in take.names]
        found.append(track_lag.by_pictures(sounds, mouths, judges.pictures))
    if judges.weights is not None:
        found.append(track_lag.by_weights(sounds, weights, FPS, template, judges.weights))
    if not found:
        openings = [opening(take.points[a:b], INDEX) for a, b in take.spans]
        found.append(track_lag.by_loudness(sounds, openings, FPS))
    return max(found, key=lambda lag: lag.depth)


def finish(
    take: Take, words: Words, weights: list, out: Path, template, judges: Judges | None
) -> list[str]:
    """Measures a video's lag, moves the sound if need be, writes sound and npz of its clips."""
    lag = measure(take, weights, out, template, judges) if judges else Lag(0, 0, False, "nobody")
    shift = lag.seconds if lag.sure and abs(lag.seconds) >= SMALL else 0.0
    for name, (a, b), arkit in zip(take.names, take.spans, weights, strict=True):
        clip = Tracked(
            points=take.points[a:b], found=take.found[a:b], arkit=arkit,
            head=head_transform(take.points[a:b], *take.size), size=take.size,
            words=words.part(a / FPS, b / FPS, shift), source=take.video.name,
            start=a / FPS, lag=lag.seconds, shift=shift,
        )  # fmt: skip
        write_clip(out, name, clip, sound_of(take, (a, b), shift))
    log.info("%s: mouth %+.0f ms late by %s (%s), sound moved %+.0f ms", take.video.name,
             1000 * lag.seconds, lag.by, "sure" if lag.sure else "not sure", 1000 * shift)
    return list(take.names)
