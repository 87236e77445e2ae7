"""Main tables of the student that ships, then every variant and baseline side by side.

    python -m training.evaluate --data data --cache cache --weights assets/weights

Students' mouths come from the whole product path (loudness, windows, silence gate), never from a
shortcut. Means of clip means with 95 % bootstrap intervals. Sets: grid_s1's test clips (the face
that taught), grid_s26 (unseen face and voice), librispeech's test speakers (unseen voices); none
was trained or tuned on.
"""

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from l2t.face import FaceTemplate
from l2t.metrics import closed_limit
from l2t.models.loading import load_models
from l2t.weights import resolve
from training.evaluate.clips import Clip, evaluation_sets, tracked_clips
from training.evaluate.comparison import (
    Board,
    apart,
    comparison,
    control_table,
    differences,
    pairs,
)
from training.evaluate.contenders import Once, baselines, from_runs, variants
from training.evaluate.judged import judged
from training.evaluate.main_tables import main_tables
from training.evaluate.measures import Judges, controls, measure
from training.evaluate.reading import Reading, first_of_each, load_reader, photos, read_films
from training.evaluate.tables import into_card, table
from training.teacher.own import Ears, OwnTeacher, load_painter

log = logging.getLogger(__name__)
FIT_EVERY = 6  # of grid_s1's training clips, that mean and energy are fitted on


def compared(label: str, clips: list, contenders: list, judges: Judges, films: dict) -> Board:
    """Figures of the tracked truth, of films of real and painted mouths, and of all contenders.

    films: title -> a clip's film, or None where there is none.
    """
    board = Board(label, {c.name: c.title for c in contenders}, blind=judges.reader is None)
    if clips[0].arkit is not None:
        board.values["tracked truth"] = [measure(c, c.arkit, judges) for c in clips]
        for title, film in films.items():
            if judges.reader is not None and film is not None:
                board.values[title] = read_films(clips, film, judges.reader)
    for contender in contenders:
        began = time.process_time()
        board.values[contender.name] = [measure(c, contender.make(c), judges) for c in clips]
        log.info("%s, %s: %.0f s of CPU", label, contender.name, time.process_time() - began)
    return board


def controlled(label: str, clips: list, judges: Judges, truth: list) -> str:
    """The table of the controls; nobody reads their lips."""
    blind = Judges(judges.template, judges.expert, judges.closed)
    values = {
        name: [measure(c, m, blind) for c, m in zip(clips, motions, strict=True)]
        for name, motions in controls(clips).items()
    }
    return control_table(label, truth, values)


def painted(folder: Path, encoder) -> Callable[[Clip], np.ndarray]:
    """What our own 2D teacher paints for a clip."""
    teacher = OwnTeacher(load_painter(folder), Ears(encoder))
    return lambda clip: teacher.mouths(clip.samples, clip.name)


def parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--weights", default=None)
    parser.add_argument("--style", default=None)
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--variants", nargs="*", metavar="ROLE", help="default: all there are")
    parser.add_argument("--runs", nargs="*", type=Path, default=[], metavar="FOLDER",
                        help="students of training runs that are not in the weights")  # fmt: skip
    parser.add_argument("--only-variants", action="store_true", help="leave out the main tables")
    parser.add_argument("--read", type=int, default=25, metavar="N",
                        help="clips of a set whose rendered lips are read (0: none)")  # fmt: skip
    parser.add_argument("--reader", type=Path, help="folder of a lip reader not in the weights")
    parser.add_argument("--judge", type=int, default=5, metavar="N",
                        help="films of a set that are drawn and judged (0: none)")  # fmt: skip
    parser.add_argument("--tracker", help="interpreter that has mediapipe (default: this one)")
    parser.add_argument("--teacher", type=Path, help="folder of painter.json: its lips are read")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--card", type=Path, help="model card to put the tables into")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parsed(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    template, weights = FaceTemplate.load(), resolve(args.weights)
    models = load_models(weights, torch.device("cpu"))
    teacher = painted(args.teacher, models.encoder) if args.teacher else None
    models = replace(models, encoder=Once(models.encoder))
    sets = evaluation_sets(args.data, args.cache, args.split)
    texts, figures = [], {}
    if not args.only_variants:
        styles = models.student.config.styles
        style = args.style or styles[0]
        figures = main_tables(models, styles.index(style), sets, template)
        texts = [table(f"{title.capitalize()} (style {style}, {args.split})", rows)
                 for title, rows in figures.items()]  # fmt: skip
    reader = load_reader(weights, args.reader) if args.read else None
    reading = reader and Reading(reader, template, first_of_each(sets.values(), args.read))
    judges = Judges(template, models.expert, closed_limit(template), reading)
    train = tracked_clips(args.data, args.cache, "grid_s1", "train", FIT_EVERY)
    contenders = variants(weights, models, args.variants, args.style)
    contenders += from_runs(args.runs, models, args.style, [c.name for c in contenders])
    held = pairs([c.name for c in contenders])
    contenders += baselines(args.cache, models.encoder, train)
    for label, clips in sets.items():
        films = {"real photos": photos(args.cache, label), "2D teacher": teacher}
        board = compared(label, clips, contenders, judges, films)
        texts += [comparison(board), differences(board, held)]
        if label == "grid_s1":
            texts.append(controlled(label, clips, judges, board.values["tracked truth"]))
        figures[f"compared on {label}"] = board.means()
        figures[f"differences on {label}"] = apart(board, held)
    with tempfile.TemporaryDirectory(prefix="films-") as folder:
        texts.append(judged(sets, contenders[0].make, args.judge, Path(folder), args.tracker,
                            template, models.expert))  # fmt: skip
    text = "\n".join(part for part in texts if part)
    print(text)
    if args.card:
        into_card(args.card, text)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
