"""Where the structure of a media file lies: its parts and its numbers, for mutations that know it.

A parser believes the file as far as it goes and stops where it does not make sense.
"""

from dataclasses import dataclass, field
from itertools import pairwise

MOST_PARTS, DEEPEST = 1000, 12  # of a level of a file; levels: a mutant may have any number
MASTERS = (  # EBML elements that hold others
    0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x1F43B675, 0xA0, 0x1C53BB6B, 0xBB, 0xB7,
    0x114D9B74, 0x4DBB, 0x1A45DFA3, 0x1254C367, 0x6D80, 0x6240, 0x5034,
)  # fmt: skip
NESTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf",
         b"mvex")  # fmt: skip


@dataclass
class Layout:
    """parts: (first byte, one past the last) of what could stand elsewhere, or twice, or not.

    fields: (first byte, bytes, byte order) of numbers.
    """

    parts: list[tuple[int, int]] = field(default_factory=list)
    fields: list[tuple[int, int, str]] = field(default_factory=list)


def number(data: bytes, at: int, size: int, order: str = "big") -> int:
    return int.from_bytes(data[at : at + size], order)


def riff(data: bytes) -> Layout:
    """WAV: chunks, and what the format chunk says."""
    found, at = Layout(fields=[(4, 4, "little")]), 12
    while at + 8 <= len(data) and len(found.parts) < MOST_PARTS:
        size = number(data, at + 4, 4, "little")
        found.fields.append((at + 4, 4, "little"))
        if data[at : at + 4] == b"fmt ":
            for offset, width in ((8, 2), (10, 2), (12, 4), (16, 4), (20, 2), (22, 2)):
                found.fields.append((at + offset, width, "little"))
        end = min(at + 8 + size + size % 2, len(data))
        found.parts.append((at, end))
        at = end
    return found


def flac(data: bytes) -> Layout:
    """FLAC: metadata blocks, the stream's facts, frames."""
    found, at = Layout(), 4
    while at + 4 <= len(data) and len(found.parts) < MOST_PARTS:
        end = min(at + 4 + number(data, at + 1, 3), len(data))
        found.fields += [(at, 1, "big"), (at + 1, 3, "big")]
        if data[at] & 0x7F == 0:
            sizes = ((4, 2), (6, 2), (8, 3), (11, 3), (14, 8), (14, 3), (16, 2))
            found.fields += [(at + offset, width, "big") for offset, width in sizes]
        found.parts.append((at, end))
        last, at = data[at] & 0x80, end
        if last:
            break
    return _frames(data, found, at, b"\xff\xf8", 6)


def mpeg(data: bytes) -> Layout:
    """MP3, MP2, AAC: a tag in front, frames."""
    found, at = Layout(), 0
    if data.startswith(b"ID3"):
        found.fields += [(3, 2, "big"), (5, 1, "big"), (6, 4, "big"), (14, 4, "big")]
        size = data[6:10].ljust(4, b"\0")
        at = min(10 + sum((size[i] & 0x7F) << 7 * (3 - i) for i in range(4)), len(data))
        found.parts.append((0, at))
    return _frames(data, found, at, data[at : at + 2], 7)


def _frames(data: bytes, found: Layout, at: int, sync: bytes, head: int) -> Layout:
    starts = []
    while len(sync) == 2 and (at := data.find(sync, at)) >= 0:
        starts.append(at)
        at += head
    for start, end in pairwise([*starts[:MOST_PARTS], len(data)]):
        found.parts.append((start, end))
        found.fields += [(start, 4, "big"), (start + 2, 1, "big"), (start + 3, head - 3, "big")]
    return found


def ogg(data: bytes) -> Layout:
    """Ogg: pages, and the numbers in the header of Vorbis, Opus or FLAC on the first."""
    found, at = Layout(), 0
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        for offset, width in ((5, 1), (6, 8), (14, 4), (18, 4), (26, 1), (27, 1)):
            found.fields.append((at + offset, width, "little"))
        body = at + 27 + data[at + 26]
        if at == 0:
            offsets = ((9, 1), (10, 2), (12, 4), (16, 2), (11, 1), (28, 1))
            found.fields += [(body + offset, width, "little") for offset, width in offsets]
        end = min(body + sum(data[at + 27 : body]), len(data))
        found.parts.append((at, end))
        at = end
    return found


def boxes(data: bytes, at: int = 0, end: int | None = None, depth: int = 0) -> Layout:
    """MP4, MOV: boxes at every depth, and the first numbers of those that hold no others."""
    found, end = Layout(), len(data) if end is None else end
    while at + 8 <= end and len(found.parts) < MOST_PARTS:
        size, name = number(data, at, 4), data[at + 4 : at + 8]
        stop = min(at + size, end) if size >= 8 else end
        found.parts.append((at, stop))
        found.fields.append((at, 4, "big"))
        if name in NESTS and depth < DEEPEST:
            inner = boxes(data, at + 8, stop, depth + 1)
            found.parts += inner.parts
            found.fields += inner.fields
        elif name != b"mdat":
            found.fields += [(i, 4, "big") for i in range(at + 8, min(stop - 3, at + 120), 4)]
            found.fields += [(i, 2, "big") for i in range(at + 8, min(stop - 1, at + 60), 2)]
        at = stop
    return found


def ebml(data: bytes, at: int = 0, end: int | None = None, depth: int = 0) -> Layout:
    """Matroska, WebM: elements at every depth, their sizes, and the numbers among them."""
    found, end = Layout(), len(data) if end is None else end
    while at + 2 <= end and data[at] and len(found.parts) < MOST_PARTS:
        width = 9 - data[at].bit_length()
        where = at + width
        if where >= end or not data[where]:
            break
        long = 9 - data[where].bit_length()
        size = number(data, where, long) & ((1 << 7 * long) - 1)
        body = where + long
        stop = min(body + size, end) if size != (1 << 7 * long) - 1 else end
        found.parts.append((at, stop))
        found.fields.append((where, long, "big"))
        if number(data, at, width) in MASTERS and depth < DEEPEST:
            inner = ebml(data, body, stop, depth + 1)
            found.parts += inner.parts
            found.fields += inner.fields
        else:
            found.fields.append((body, min(stop - body, 8), "big"))
        at = stop
    return found


def layout(data: bytes) -> Layout:
    """That of a file of any accepted format; empty for anything else."""
    known = ((b"RIFF", riff), (b"fLaC", flac), (b"OggS", ogg), (b"\x1aE\xdf\xa3", ebml),
             (b"ID3", mpeg), (b"\xff", mpeg))  # fmt: skip
    for magic, parse in known:
        if data.startswith(magic):
            return parse(data)
    return boxes(data) if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") else Layout()
