"""What the command line understands, and its help."""

import argparse
from pathlib import Path

from l2t.movement import STRONGEST
from l2t.render.scene import SIZE_DEFAULT, SIZE_MAX, SIZE_MIN, VIEWS
from l2t.variants import EVERY

DESCRIPTION = "Turn recordings of speech into films of a talking 3D head."
EPILOG = """With one SPEECH the outputs are files (or folders that exist); with several, -o,
--motion, --sync and --receipt name folders, which are made, and the files in them are called
after the recordings. With --compare there is one film of both heads, and --motion and --sync
write a file for each, with the variant's name added to the file's. A refused recording costs one
line on stderr; the others are still done. --replay makes the files of a receipt again and says of
each whether its bytes are the same; without outputs it makes them all and keeps none. Exit
status: 0 all done (and the same), 1 a recording was refused or failed, 2 an option, an output or
a receipt cannot be as wished, 3 a file of a replay differs. Memory: about 0.25 GB for the samples
of an hour."""
LONGEST = 86_400.0  # seconds, the most that --max-seconds takes


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m l2t", description=DESCRIPTION, epilog=EPILOG)
    add = made.add_argument
    add("speech", nargs="+", type=Path, metavar="SPEECH", help="wav, flac, ogg, opus, mp3, m4a ...")
    add("-o", "--output", type=Path, metavar="MP4", help="the film: H.264 with sound")
    add("--motion", type=Path, metavar="NPZ", help="arkit (frames, 52) float32, names, fps")
    add("--sync", type=Path, metavar="JSON", help="offset, LSE-D, LSE-C, confidence per frame")
    receipt_help = "versions, sha256 of weights, recording and results, and all settings"
    add("--receipt", type=Path, metavar="JSON", help=receipt_help)
    replay_help = "make the files of a receipt again and compare them; its settings hold"
    add("--replay", type=Path, metavar="JSON", help=replay_help)
    add("--identity", metavar="NAME", help="whose head (default: the template's first)")
    add("--style", metavar="NAME", help="how it speaks (default: the model's first)")
    names = [variant.name for variant in EVERY]
    which = made.add_mutually_exclusive_group()
    which.add_argument("--variant", choices=names, help="which student speaks (default: default)")
    which.add_argument("--compare", nargs=2, choices=names, metavar=("LEFT", "RIGHT"),
                       help="two of them side by side")  # fmt: skip
    head_help = f"how strongly the head moves, 0 to {STRONGEST:g}; 1 looks natural (default: 0)"
    add("--head", type=float, metavar="X", default=0.0, help=head_help)
    add("--seed", type=int, metavar="N", help="in which way it moves (default: the recording's)")
    add("--avatar", action="store_true", help="film the Gaussian head instead of the mesh")
    orbit_help = "degrees round (towards its left) and above it (default: 0 0)"
    add("--orbit", nargs=2, type=float, default=(0.0, 0.0), metavar=("AZIMUTH", "ELEVATION"),
        help=f"from where the Gaussian head is seen: {orbit_help}")  # fmt: skip
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
