"""The command line: `python -m l2t speech.wav -o out.mp4`, the page's twin for scripts."""

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from l2t.avatar.camera import Orbit
from l2t.errors import L2TError, OutputError, RenderError, SpeechError
from l2t.movement import Movement
from l2t.options import LONGEST, parser
from l2t.outputs import Outputs, plan, write_whole
from l2t.render.scene import check_size
from l2t.speech import Limits, Speech, load_speech
from l2t.variants import EVERY, find_each

MAX_BYTES = 8_000_000_000


def default_face(weights: str | None, device: str):
    """The models, loaded; imported late, because that takes seconds."""
    from l2t.talkingface import TalkingFace

    return TalkingFace.from_pretrained(weights, device=device)


class Session:
    """One call of the command: loads the models when the first good recording needs them."""

    def __init__(self, options: argparse.Namespace, face_factory: Callable):
        self.options, self.variants = options, variants_of(options)
        self.limits = Limits(max_seconds=options.max_seconds, max_bytes=MAX_BYTES)
        self._make_face, self._face = face_factory, None

    @property
    def face(self):
        if self._face is None:
            self._face = self._make_face(self.options.weights, self.options.device)
            say(f"weights: {self._face.weights.label}, device: {self._face.device}")
        return self._face

    def close(self) -> None:
        if self._face is not None:
            self._face.close()

    def do(self, path: Path, outputs: tuple[Outputs, ...]) -> None:
        """One recording, from file to files. Raises L2TError."""
        options = self.options
        speech = load_speech(path, self.limits)
        with closing(Progress(path.name)) as progress:
            takes = self.face.animate_each(
                speech, self.variants, options.style, options.identity, progress,
                head=options.head, seed=options.seed,
            )  # fmt: skip
            for take, own in zip(takes, outputs, strict=True):
                if own.motion:
                    save_motion(take.motion, own.motion)
                if own.sync:
                    save_sync(take.sync, own.sync)
            if film := outputs[0].film:
                self.film(takes, film, progress)
        made = ", ".join(str(file) for own in outputs for file in own.wanted())
        say(f"{path} -> {made} ({summary(speech, takes)})")

    def film(self, takes, path: Path, progress: Callable) -> None:
        options = self.options
        if options.avatar:
            orbit = Orbit(*options.orbit)
            self.face.render_avatar(takes[0], path, orbit, options.size, progress)
        else:
            self.face.render(takes, path, options.view, options.size, progress)


class Progress:
    """Stage and share of the work on one line of a terminal; quiet where there is none."""

    def __init__(self, name: str):
        self.name, self.shown, self.wanted = name[:40], "", sys.stderr.isatty()

    def __call__(self, stage: str, share: float) -> None:
        text = f"{self.name}: {stage} {share:4.0%}"
        if self.wanted and text != self.shown:
            self.shown = text
            print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.shown:
            print(f"\r{'':<60}\r", end="", file=sys.stderr, flush=True)


def save_motion(motion, path: Path) -> None:
    """Write `motion` as npz; raises OutputError."""
    from l2t.export import write_npz

    write_npz(motion, path)


def save_sync(report, path: Path) -> None:
    """Write the report as JSON, null where a number is undefined; raises OutputError."""
    text = json.dumps(report.to_json(), allow_nan=False) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def summary(speech: Speech, takes) -> str:
    """A few words on the takes of a recording."""
    words = [found(take.sync.to_json()) for take in takes]
    if len(takes) > 1:
        words = [f"{take.variant.name}: {own}" for take, own in zip(takes, words, strict=True)]
    return "; ".join([f"{speech.seconds:.1f} s, {words[0]}", *words[1:]])


def found(numbers: dict) -> str:
    """What the expert found; numbers: the report as JSON values."""
    if numbers["lse_c"] is None:
        return "no speech found"
    if numbers["offset_ms"] is None:
        return "the mouth is still"
    return f"offset {numbers['offset_ms']:+.0f} ms, LSE-C {numbers['lse_c']:.2f}"


def say(line: str) -> None:
    print(line, flush=True)


def complain(sentence: object) -> None:
    print(" ".join(str(sentence).split()), file=sys.stderr, flush=True)


def variants_of(options: argparse.Namespace) -> tuple[str | None, ...]:
    """Who speaks: one variant, or the two that are compared."""
    return tuple(options.compare or (options.variant,))


def prepare(options: argparse.Namespace) -> list[tuple[Outputs, ...]]:
    """Check what can be checked before the work; raises L2TError."""
    targets = {"film": options.output, "motion": options.motion, "sync": options.sync}
    if not any(targets.values()):
        raise OutputError("Nothing to write: name a film with -o, or --motion, or --sync.")
    if not 0 < options.max_seconds <= LONGEST:
        raise SpeechError(f"--max-seconds must be above 0 and at most {LONGEST:g} seconds.")
    check_size(options.size)
    Movement(options.head, options.seed)
    if options.avatar and options.compare:
        raise OutputError("The Gaussian head is one; --avatar and --compare exclude each other.")
    variants = find_each(EVERY, variants_of(options))
    return plan(options.speech, targets, [variant.name for variant in variants])


def run(options: argparse.Namespace, face_factory: Callable) -> int:
    try:
        jobs = prepare(options)
    except L2TError as error:
        complain(error)
        return 2
    with closing(Session(options, face_factory)) as session:
        return do_all(session, jobs)


def do_all(session: Session, jobs: list[tuple[Outputs, ...]]) -> int:
    """Do all recordings, one sentence on stderr for each that fails; returns the exit status."""
    status = 0
    for path, outputs in zip(session.options.speech, jobs, strict=True):
        try:
            session.do(path, outputs)
        except (SpeechError, RenderError, OutputError) as error:
            complain(f"{path}: {error}")
            status = 1
        except L2TError as error:  # weights, device, a name: no other input would fare better
            complain(error)
            return 2
    return status


def main(argv: list[str] | None = None, face_factory: Callable = default_face) -> int:
    """Run the command; returns the exit status.

    0: all done; 1: an input was refused or failed; 2: an option or an output cannot be as wished.
    face_factory: (weights, device) -> TalkingFace.
    """
    options = parser().parse_args(argv)
    level = logging.INFO if options.verbose else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what the terminal cannot say
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return run(options, face_factory)
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130
    except BrokenPipeError:  # whoever read our lines is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
