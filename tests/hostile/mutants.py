"""Damaged files by the hundred: honest ones of every format, altered at random (seeded).

Half of the mutations know no format, the others work on a file's own parts and numbers
(`hostile.layouts`): sizes of chunks, boxes, pages and elements, rates, channels, durations, time
stamps; parts that come twice, not at all or from another file.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hostile.layouts import layout

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 24, 0x7FFFFFFF, 0x80000000,
            0xFFFFFFFF, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
FLOATS = (float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e-30, 1e30)
LONGEST = 400_000  # bytes of a mutant
Random = np.random.Generator
Mutation = Callable[[bytearray, Random, bytes], None]  # in place; the bytes: another honest file


def flip(data: bytearray, rng: Random, other: bytes) -> None:
    """Other values for up to 20 bytes, often of the head."""
    for at in rng.integers(0, _reach(data, rng), rng.integers(1, 20)):
        data[at] = rng.integers(256)


def extreme(data: bytearray, rng: Random, other: bytes) -> None:
    """A 32-bit number at the edge of what one can hold, in either byte order."""
    at = int(rng.integers(0, max(1, _reach(data, rng) - 4)))
    order = "little" if rng.random() < 0.5 else "big"
    value = EXTREMES[rng.integers(len(EXTREMES))] & 0xFFFFFFFF
    data[at : at + 4] = value.to_bytes(4, order)


def truncate(data: bytearray, rng: Random, other: bytes) -> None:
    del data[int(rng.integers(1, len(data) + 1)) :]


def erase(data: bytearray, rng: Random, other: bytes) -> None:
    """A stretch of zeros or ones."""
    at, size = int(rng.integers(0, _reach(data, rng))), int(rng.integers(1, 400))
    data[at : at + size] = bytes([int(rng.choice((0, 255)))]) * len(data[at : at + size])


def repeat(data: bytearray, rng: Random, other: bytes) -> None:
    """A stretch a second time, which moves all that follows."""
    at, size = int(rng.integers(0, _reach(data, rng))), int(rng.integers(1, 400))
    data[at:at] = data[at : at + size]


def swap(data: bytearray, rng: Random, other: bytes) -> None:
    """Two parts changed over, the first bytes kept so that the format is still known."""
    half = int(rng.integers(min(16, len(data)), len(data) + 1))
    data[16:] = data[half:] + data[16:half]


def renumber(data: bytearray, rng: Random, other: bytes) -> None:
    """Other values for up to three numbers of the format."""
    fields = layout(data).fields
    for _ in range(int(rng.integers(1, 4)) if fields else 0):
        at, size, order = fields[rng.integers(len(fields))]
        if size:
            data[at : at + size] = _value(data[at : at + size], order, rng)


def _value(old: bytes, order: str, rng: Random) -> bytes:
    """An edge, a neighbour, a multiple, a float that is no number, or anything."""
    top, kind = 1 << 8 * len(old), rng.random()
    if kind < 0.15 and len(old) in (4, 8):
        sign = ">" if order == "big" else "<"
        code = "f" if len(old) == 4 else "d"
        return struct.pack(sign + code, FLOATS[rng.integers(len(FLOATS))])
    value = int.from_bytes(old, order)
    if kind < 0.5:
        value = EXTREMES[rng.integers(len(EXTREMES))]
    elif kind < 0.7:
        value += int(rng.integers(-4, 5))
    elif kind < 0.85:
        value = value * 2 ** int(rng.integers(1, 12)) >> int(rng.integers(0, 8))
    else:
        value = int.from_bytes(rng.bytes(len(old)), order)
    return (value % top).to_bytes(len(old), order)


def rearrange(data: bytearray, rng: Random, other: bytes) -> None:
    """A part of the format left out, repeated, or changed over with another."""
    parts = layout(data).parts
    if not parts:
        return
    start, end = parts[rng.integers(len(parts))]
    kind, piece = rng.random(), data[start:end]
    if kind < 0.35:
        del data[start:end]
    elif kind < 0.7:
        data[start:start] = piece * int(rng.integers(1, 30))
    else:
        low, high = parts[rng.integers(len(parts))]
        if end <= low:
            data[start:high] = data[low:high] + data[end:low] + piece


def transplant(data: bytearray, rng: Random, other: bytes) -> None:
    """A part of another file, of whatever format, in the place of one of this."""
    mine, theirs = layout(data).parts, layout(other).parts
    if mine and theirs:
        (start, end), (low, high) = mine[rng.integers(len(mine))], theirs[rng.integers(len(theirs))]
        data[start : end if rng.random() < 0.5 else start] = other[low:high]


def splice(data: bytearray, rng: Random, other: bytes) -> None:
    """One file behind another, or the head of one with the tail of another."""
    if rng.random() < 0.5:
        data += other
    else:
        cut = int(rng.integers(0, _reach(data, rng)))
        data[cut:] = other[min(cut, len(other)) :]


BLIND: tuple[Mutation, ...] = (flip, extreme, truncate, erase, repeat, swap)
KNOWING: tuple[Mutation, ...] = (renumber, rearrange, renumber, transplant, renumber, splice)
MUTATIONS = tuple(m for pair in zip(BLIND, KNOWING, strict=True) for m in pair)


def _reach(data: bytes, rng: Random) -> int:
    """How far into the file a blind mutation reaches: the head more often than the rest."""
    return max(1, min(len(data), 300) if rng.random() < 0.6 else len(data))


def mend(data: bytearray) -> None:
    """Right check sums for the pages of an Ogg file, without which nobody looks inside."""
    if data.startswith(b"OggS"):
        for start, end in layout(data).parts:
            data[start + 22 : start + 26] = bytes(4)
            data[start + 22 : start + 26] = _ogg_crc(data[start:end]).to_bytes(4, "little")


_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_crc(page: bytes) -> int:
    """Ogg's CRC is zlib's, read in the mirror and without its ones before and after."""
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def mutate(source: bytes, other: bytes, rng: Random, mutation: Mutation) -> bytes:
    """A mutant of `source`; half of those of an Ogg file have their check sums put right."""
    data = bytearray(source)
    mutation(data, rng, other)
    if rng.random() < 0.5:
        mend(data)
    return bytes(data[:LONGEST])


def mutants(folder: Path, honest: list[Path], count: int, seed: int = 2) -> Iterator[Path]:
    """Write `count` damaged files into `folder`, the files and mutations taking turns."""
    rng = np.random.default_rng(seed)
    whole = [path.read_bytes() for path in honest]
    for number in range(count):
        turn, which = divmod(number, len(honest))
        mutation = MUTATIONS[turn % len(MUTATIONS)]
        data = mutate(whole[which], whole[rng.integers(len(whole))], rng, mutation)
        path = folder / f"{number:04d}-{mutation.__name__}{honest[which].suffix}"
        path.write_bytes(data)
        yield path
