"""The command line: `python -m l2t speech.wav -o out.mp4`, the page's twin for scripts."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable
from contextlib import closing

from l2t.errors import L2TError, OutputError, RenderError, SpeechError
from l2t.movement import Movement
from l2t.options import LONGEST, parser
from l2t.outputs import Outputs, plan
from l2t.render.scene import check_size
from l2t.replay import Replay
from l2t.session import Session, variants_of
from l2t.terminal import complain
from l2t.variants import EVERY, find_each


def default_face(weights: str | None, device: str, painter: str | None = None):
    """The models, loaded; imported late, because that takes seconds.

    painter: "software" or "pyvista"; None: what the environment says.
    """
    from l2t.render.renderer import Renderer
    from l2t.talkingface import TalkingFace

    return TalkingFace.from_pretrained(weights, device, Renderer(choice=painter))


def prepare(options: argparse.Namespace) -> list[tuple[Outputs, ...]]:
    """Check what can be checked before the work; raises L2TError."""
    targets = {"film": options.output, "motion": options.motion, "sync": options.sync}
    if not any(targets.values()) and not options.replay:
        raise OutputError("Nothing to write: name a film with -o, or --motion, or --sync.")
    if not 0 < options.max_seconds <= LONGEST:
        raise SpeechError(f"--max-seconds must be above 0 and at most {LONGEST:g} seconds.")
    check_size(options.size)
    Movement(options.head, options.seed)
    if options.avatar and options.compare:
        raise OutputError("The Gaussian head is one; --avatar and --compare exclude each other.")
    variants = find_each(EVERY, variants_of(options))
    names = [variant.name for variant in variants]
    return plan(options.speech, targets | {"receipt": options.receipt}, names)


def run(options: argparse.Namespace, usual: argparse.Namespace, face_factory: Callable) -> int:
    """usual: the options when none is given."""
    try:
        replay = Replay(options.replay) if options.replay else None
        if replay:
            replay.settle(options, usual)
        jobs = prepare(options)
    except L2TError as error:
        complain(error)
        return 2
    with closing(Session(options, face_factory, replay)) as session:
        return do_all(session, jobs)


def do_all(session: Session, jobs: list[tuple[Outputs, ...]]) -> int:
    """Do all recordings, one sentence on stderr for each that fails; returns the exit status."""
    status = 0
    for path, outputs in zip(session.options.speech, jobs, strict=True):
        try:
            status = max(status, session.do(path, outputs))
        except (SpeechError, RenderError, OutputError) as error:
            complain(f"{path}: {error}")
            status = 1
        except L2TError as error:  # weights, device, a name: no other input would fare better
            complain(error)
            return 2
    return status


def main(argv: list[str] | None = None, face_factory: Callable = default_face) -> int:
    """Run the command; returns the exit status.

    0: all done; 1: an input was refused or failed; 2: an option, an output or a receipt cannot be
    as wished; 3: all done, but a file is not what the receipt of a replay says.
    face_factory: (weights, device[, painter]) -> TalkingFace.
    """
    understood = parser()
    options, usual = understood.parse_args(argv), understood.parse_args(["-"])
    level = logging.INFO if options.verbose else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what the terminal cannot say
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return run(options, usual, face_factory)
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130
    except BrokenPipeError:  # whoever read our lines is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
