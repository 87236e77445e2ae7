"""The bad files: each function writes one and says nothing of what should happen to it."""

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from hostile.sounds import recording, voice


def wav(
    data: bytes, rate: int = 16_000, channels: int = 1, bits: int = 16, kind: int = 1, size=None
) -> bytes:
    """A WAV file with whatever header one likes; kind 1 = integers, 3 = floats."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * block % 2**32, block, bits)
    size = len(data) if size is None else size
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", (len(body) + size) & 0xFFFFFFFF) + body + data


def pcm(seconds: float = 1.0, rate: int = 16_000) -> bytes:
    return (voice(seconds, rate) * 32767).astype("<i2").tobytes()


def floats(bad: float) -> bytes:
    samples = voice(1.0)
    samples[5000:5010] = bad
    return samples.astype("<f4").tobytes()


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value, top = 0, 1 << (bits - 1)
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & (2 * top - 1)
    return value


def flac_of_silence(seconds: float, stated: bool = True) -> bytes:
    """Silence at 16 kHz in FLAC, four seconds in 15 bytes; a header that is not `stated` says
    that the length is unknown, as a recorder's does that writes to a pipe."""
    block, rate = 65_535, 16_000
    count = int(seconds * rate / block)
    facts = rate << 44 | 15 << 36 | (count * block if stated else 0)
    info = struct.pack(">HH", block, block) + bytes(6) + facts.to_bytes(8, "big") + bytes(16)
    out = [b"fLaC" + b"\x80" + len(info).to_bytes(3, "big") + info]
    for number in range(count):
        head = b"\xff\xf8\x75\x08" + chr(number).encode() + struct.pack(">H", block - 1)
        frame = head + bytes([_crc(head, 0x07, 8)]) + bytes(3)  # one constant subframe of 0
        out.append(frame + struct.pack(">H", _crc(frame, 0x8005, 16)))
    return b"".join(out)


def silent_film(path: Path) -> None:
    """An MP4 that holds pictures and no sound."""
    with av.open(path, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)


def cut(folder: Path, name: str, keep: int) -> bytes:
    return recording(folder, name).read_bytes()[:keep]


PLAYLIST = "#EXTM3U\n#EXTINF:3,\nfile:///etc/passwd\n#EXTINF:3,\nhttp://127.0.0.1:9/a.ts\n"
CONCAT = "ffconcat version 1.0\nfile '/etc/hostname'\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"

# What a bad file is called: (its ending, how its bytes are made).
BAD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("wav", lambda: b""),
    "text": ("wav", lambda: b"Dear Sir or Madam,\n" * 50),
    "utf16 text": ("mp3", lambda: ("\ufeff" + "hello " * 99).encode("utf-16-le")),
    "header only": ("wav", lambda: wav(b"")),
    "one sample": ("wav", lambda: wav(b"\1\2")),
    "too short": ("wav", lambda: wav(pcm(0.15))),
    "too long": ("wav", lambda: wav(bytes(2 * 8000 * 90), 8000)),
    "ten hours in a little FLAC": ("flac", lambda: flac_of_silence(36_000)),
    "ten hours nobody stated": ("flac", lambda: flac_of_silence(36_000, stated=False)),
    "not a number": ("wav", lambda: wav(floats(np.nan), bits=32, kind=3)),
    "infinite": ("wav", lambda: wav(floats(-np.inf), bits=32, kind=3)),
    "0 Hz": ("wav", lambda: wav(pcm(), 0)),
    "1 Hz": ("wav", lambda: wav(pcm(), 1)),
    "4 GHz": ("wav", lambda: wav(pcm(), 0xFFFFFFFF)),
    "0 channels": ("wav", lambda: wav(pcm(), channels=0)),
    "64 channels": ("wav", lambda: wav(pcm(4), channels=64)),
    "0 bits": ("wav", lambda: wav(pcm(), bits=0)),
    "unknown coding": ("wav", lambda: wav(pcm(), kind=0x0161)),
    "playlist": ("m3u8", PLAYLIST.encode),
    "playlist as wav": ("wav", PLAYLIST.encode),
    "concatenation": ("wav", CONCAT.encode),
    "network description": ("wav", SDP.encode),
    "picture": ("png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(200)),
    "archive": ("zip", lambda: b"PK\3\4" + bytes(200)),
    "only an ID3 tag": ("mp3", lambda: b"ID3\4\0\0\0\0\0\0" + bytes(300)),
    "only a magic word": ("flac", lambda: b"fLaC"),
    "ogg of zeros": ("ogg", lambda: b"OggS" + bytes(5000)),
    "webm of zeros": ("webm", lambda: b"\x1aE\xdf\xa3" + bytes(5000)),
    "m4a of zeros": ("m4a", lambda: b"\0\0\0\x18ftypM4A " + bytes(5000)),
}
