"""A judge of finished films: a tracker that knows nothing of the mesh looks at the mp4.

    python -m training.judge FILM.mp4 ... --python TRACKER/bin/python
    python -m training.judge --make 10 --data data --cache cache --out films

MediaPipe finds the lips in the film's pictures; everything else follows from them and the film's
own sound. The second form first draws films of test recordings (`judge_films`), of which the drawn
motion and the phones are known too. Where a motion lies beside a film (FILM.npz with `arkit`, as
the app and the command line write it), it is compared with it.

Controls, from the same films: the sound 5 frames late (the measured lag must follow), the sound of
another film, and a film that stands still.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from l2t.errors import L2TError
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.weights import resolve
from training.data.track_faces import NoTracker, Tracker
from training.data.track_video import moved
from training.judge_figures import MEASURES, Film, figures, fitted, look

log = logging.getLogger(__name__)
LATE = 5  # frames that the sound is late by in a control
CONTROLS = {
    f"sound {LATE} frames late": ("lag", "r_voice"),
    "sound of another film": ("depth", "r_voice"),
    "frozen film": ("found", "depth", "r_voice"),
}


def judge(films: Sequence[Film], tracker: Callable, template, expert) -> dict[str, list[dict]]:
    """Figures of each film under "", and of each control under its name in `CONTROLS`.

    All films show the same face; a single one has no other film's sound. Raises TrackError
    (NoTracker without mediapipe).
    """
    seen = [look(film.path, tracker) for film in films]
    weights = fitted(seen, template)

    def heard(sounds: list) -> list[dict]:
        rows = zip(films, seen, weights, sounds, strict=True)
        return [figures(f, s, w, template, expert, x) for f, s, w, x in rows]

    own = [s.samples for s in seen]
    late = [moved(s.samples, LATE / s.fps, len(s.samples)) for s in seen]
    other = [moved(own[i - 1], 0.0, len(own[i])) for i in range(len(own))]
    still = [look(film.path, tracker, frozen=True) for film in films]
    frozen = [
        figures(f, s, np.repeat(w[:1], len(w), axis=0), template, expert)
        for f, s, w in zip(films, still, weights, strict=True)
    ]
    controls = heard(late), heard(other) if len(films) > 1 else [], frozen
    return {"": heard(own), **dict(zip(CONTROLS, controls, strict=True))}


def judge_rows(
    films: Sequence[Film], label: str, tracker: Callable, template, expert, row: Callable
) -> list[dict]:
    """Rows for a table, `row` as in `training.evaluate`: row(name, values of the films) -> dict.

    Without mediapipe one row that says "not measured", of no clips.
    """
    try:
        found = judge(films, tracker, template, expert)
    except NoTracker as error:
        log.warning("%s", error)
        return [row(f"{label}: not measured, mediapipe is missing", [])]
    rows = [row(f"{label}: {text}", [f[key] for f in found[""]]) for key, text in MEASURES.items()]
    for control, keys in CONTROLS.items():
        for key in keys:
            values = [f[key] for f in found[control]]
            rows.append(row(f"{label}, {control}: {MEASURES[key]}", values))
    return rows


def known(path: Path) -> Film:
    """A film with the motion that lies beside it, if any."""
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        return Film(path)
    with np.load(beside, allow_pickle=False) as file:
        return Film(path, dict(file).get("arkit"))


def made(args: argparse.Namespace, models) -> dict[str, list[Film]]:
    """Label -> films of the first so many test recordings of each set."""
    from l2t.animate import mouth_weights
    from training.evaluate import spoken_clips, tracked_clips
    from training.judge_films import make_films

    sets = {
        "grid_s1": tracked_clips(args.data, args.cache, "grid_s1", "test"),
        "librispeech": spoken_clips(args.data, args.cache, "librispeech", "test"),
    }
    return {
        label: make_films(
            clips[:: max(1, len(clips) // args.make)][: args.make],
            lambda clip: mouth_weights(models, clip.samples, 0), args.out / label, args.size,
        )
        for label, clips in sets.items()
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """The command; see the top of this file. Status 1 for an error, 2 without mediapipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("films", type=Path, nargs="*", help="mp4 films that show the same face")
    parser.add_argument("--python", help="interpreter that has mediapipe (default: this one)")
    parser.add_argument("--weights", help="weights whose 3D expert measures the lag")
    parser.add_argument("--make", type=int, default=0, help="draw so many films a set first")
    parser.add_argument("--size", type=int, default=384, help="pixels a side of films made")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--out", type=Path, default=Path("films"))
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    if not args.films and not args.make:
        parser.error("name films, or say with --make how many to draw")
    from training.evaluate import row, table

    try:
        tracker, template = Tracker(args.python), FaceTemplate.load()
        if not tracker.available():
            print("Not measured: mediapipe is missing; see training/requirements-track.txt.")
            return 2
        models = load_models(resolve(args.weights), torch.device("cpu"))
        sets = {"films": [known(path) for path in args.films]} if args.films else {}
        sets |= made(args, models) if args.make else {}
        for label, films in sets.items():
            rows = judge_rows(films, label, tracker, template, models.expert, row)
            print(table(f"Seen from outside: {label}", rows))
    except L2TError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
