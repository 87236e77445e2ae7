"""The command line: `python -m l2t speech.wav -o out.mp4`, the page's twin for scripts."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from l2t.errors import FaceError, L2TError, OutputError, SpeechError, WeightsError
from l2t.outputs import Outputs, plan, write_whole
from l2t.render.scene import SIZE_DEFAULT, SIZE_MAX, SIZE_MIN, VIEWS, check_size
from l2t.speech import Limits, Speech, load_speech

DESCRIPTION = "Turn recordings of speech into films of a talking 3D head."
EPILOG = """With one SPEECH the outputs are files (or folders that exist); with several, -o,
--motion and --sync name folders, which are made, and the files in them are called after the
recordings. A refused recording costs one line on stderr and the exit status 1; the others are
still done. Memory: about 0.25 GB for the samples of an hour."""
LONGEST = 86_400.0  # seconds, the most that --max-seconds takes
MAX_BYTES = 8_000_000_000


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m l2t", description=DESCRIPTION, epilog=EPILOG)
    add = made.add_argument
    add("speech", nargs="+", type=Path, metavar="SPEECH", help="wav, flac, ogg, opus, mp3, m4a ...")
    add("-o", "--output", type=Path, metavar="MP4", help="the film: H.264 with sound")
    add("--motion", type=Path, metavar="NPZ", help="arkit (frames, 52) float32, names, fps")
    add("--sync", type=Path, metavar="JSON", help="offset, LSE-D, LSE-C, confidence per frame")
    add("--identity", metavar="NAME", help="whose head (default: the template's first)")
    add("--style", metavar="NAME", help="how it speaks (default: the model's first)")
    add("--view", choices=VIEWS, default=VIEWS[0], help="camera (default: %(default)s)")
    size_help = f"side of the film in pixels, {SIZE_MIN} to {SIZE_MAX} (default: %(default)s)"
    add("--size", type=int, metavar="PX", default=SIZE_DEFAULT, help=size_help)
    devices = ("auto", "cpu", "cuda")
    add("--device", choices=devices, default="auto", help="where the models run (default: auto)")
    weights_help = "folder, Hub repository org/name[@revision], or debug (default: embedded)"
    add("--weights", metavar="DIR_OR_HUB_ID", help=weights_help)
    length_help = "longest recording accepted (default: %(default)g)"
    add("--max-seconds", type=float, default=3600.0, metavar="S", help=length_help)
    add("-v", "--verbose", action="store_true", help="say what is being done")
    return made


def default_face(weights: str | None, device: str):
    """The models, loaded; imported late, because that takes seconds."""
    from l2t.talkingface import TalkingFace

    return TalkingFace.from_pretrained(weights, device=device)


class Session:
    """One call of the command: loads the models when the first good recording needs them."""

    def __init__(self, options: argparse.Namespace, face_factory: Callable):
        self.options = options
        self.limits = Limits(max_seconds=options.max_seconds, max_bytes=MAX_BYTES)
        self._make_face, self._face = face_factory, None

    @property
    def face(self):
        if self._face is None:
            self._face = self._make_face(self.options.weights, self.options.device)
            logging.info("weights: %s", getattr(self._face.weights, "label", self._face.weights))
        return self._face

    def animate(self, path: Path, outputs: Outputs) -> str:
        """Do one recording; returns the line that tells of it. Raises L2TError."""
        speech = load_speech(path, self.limits)
        options = self.options
        logging.info("%s: %.1f s of sound", path, speech.seconds)
        take = self.face.animate(speech, style=options.style, identity=options.identity)
        if outputs.motion:
            write_whole(outputs.motion, lambda part: save_motion(take.motion, part))
        if outputs.sync:
            write_whole(outputs.sync, lambda part: save_sync(take.sync, part))
        if outputs.film:
            draw = self.face.render
            write_whole(
                outputs.film, lambda part: draw(take, part, view=options.view, size=options.size)
            )
        made = ", ".join(map(str, outputs.wanted()))
        return f"{path} -> {made} ({summary(speech, take.sync.to_json())})"


def save_motion(motion, path: Path) -> None:
    """Write `motion` as npz; the file keeps the name that it is given."""
    from l2t.export import write_npz

    write_npz(motion, path)


def save_sync(report, path: Path) -> None:
    """Write the report as JSON; what is undefined is null."""
    path.write_text(json.dumps(report.to_json(), allow_nan=False) + "\n", encoding="utf-8")


def summary(speech: Speech, numbers: dict) -> str:
    """A few words on a take; numbers: the report as JSON values."""
    if numbers["lse_c"] is None:
        return f"{speech.seconds:.1f} s, no speech found"
    if numbers["offset_ms"] is None:
        return f"{speech.seconds:.1f} s, the mouth is still"
    return (
        f"{speech.seconds:.1f} s, offset {numbers['offset_ms']:+.0f} ms, "
        f"LSE-C {numbers['lse_c']:.2f}"
    )


def complain(sentence: object) -> None:
    print(" ".join(str(sentence).split()), file=sys.stderr, flush=True)


def prepare(options: argparse.Namespace) -> list[Outputs]:
    """Check what can be checked before the work; raises L2TError."""
    targets = {"film": options.output, "motion": options.motion, "sync": options.sync}
    if not any(targets.values()):
        raise OutputError("Nothing to write: name a film with -o, or --motion, or --sync.")
    if not 0 < options.max_seconds <= LONGEST:
        raise SpeechError(f"--max-seconds must be above 0 and at most {LONGEST:g} seconds.")
    check_size(options.size)
    return plan(options.speech, targets)


def run(options: argparse.Namespace, face_factory: Callable) -> int:
    try:
        jobs = prepare(options)
    except L2TError as error:
        complain(error)
        return 2
    session, status = Session(options, face_factory), 0
    for path, outputs in zip(options.speech, jobs, strict=True):
        try:
            print(session.animate(path, outputs), flush=True)
        except (FaceError, WeightsError) as error:  # an option's fault: no input would fare better
            complain(error)
            return 2
        except L2TError as error:
            complain(f"{path}: {error}")
            status = 1
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
