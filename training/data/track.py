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
from pathlib import Path

import torch

from l2t.errors import L2TError, WeightsError
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.weights import resolve
from training.data.track_faces import Tracker, TrackError
from training.data.track_speaker import Judges, track_speaker

log = logging.getLogger(__name__)
SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts",
            ".flv", ".wmv", ".3gp", ".ogv")  # fmt: skip


def find_videos(places: list[Path], out: Path) -> dict[str, list[Path]]:
    """Speaker's sub-folder ("" = OUT itself) -> the videos, sorted; what lies in `out` is no video.

    Raises TrackError where there are none.
    """
    found: dict[str, list[Path]] = {}
    for place in places:
        if place.is_dir():
            paths = [p for p in sorted(place.rglob("*")) if p.suffix.lower() in SUFFIXES]
            paths = [p for p in paths if not p.is_relative_to(out)]
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


def judges_of(expert2d: Path | None, weights: str | None) -> Judges:
    """The experts that there are. Raises TrackError for a 2D expert that is not there."""
    seeing = None
    if expert2d is not None:
        from training.models.syncnet2d import load_expert2d

        try:
            seeing = load_expert2d(expert2d)
        except FileNotFoundError:
            raise TrackError(
                f"There is no 2D expert {expert2d.name!r}: the files {expert2d.name}.json and "
                f"{expert2d.name}.safetensors are expected."
            ) from None
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
        for speaker, videos in find_videos(args.videos, args.out).items():
            done = track_speaker(videos, args.out / speaker, tracker, template, judges)
            names += done[0]
            trouble += done[1]
    except L2TError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The clips cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{len(names)} clips -> {args.out}; {len(trouble)} videos left out")
    for sentence in trouble:
        print(f"  {sentence}")
    return 0 if names else 1


if __name__ == "__main__":
    sys.exit(main())
