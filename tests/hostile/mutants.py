"""Damaged files by the dozen: honest ones of every format, altered at random (seeded)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hostile.sounds import FORMATS, recording

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def flip(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    """Other values for up to 20 of the first `reach` bytes."""
    for at in rng.integers(0, reach, rng.integers(1, 20)):
        data[at] = rng.integers(256)


def extreme(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    """A 32-bit number at the edge of what one can hold, in either byte order."""
    at = int(rng.integers(0, reach - 4))
    order = "little" if rng.random() < 0.5 else "big"
    data[at : at + 4] = int(rng.choice(EXTREMES)).to_bytes(4, order)


def truncate(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    del data[int(rng.integers(1, len(data))) :]


def erase(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    """A stretch of zeros or ones."""
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 400))
    data[at : at + size] = bytes([int(rng.choice((0, 255)))]) * len(data[at : at + size])


def repeat(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    """A stretch a second time, which moves all that follows."""
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 400))
    data[at:at] = data[at : at + size]


def swap(data: bytearray, rng: np.random.Generator, reach: int) -> None:
    """Two parts changed over, the first bytes kept so that the format is still known."""
    half = int(rng.integers(16, len(data)))
    data[16:] = data[half:] + data[16:half]


MUTATIONS = (flip, flip, extreme, extreme, truncate, erase, repeat, swap)


def mutants(folder: Path, count: int, seed: int = 2) -> Iterator[Path]:
    """Write `count` damaged files into `folder`, the formats and mutations taking turns."""
    rng = np.random.default_rng(seed)
    honest = [recording(folder, name, seconds=0.6) for name in FORMATS]
    for number in range(count):
        source = honest[number % len(honest)]
        data = bytearray(source.read_bytes())
        reach = min(len(data), 300) if rng.random() < 0.6 else len(data)
        MUTATIONS[(number // len(honest)) % len(MUTATIONS)](data, rng, reach)
        path = folder / f"{number:03d}{source.suffix}"
        path.write_bytes(bytes(data))
        yield path
