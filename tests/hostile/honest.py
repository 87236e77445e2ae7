"""Honest files to be mutated: `python -m hostile.honest recordings|films FOLDER SECONDS [long]`.

Made in a process of its own: what encoders leave behind in a process would count as memory of
every child that is forked from it.
"""

import os
import subprocess
import sys
from pathlib import Path

from hostile.files import flac_of_silence
from hostile.mouths import FILMS, film, mouth_film
from hostile.sounds import ALSO, FORMATS, recording
from l2t.probe import PYAV

# Formats of which a file with eight channels is there; the ffmpeg of PyAV 19 writes no such ADTS.
EIGHT = ("m4a", "adts", "wav") if PYAV < 19 else ("m4a", "wav")
ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}


def honest(target: str, folder: Path, seconds: float, too_long: bool = False) -> list[Path]:
    """Short files of every accepted format, in a fixed order; target: recordings or films.

    too_long: also some that last longer than is accepted, in few bytes.
    """
    command = [sys.executable, "-m", "hostile.honest", target, folder, str(seconds)]
    command += ["long"] if too_long else []
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True
    )
    return [folder / name for name in done.stdout.splitlines()]


def main() -> None:
    target, folder, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    if target == "films":
        made = [mouth_film(folder, name, frames=round(25 * seconds)) for name in FILMS]
        long = [film(folder / f"long.{ending}", frames=350) for ending in ("mkv", "mp4")]
    else:
        made = [recording(folder, name, seconds) for name in (*FORMATS, *ALSO)]
        made += [recording(folder, name, seconds, channels=8) for name in EIGHT]
        long = [folder / "long.flac"]
        long[0].write_bytes(flac_of_silence(70, stated=False))
    made += long if sys.argv[4:] == ["long"] else []
    print("\n".join(path.name for path in made))


if __name__ == "__main__":
    main()
