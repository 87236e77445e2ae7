"""Measures a coarticulation model on tracked clips that its fit has not seen.

    python -m training.measure_coarticulation cache/targets/coarticulation.npz \
        --targets cache/targets/grid_s1.npz --align cache/align/grid_s1.npz [--split validation]

Prints the agreement of lip openings, the lag of the lips behind their phones, closures, motion
above 8 Hz, the error by phone, and two controls: the mean mouth and the phones of another clip.
"""

import argparse
import logging
from collections import defaultdict
from pathlib import Path

import numpy as np

from l2t.face import FaceTemplate
from l2t.metrics import closed_limit, closure, correlation, high_frequency_ratio, lip_opening
from l2t.motion import FPS, frame_count, frame_times
from training.data.alignments import Alignment, load_alignments
from training.data.coarticulation import Coarticulation, coarticulate
from training.data.corpora import grid_split

log = logging.getLogger(__name__)
TRACKED_FPS = 25.0
BILABIALS, OPEN_VOWELS = ("P", "B", "M"), ("AA", "AE", "AH", "AO", "AW", "AY", "EH")


def spans(item: Alignment, phones: tuple[str, ...]) -> np.ndarray:
    """(n, 2) start and end in seconds of those phones."""
    rows = zip(item.phones, item.starts, item.ends, strict=True)
    return np.array([(a, b) for phone, a, b in rows if phone in phones]).reshape(-1, 2)


def openings(model: Coarticulation, item: Alignment, frames: int, template) -> np.ndarray:
    """Lip opening of the animated phones at 30 fps, (frames,)."""
    arkit = coarticulate(item.phones, item.starts, item.ends, frames / FPS, model)
    return lip_opening(template, arkit)


def held_out(targets: Path, align: Path, split: str) -> list[tuple[Alignment, np.ndarray]]:
    """Phones and the tracked lip opening at 30 fps of each clip of a split."""
    with np.load(targets, allow_pickle=False) as file:
        names, tracked = file["names"].tolist(), file["opening"]
    found = {item.id: item for item in load_alignments(align)}
    out = []
    for i, name in enumerate(names):
        if grid_split(i) == split and name in found:
            truth = tracked[i][np.isfinite(tracked[i])]
            times = frame_times(frame_count(len(truth) / TRACKED_FPS))
            own = frame_times(len(truth), TRACKED_FPS)
            out.append((found[name], np.interp(times, own, truth)))
    return out


def measure(clips: list[tuple[Alignment, np.ndarray]], made: list[np.ndarray], closed: float):
    """Means over clips: r without and with the best lag, that lag in s (positive: animation
    late), closure recall and false closures, deviation and energy above 8 Hz over the truth's."""
    rows = []
    for (item, truth), opening in zip(clips, made, strict=True):
        best = correlation(opening, truth, FPS)
        shut = closure(opening, spans(item, BILABIALS), spans(item, OPEN_VOWELS), FPS, closed)
        rows.append((
            correlation(opening, truth, FPS, 0).r, best.r, best.lag / FPS, shut.recall, shut.false,
            opening.std() / truth.std(), high_frequency_ratio(opening, truth, FPS),
            np.abs(opening - truth).mean(),
        ))  # fmt: skip
    keys = ("r", "r_best", "lag_s", "closed_pbm", "closed_vowels", "std_ratio", "above_8hz",
            "error")  # fmt: skip
    return dict(zip(keys, np.nanmean(rows, axis=0).round(3).tolist(), strict=True))


def by_phone(clips: list[tuple[Alignment, np.ndarray]], made: list[np.ndarray]) -> dict:
    """phone -> (count, mean tracked opening, mean of the animation minus it) in its middle."""
    rows = defaultdict(list)
    for (item, truth), opening in zip(clips, made, strict=True):
        for phone, a, b in zip(item.phones, item.starts, item.ends, strict=True):
            frame = min(int((a + b) / 2 * FPS), len(truth) - 1)
            rows[phone].append((truth[frame], opening[frame] - truth[frame]))
    return {p: (len(r), *np.mean(r, axis=0).round(3).tolist()) for p, r in sorted(rows.items())}


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Measure a coarticulation model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--targets", type=Path, required=True, help="npz of training.data.targets")
    parser.add_argument("--align", type=Path, required=True, help="npz of training.data.align")
    parser.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    template, model = FaceTemplate.load(), Coarticulation.load(options.model)
    clips = held_out(options.targets, options.align, options.split)
    made = [openings(model, item, len(truth), template) for item, truth in clips]
    closed = closed_limit(template)
    size = min(len(truth) for _, truth in clips)
    mean = np.mean([truth[:size] for _, truth in clips], axis=0)
    swapped = [opening[:size] for opening in made[1:] + made[:1]]
    short = [(item, truth[:size]) for item, truth in clips]
    log.info("%d clips of %s", len(clips), options.split)
    log.info("animated phones   %s", measure(clips, made, closed))
    log.info("mean mouth        %s", measure(short, [mean] * len(clips), closed))
    log.info("another clip's    %s", measure(short, swapped, closed))
    for phone, (count, truth, error) in by_phone(clips, made).items():
        log.info("%-4s %4d  tracked %.3f  error %+.3f", phone, count, truth, error)


if __name__ == "__main__":
    main()
