"""Landmarks of the one face in a video, by MediaPipe in a process of its own.

MediaPipe 0.10.21 carries its face mesh inside the wheel, so nothing is downloaded at run time. It
declares numpy<2 but works with newer ones, and its crashes are native ones: so it runs in a child
process, in whatever interpreter has it (`Tracker(python)`).
"""

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2t.errors import L2TError
from l2t.face import LIP_POINTS
from training.data.track_child import MISSING

PIP = (
    "pip install --no-deps mediapipe==0.10.21 && "
    "pip install -r training/requirements-track.txt"
)
CHILD = Path(__file__).with_name("track_child.py")
# The 80 of MediaPipe's 478 points that a clip stores: lips, face outline, brows, lids, nose.
INDEX = np.array(
    LIP_POINTS
    + (127, 234, 93, 132, 58, 172, 136, 150, 176, 152, 400, 379, 365, 397, 288, 361, 323, 454, 356)
    + (70, 105, 107, 336, 334, 300)
    + (33, 159, 133, 145, 362, 386, 263, 374)
    + (168, 6, 4, 1, 98, 327, 2),
    np.int16,
)


class TrackError(L2TError):
    """A video cannot become clips; the message is one sentence."""


class NoTracker(TrackError):
    """The interpreter that was to track has no mediapipe."""


@dataclass(frozen=True)
class Faces:
    """What the tracker saw in each picture.

    points: (frames, 80, 3) float32 pixels, x right, y down, z away from the camera; 0 where no
            face was found. Columns follow `INDEX`.
    found:  (frames,) bool.
    crowd:  share of the pictures looked at for it that show more than one face of about one size.
    """

    points: np.ndarray
    found: np.ndarray
    crowd: float = 0.0


class Tracker:
    """Calls the child: `tracker(pictures) -> Faces`, pictures (height, width, 3) uint8 RGB.

    python: the interpreter that has mediapipe (None: this one); seconds: limit for one video.
    """

    def __init__(self, python: str | Path | None = None, seconds: float = 3600.0):
        self.python, self.seconds = str(python or sys.executable), seconds

    def __call__(self, pictures: Iterable[np.ndarray]) -> Faces:
        """Raises NoTracker without mediapipe, TrackError when the child fails or takes too long."""
        pictures = iter(pictures)
        first = next(pictures, None)
        if first is None:
            raise TrackError("The video holds no pictures; a talking face is expected.")
        with tempfile.TemporaryDirectory() as folder:
            return self._follow(first, pictures, Path(folder))

    def available(self) -> bool:
        """Whether the interpreter has mediapipe: tries it on one grey picture."""
        try:
            self([np.full((64, 64, 3), 128, np.uint8)])
        except NoTracker:
            return False
        return True

    def _follow(self, first: np.ndarray, rest: Iterator[np.ndarray], folder: Path) -> Faces:
        height, width = first.shape[:2]
        out, said = folder / "faces.npz", folder / "said"
        command = [self.python, str(CHILD), str(width), str(height), str(out)]
        with said.open("wb") as errors:
            try:
                child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors)
            except OSError as error:
                raise NoTracker(f"The interpreter {self.python!r} cannot be started.") from error
        late = threading.Timer(self.seconds, child.kill)
        late.daemon = True
        late.start()
        try:
            with contextlib.suppress(BrokenPipeError), child.stdin:  # a dead child has a status
                child.stdin.write(np.ascontiguousarray(first))
                for picture in rest:
                    child.stdin.write(np.ascontiguousarray(picture))
            status = child.wait()
        finally:
            late.cancel()
            child.kill()
            child.wait()
        if status == MISSING:
            raise NoTracker(f"mediapipe cannot be imported by {self.python!r}; install it: {PIP}")
        if status:
            raise TrackError(f"The tracker failed ({_reason(status, said)}).")
        with np.load(out, allow_pickle=False) as found:
            return _faces(found["points"], found["found"], found["people"])


def _faces(points: np.ndarray, found: np.ndarray, people: np.ndarray) -> Faces:
    counted = people[people >= 0]
    crowd = float(np.mean(counted > 1)) if len(counted) else 0.0
    return Faces(points[:, INDEX], found, crowd)


def _reason(status: int, said: Path) -> str:
    if status < 0:
        return f"ended by signal {-status}, after its time limit or a crash"
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else f"status {status}"
