"""Does GL work here? Asked in a child process, because where it does not, VTK ends the process."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import numpy as np

from l2t.child import own_environment

SECONDS = 60.0  # a cold start of VTK from a slow disk takes several


@dataclass(frozen=True)
class Answer:
    """works: whether pyvista drew a picture; reason: how it failed, in words."""

    works: bool
    reason: str = ""


@cache
def gl() -> Answer:
    """Whether pyvista can draw off-screen, asked once a process."""
    return ask([sys.executable, "-m", "l2t.render.probe"])


def ask(command: list[str], seconds: float = SECONDS) -> Answer:
    """Runs a probing command; it works if it ends with status 0 in time."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, check=False, env=own_environment()
        )
    except subprocess.TimeoutExpired:
        return Answer(False, f"no answer within {seconds:.0f} s")
    except OSError as error:
        return Answer(False, f"the probe could not be started ({error.strerror})")
    if done.returncode == 0:
        return Answer(True)
    if done.returncode < 0:
        return Answer(False, f"the probe was ended by signal {-done.returncode}, GL is missing")
    return Answer(False, f"the probe ended with status {done.returncode}")


def main() -> int:
    """Draws one triangle with the painter itself; status 0 if it can be seen."""
    from l2t.render.mesh import PyvistaPainter
    from l2t.render.scene import frame_shot

    points = np.array([(-1, -1, 0), (1, -1, 0), (0, 1, 0)], np.float32)
    painter = PyvistaPainter(np.array([(0, 1, 2)], np.int32), 3)
    painter.aim(frame_shot(points, "front", 256), 256)
    samples = painter.paint(points, np.full((3, 4), 200, np.uint8))
    painter.close()
    return 0 if (samples[..., 3] > 0).mean() > 0.05 else 3


if __name__ == "__main__":
    sys.exit(main())
