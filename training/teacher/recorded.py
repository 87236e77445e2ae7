"""What a pretrained 2D talking face once said, as a teacher: films in a folder.

    FOLDER/NAME.mp4   grey mouth crops, 96 x 96, 25 fps, frame i at (i + 0.5) / 25 s; framed like
                      grid_s1 (eyes level, side 1.6 inter-ocular distances, centred on the lips)
    FOLDER/NAME.npz   (may be missing) `audio`: the sound it speaks, as a path in the data folder

NAME is the clip's name in the speech corpora, e.g. an utterance of LibriSpeech.
"""

from pathlib import Path

import numpy as np

from training.data.mouths import decode_mouth, to_length
from training.teacher.protocol import SIDE, TeacherError, frames_of

MARK = (68, 76)  # a network's mark sits at x and y from here on, in the corner right below


def names_in(folder: Path) -> list[str]:
    """Names of the films, sorted."""
    return sorted(path.stem for path in Path(folder).glob("*.mp4"))


def audio_of(folder: Path, name: str) -> str | None:
    """Path of the sound in the data folder, or None when it is not written down."""
    path = Path(folder) / f"{name}.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        return str(file["audio"]) if "audio" in file else None


def without_mark(mouths: np.ndarray, mark: tuple[int, int]) -> np.ndarray:
    """(frames, 96, 96): the corner from (x, y) on, filled with the skin to its left."""
    x, y = mark
    out = mouths.copy()
    out[:, y:, x:] = mouths[:, y:, x - 1 : x]
    return out


class RecordedTeacher:
    """Looks a clip's film up by its name. mark: corner of a network's mark, None = without one."""

    title = "recorded 2D network"

    def __init__(self, folder: Path, mark: tuple[int, int] | None = MARK):
        self.folder, self.mark = Path(folder), mark
        self.names = names_in(folder)
        if not self.names:
            raise TeacherError(f"{folder} holds no film; needed are NAME.mp4, {SIDE} x {SIDE}.")

    def mouths(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """See `Teacher`; cut to the sound's length, or the last picture held."""
        if name not in self.names:
            raise TeacherError(
                f"There is no recorded mouth for {name!r}; {self.folder} holds "
                f"{len(self.names)}, for example {self.names[0]}."
            )
        try:
            film = decode_mouth(self.folder / f"{name}.mp4")
        except ValueError as error:
            raise TeacherError(str(error)) from None
        if self.mark:
            film = without_mark(film, self.mark)
        return to_length(film, frames_of(samples))
