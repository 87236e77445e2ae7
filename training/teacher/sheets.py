"""Contact sheets: films of mouths under each other, time to the right."""

from pathlib import Path

import numpy as np


def film_sheet(films: list[np.ndarray], every: int = 1, columns: int = 25) -> np.ndarray:
    """One row a film: every n-th frame, (rows * side, columns * side) uint8.

    films: (frames, side, side) uint8 each, of the same length.
    """
    rows = [np.concatenate(list(film[::every][:columns]), axis=1) for film in films]
    return np.concatenate(rows, axis=0)


def save_film(path: Path, films: list[np.ndarray], every: int = 1, columns: int = 25) -> None:
    """Writes the sheet as a picture."""
    from PIL import Image

    Image.fromarray(film_sheet(films, every, columns)).save(path)
