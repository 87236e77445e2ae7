"""Packs the grey mouth crops of tracked clips into one array a part, read without decoding.

    python -m training.data.mouths grid_s1 grid_s26 --data data --out CACHE/mouths

writes PART.npy, (clips, frames, 96, 96) uint8, and PART.json, the clips' names in that order.
`load_mouths` maps the array into memory: nothing is read before it is looked at.
"""

import argparse
import json
import logging
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from training.data.clips import names_of

log = logging.getLogger(__name__)

SIDE = 96  # pixels
FRAMES = 75  # a GRID clip: 3 s at 25 frames a second
FPS = 25.0


def decode_mouth(path: Path) -> np.ndarray:
    """Grey pictures of one mouth video, (frames, 96, 96) uint8. ValueError for another size."""
    import av

    with av.open(path) as container:
        pictures = [p.to_ndarray(format="gray") for p in container.decode(video=0)]
    if not pictures or pictures[0].shape != (SIDE, SIDE):
        found = pictures[0].shape if pictures else "no picture"
        raise ValueError(f"{path.name}: found {found}; need pictures of {SIDE} x {SIDE}")
    return np.stack(pictures)


def to_length(pictures: np.ndarray, frames: int) -> np.ndarray:
    """Cut to `frames`, or the last picture held until then."""
    return pictures[np.minimum(np.arange(frames), len(pictures) - 1)]


def pack_mouths(
    out: Path, part: str, names: Sequence[str], mouths: Iterable[np.ndarray], frames: int = FRAMES
) -> None:
    """Writes OUT/PART.npy and OUT/PART.json from one (any, 96, 96) uint8 array a name."""
    out.mkdir(parents=True, exist_ok=True)
    rough = out / f"{part}.part.npy"
    shape = (len(names), frames, SIDE, SIDE)
    packed = np.lib.format.open_memmap(rough, mode="w+", dtype=np.uint8, shape=shape)
    for slot, mouth in zip(packed, mouths, strict=True):
        slot[:] = to_length(mouth, frames)
    packed.flush()
    rough.replace(out / f"{part}.npy")
    text = json.dumps({"fps": FPS, "names": list(names)})
    (out / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def load_mouths(cache: Path, part: str) -> tuple[list[str], np.ndarray]:
    """(names, (clips, frames, 96, 96) uint8 mapped read-only) of CACHE/mouths.

    cache: the folder that holds mouths/.  Raises ValueError when the two files disagree.
    """
    described = json.loads((cache / "mouths" / f"{part}.json").read_text(encoding="utf-8"))
    packed = np.load(cache / "mouths" / f"{part}.npy", mmap_mode="r", allow_pickle=False)
    names = list(described["names"])
    if len(names) != len(packed):
        raise ValueError(f"{part}.json names {len(names)} clips, {part}.npy holds {len(packed)}")
    return names, packed


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Packs mouth crops into arrays.")
    parser.add_argument("parts", nargs="+", help="folders of clips in the data folder")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder for one npy a part")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for part in options.parts:
        began, folder = time.monotonic(), options.data / part
        names = names_of(folder)
        mouths = (decode_mouth(folder / f"{name}.mp4") for name in names)
        pack_mouths(options.out, part, names, mouths)
        log.info("%s: %d clips, %.0f s", part, len(names), time.monotonic() - began)


if __name__ == "__main__":
    main()
