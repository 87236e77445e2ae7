"""What an independent judge sees in finished films: a face tracker that knows nothing of the mesh.

The judge is `training.judge`; it needs mediapipe, which may live in an environment of its own.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from l2t.face import FaceTemplate
from l2t.models.syncnet3d import SyncNet3D
from training.data.track_faces import Tracker
from training.evaluate.clips import Clip
from training.evaluate.tables import row, table
from training.judge import judge_rows
from training.judge_films import make_films

ABSENT = "Seen from outside (`training.judge`): not measured, {}.\n"


def judged(
    sets: dict[str, list[Clip]],
    make: Callable[[Clip], np.ndarray],
    count: int,
    out: Path,
    python: str | None,
    template: FaceTemplate,
    expert: SyncNet3D,
    size: int = 384,
) -> str:
    """Draws `count` films of every set into `out` and has them judged; a sentence when it cannot.

    make: a clip's motion (frames, 52); python: interpreter that has mediapipe, None = this one.
    """
    if not count:
        return ABSENT.format("no films were asked for (`--judge N`)")
    tracker, rows = Tracker(python), []
    if not tracker.available():
        return ABSENT.format("mediapipe is missing")
    for label, clips in sets.items():
        chosen = clips[:: max(1, len(clips) // count)][:count]
        films = make_films(chosen, make, out / label, size)
        rows += judge_rows(films, label, tracker, template, expert, row)
    return table(f"Finished films of the default, seen from outside ({count} of each set)", rows)
