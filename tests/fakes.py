"""A talking face without models: motion from the voice's energy, a film of coloured squares.

Same names and behaviour as `l2t.talkingface.TalkingFace`, deterministic, and as slow as asked, so
that queue, cancel, page and API can be tested in seconds.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import imageio_ffmpeg
import numpy as np

from l2t.avatar.export import Frozen, write_ply, write_splat
from l2t.errors import Cancelled, FaceError
from l2t.face import FaceTemplate
from l2t.lip_take import LipTake, Reading, ReadWord, Transcripts
from l2t.motion import ARKIT_NAMES, FPS, Motion, frame_count
from l2t.movement import Movement
from l2t.noisy import noisy
from l2t.speech import Speech, speech_mask
from l2t.variants import Variant, find_each, offered
from l2t.weights import Weights

JAW = ARKIT_NAMES.index("jawOpen")
IDENTITIES, STYLES = ("old-male", "old-female"), ("calm", "lively")
WEIGHTS = Weights(None, "debug", "Test double, not trained", digest="0" * 64)
VARIANTS = offered(("student", "student_full", "student_reconstruction"))


@dataclass(frozen=True)
class FakeReport:
    """A SyncReport made up from the motion."""

    confidence: np.ndarray
    voiced: np.ndarray
    fps: float = FPS

    def to_json(self) -> dict:
        spoken = bool(self.voiced.any())
        return {
            "fps": self.fps,
            "offset_frames": 0 if spoken else None,
            "offset_ms": 0.0 if spoken else None,
            "lse_d": 6.5 if spoken else None,
            "lse_c": 7.25 if spoken else None,
            "confidence": [None if np.isnan(c) else float(c) for c in self.confidence],
        }


@dataclass(frozen=True)
class FakeTake:
    speech: Speech
    motion: Motion
    sync: FakeReport
    identity: str
    style: str
    variant: Variant
    weights: Weights


@contextlib.contextmanager
def _encoder(path: Path, width: int, height: int) -> Iterator[BinaryIO]:
    """A pipe for RGB pictures that become a film.

    Not by imageio_ffmpeg: it runs Python in the child between fork and exec, where what another
    thread held of PyAV is freed, and its threads, which are not there, are waited for.
    """
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", str(FPS), "-i", "-", "-an", "-c:v", "libx264",
        "-pix_fmt", "yuv420p", "-threads", "1", "-preset", "ultrafast", str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process.stdin
    assert process.returncode == 0


class FakeFace:
    """See the module; `pause` is the time in seconds that each of ten steps of a stage takes."""

    identities, styles, device, renderer = IDENTITIES, STYLES, "cpu", "a test renderer"
    variants, weights, moves = VARIANTS, WEIGHTS, True

    def __init__(self, pause: float = 0.0):
        self.pause = pause
        self.takes = 0  # how often some were begun
        self.template = FaceTemplate.load()
        self.closed = False

    @property
    def lips(self) -> "FakeLips":
        return FakeLips(self)

    def animate(
        self, speech, style=None, identity=None, progress=None, cancelled=None, variant=None,
        head=0.0, seed=None,
    ):  # fmt: skip
        return self.animate_each(
            speech, (variant,), style, identity, progress, cancelled, head, seed
        )[0]

    def animate_each(
        self, speech, variants, style=None, identity=None, progress=None, cancelled=None,
        head=0.0, seed=None,
    ):  # fmt: skip
        """The plainest variant opens the mouth half as wide and fits half as well.

        The head is turned by `head` hundredths of a radian up, and `seed` thousandths aside.
        """
        movement = Movement(head, seed)
        style, identity = style or STYLES[0], identity or IDENTITIES[0]
        chosen = find_each(self.variants, variants)
        if identity not in IDENTITIES:
            names = ", ".join(IDENTITIES)
            raise FaceError(f"There is no identity {identity!r}; choose one of {names}.")
        self.takes += 1
        self._step("moving", progress, cancelled)
        frames = frame_count(speech.seconds)
        voiced = speech_mask(speech.samples, FPS, frames)
        level = _loudness(speech.samples, frames) * (1.5 if style == "lively" else 1.0)
        arkit = np.zeros((frames, len(ARKIT_NAMES)), np.float32)
        arkit[:, JAW] = np.clip(level, 0, 1) * voiced
        turned = np.tile(np.float32([head / 100, (movement.seed or 0) / 1000, 0]), (frames, 1))
        self._step("checking", progress, cancelled)
        wave = np.where(voiced, 0.75 + 0.2 * np.sin(np.arange(frames) / 4), np.nan)
        shares = [0.5 if variant.name == "reconstruction" else 1.0 for variant in chosen]
        return tuple(
            FakeTake(speech, Motion(arkit * share, head=turned),
                     FakeReport(wave * share, voiced), identity, style, variant, WEIGHTS)
            for share, variant in zip(shares, chosen, strict=True)
        )  # fmt: skip

    def render(self, take, path, view="front", size=512, progress=None, cancelled=None) -> Path:
        self._step("drawing", progress, cancelled)
        takes = take if isinstance(take, tuple) else (take,)
        with _encoder(path, size * len(takes), size) as film:
            for openings in zip(*(each.motion.arkit[:, JAW] for each in takes), strict=True):
                heads = [np.full((size, size, 3), int(60 + 180 * o), np.uint8) for o in openings]
                film.write(np.hstack(heads).tobytes())
        return Path(path)

    def render_avatar(self, take, path, orbit, size=512, progress=None, cancelled=None) -> Path:
        return self.render(take, path, "front", size, progress, cancelled)

    def write_splats(self, folder) -> tuple[Path, Path]:
        """One Gaussian, grey and round, a tenth of a unit wide."""
        ply, splat = folder / "learn2talk-avatar.ply", folder / "learn2talk-avatar.splat"
        turn, colours = np.float64([[1, 0, 0, 0]]), np.zeros((1, 4, 3))
        one = Frozen(np.zeros((1, 3)), np.full((1, 3), 0.1), turn, np.full(1, 0.9), colours)
        return write_ply(ply, one), write_splat(splat, one)

    def close(self) -> None:
        self.closed = True

    def _step(self, stage, progress, cancelled) -> None:
        for i in range(10):
            if cancelled and cancelled():
                raise Cancelled("The job was cancelled.")
            if progress:
                progress(stage, i / 10)
            time.sleep(self.pause)


class FakeLips:
    """A LipStudio that hears "bin" and sees "bin blue", surely, whatever is said."""

    def __init__(self, face: FakeFace):
        self.face = face

    def read(self, speech, noise, mouths=None, rules="grid", progress=None, cancelled=None):
        for stage in ("moving", "drawing", "reading"):
            self.face._step(stage, progress, cancelled)
        frames = max(1, round(speech.seconds * 25))
        drawn = mouths is None
        mouths = np.zeros((frames, 96, 96), np.uint8) if drawn else mouths[:frames]
        words = (ReadWord("bin", 0.2, 0.6, 0.9), ReadWord("blue", 0.6, 1.0, 0.5))
        scores = np.zeros((frames, 1))
        heard, seen = Reading(words[:1], scores), Reading(words, scores)
        found = Transcripts(heard, seen, seen, 0.25)
        return LipTake(speech, noise, Speech(noisy(speech, noise)), mouths, drawn, found)


def _loudness(samples: np.ndarray, frames: int) -> np.ndarray:
    parts = np.array_split(np.square(samples, dtype=np.float64), frames)
    return 4 * np.sqrt([part.mean() if len(part) else 0.0 for part in parts])
