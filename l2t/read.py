"""Read a recording by ear, by eye and by both: `python -m l2t.read clip.wav --noise babble`.

    python -m l2t.read clip.wav --noise babble --snr -5      # the head says it, its lips are read
    python -m l2t.read clip.flac --mouth clip.mp4 --snr 0    # the lips of a film, 96 x 96 pixels

Prints one line of JSON: the three transcripts, each word with its times in seconds and a
confidence. The words are the 51 of the GRID corpus, whatever is said.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.errors import L2TError
from l2t.lip_limits import RULES, check_length, check_rules
from l2t.mouth_clip import load_mouths
from l2t.noise import KINDS
from l2t.noisy import Noise
from l2t.speech import load_speech

if TYPE_CHECKING:
    from l2t.lipreading import Reading
    from l2t.lipstudio import LipTake


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m l2t.read", description=__doc__.partition("\n")[0])
    made.add_argument("recording", type=Path, help="0.4 to 10 seconds of speech")
    made.add_argument("--mouth", type=Path, help="film of the mouth, taken with the recording")
    made.add_argument("--noise", help=f"{', '.join(KINDS)} (default: none)")
    made.add_argument("--snr", type=float, default=0.0, help="dB of the voice over the noise")
    made.add_argument("--rules", default="grid", help=f"{', '.join(RULES)} (default: %(default)s)")
    made.add_argument("--weights", metavar="DIR_OR_HUB_ID", help="default: embedded")
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return made


def plain(reading: "Reading") -> dict:
    """A reading as JSON values."""
    words = [
        {"word": w.text, "start": round(w.start, 2), "end": round(w.end, 2),
         "confidence": round(w.confidence, 3)}
        for w in reading.words
    ]  # fmt: skip
    return {"text": reading.text, "words": words}


def transcripts(take: "LipTake") -> dict:
    """A take's three readings as JSON values."""
    found = take.found
    return {
        "audio": plain(found.audio),
        "lips": plain(found.lips),
        "both": plain(found.both),
        "free_speech": take.free,
        "share_of_sound": round(found.ears, 3),
        "lips_of": "head" if take.drawn else "film",
        "noise": take.noise.kind,
        "snr_db": take.noise.snr_db if take.noise.kind else None,
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 and a sentence on the error stream when it cannot be done."""
    options = parser().parse_args(arguments)
    try:
        check_rules(options.rules)
        noise = Noise(options.noise, options.snr)
        speech = load_speech(options.recording)
        check_length(speech.seconds)
        mouths = load_mouths(options.mouth) if options.mouth else None
        from l2t.talkingface import TalkingFace  # takes seconds

        with TalkingFace.from_pretrained(options.weights, options.device) as face:
            take = face.lips.read(speech, noise, mouths, options.rules)
    except L2TError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(transcripts(take)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
