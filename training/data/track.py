"""From anybody's talking-face videos to training clips, in the format of GRID's tracked clips.

    python -m training.data.track VIDEOS OUT --python TRACKER/bin/python

VIDEOS: files, or one folder; its sub-folders, if it has any, are speakers and become sub-folders of
OUT. One folder of clips is one speaker: the resting face that weights are fitted against is made
from all of them. Any format and frame rate that PyAV reads (resampled to 25 by time stamps, never
by number); GRID as published brings its words along (`track_format.find_words`). Long videos are
cut in pauses, at most 12 s a clip. A video without a face, or with several, costs one sentence and
the others go on.

Landmarks come from MediaPipe 0.10.21 (`track_faces`); its wheel has neither the 52 blend shapes nor
the head's transform, so `arkit` is this project's own fit to the lips (`fit_weights`) and the
transform a rigid fit (`track_pose`). How late the mouth is (`track_lag`) is measured a video and
mended by moving the sound.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from l2t.errors import L2TError, WeightsError
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.voice import SAMPLE_RATE
from l2t.weights import resolve
from training.data import track_lag
from training.data.clips import TrackedClip, opening
from training.data.mouths import decode_mouth
from training.data.targets import speaker_weights
from training.data.track_crop import crop, squares, write_mouths
from training.data.track_faces import INDEX, Faces, NoTracker, Tracker, TrackError
from training.data.track_format import Tracked, find_words, write_clip
from training.data.track_lag import Lag
from training.data.track_pose import head_transform
from training.data.track_take import Take, take_video
from training.data.track_video import FPS, moved, pictures

log = logging.getLogger(__name__)
SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts",
            ".flv", ".wmv", ".3gp", ".ogv")  # fmt: skip
SMALL = 0.03  # seconds: the estimate of a 3 s clip is no better, smaller lags are left alone


@dataclass(frozen=True)
class Judges:
    """Who measures the lag: the 2D expert (None: not given), the 3D expert (None: no weights)."""

    pictures: torch.nn.Module | None = None
    weights: torch.nn.Module | None = None


def find_videos(places: list[Path]) -> dict[str, list[Path]]:
    """Speaker's sub-folder ("" = OUT itself) -> his videos, sorted. Raises TrackError for none."""
    found: dict[str, list[Path]] = {}
    for place in places:
        if place.is_dir():
            paths = [p for p in sorted(place.rglob("*")) if p.suffix.lower() in SUFFIXES]
            for path in paths:
                parts = path.relative_to(place).parts
                found.setdefault(parts[0] if len(parts) > 1 else "", []).append(path)
        elif place.is_file():
            found.setdefault("", []).append(place)
        else:
            raise TrackError(f"There is no file or folder {place.name!r}.")
    if not found:
        raise TrackError(f"No video was found; accepted are {', '.join(SUFFIXES)}.")
    return found


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
    """The lag of a video: by the first judge who is sure, else by the last one asked."""
    sounds = [sound_of(take, span) for span in take.spans]
    lag = None
    if judges.pictures is not None:
        mouths = [decode_mouth(out / f"{name}.mp4") for name in take.names]
        lag = track_lag.by_pictures(sounds, mouths, judges.pictures)
    if judges.weights is not None and (lag is None or not lag.sure):
        lag = track_lag.by_weights(sounds, weights, FPS, template, judges.weights)
    if lag is None:
        openings = [opening(take.points[a:b], INDEX) for a, b in take.spans]
        lag = track_lag.by_loudness(sounds, openings, FPS)
    return lag


def finish(take: Take, words, weights: list, out: Path, template, judges) -> list[str]:
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


def judges_of(expert2d: Path | None, weights: str | None) -> Judges:
    """The experts that there are."""
    seeing = None
    if expert2d is not None:
        from training.models.syncnet2d import load_expert2d

        seeing = load_expert2d(expert2d)
    try:
        return Judges(seeing, load_models(resolve(weights), torch.device("cpu")).expert)
    except WeightsError as error:
        log.warning("No 3D sync expert: %s", error)
        return Judges(seeing)


def main(argv: list[str] | None = None) -> int:
    """The command; see the top of this file. Status 1 when no clip came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("videos", type=Path, nargs="+", help="video files, or one folder of them")
    parser.add_argument("out", type=Path, help="folder for the clips")
    parser.add_argument("--python", help="interpreter that has mediapipe (default: this one)")
    parser.add_argument("--expert2d", type=Path, help="FOLDER/NAME of a trained 2D sync expert")
    parser.add_argument("--weights", help="weights that hold the 3D sync expert")
    parser.add_argument("--keep-lag", action="store_true", help="do not measure or mend the lag")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    names, trouble = [], []
    try:
        judges = None if args.keep_lag else judges_of(args.expert2d, args.weights)
        tracker, template = Tracker(args.python), FaceTemplate.load()
        for speaker, videos in find_videos(args.videos).items():
            done = track_speaker(videos, args.out / speaker, tracker, template, judges)
            names += done[0]
            trouble += done[1]
    except L2TError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(names)} clips -> {args.out}; {len(trouble)} videos left out")
    for sentence in trouble:
        print(f"  {sentence}")
    return 0 if names else 1


if __name__ == "__main__":
    sys.exit(main())
