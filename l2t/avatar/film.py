"""Films of the Gaussian head, with sound: for the command line, the service and the tab."""

from pathlib import Path

from l2t.avatar.avatar import Avatar
from l2t.avatar.camera import Orbit
from l2t.motion import Motion
from l2t.render.film import Progress, Stop, write_film


def write_avatar_film(
    path: Path | str,
    avatar: Avatar,
    motion: Motion,
    speech,
    orbit: Orbit | None = None,
    size: int = 512,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> Path:
    """Draws `motion` with the sound of `speech` (has `.samples`, float32 mono at 16 kHz).

    Drawing is machine code in this process that lets other threads run; any thread may call.
    Raises RenderError, OutputError, Cancelled.
    """
    frames = avatar.frames(motion, orbit, size)
    return write_film(path, frames, motion.fps, speech, len(motion), progress, cancelled)
