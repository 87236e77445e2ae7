"""What an untrusted file says it is, checked before anything of it is decoded.

Runs in the decoding children only. `limits` are the fields of `l2t.speech.Limits` as a dict, with
`bytes` (size of the file) and `formats` (the end of a sentence).
"""

import struct
from typing import BinaryIO

import av

HEAD_BYTES = 4096  # looked at to tell what a file is
CODECS = (
    "flac", "vorbis", "opus", "libopus", "mp3", "mp3float", "mp2", "mp2float", "aac", "alac",
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be",
    "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav",
)  # fmt: skip
PYAV = int(av.__version__.partition(".")[0])
# Titles that are no UTF-8 must not hide the sound; from 19 on PyAV always reads them so.
LENIENT = {"metadata_errors": "replace"} if PYAV < 19 else {}
EXACT_HEADERS = ("wav", "flac", "mov")  # whose stated duration is a promise, not an estimate
MOST_STREAMS = 16  # of a file, wanted or not
FRAME_SAMPLES = 1 << 18  # of each channel that a packet may decode to: a minute at 4 kHz


class Refused(Exception):
    """The file is not accepted; the message is one sentence for the visitor."""


def sniff(head: bytes) -> str | None:
    """Name of the demuxer for a file that begins with `head`, or None if it is no audio we know.

    Deciding here instead of asking libav keeps its other two hundred readers (playlists,
    concatenation scripts, network descriptions, images) out of reach.
    """
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    for magic, name in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska")):
        if head.startswith(magic):
            return name
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    body = head.lstrip(b"\0")
    if body.startswith(b"ID3"):
        return "mp3"
    if len(body) > 2 and body[0] == 0xFF and body[1] & 0xE0 == 0xE0:
        layer = body[1] >> 1 & 3
        # An ADTS header has layer 0 and a twelfth sync bit; a UTF-16 mark reads as layer I.
        return "mp3" if layer in (1, 2) else "aac" if body[1] & 0xF6 == 0xF0 else None
    return None


def check_facts(rate: int, channels: int, limits: dict) -> None:
    """Refuse a sampling rate or channel count outside `limits`; rate in Hz."""
    low, high = limits["min_rate"], limits["max_rate"]
    if not low <= rate <= high:
        raise Refused(
            f"The recording says it holds {rate} samples a second; {low} to {high} are accepted."
        )
    if not 1 <= channels <= limits["max_channels"]:
        raise Refused(
            f"The recording says it has {channels} channels; "
            f"1 to {limits['max_channels']} are accepted."
        )


def check_wav(head: bytes, limits: dict) -> None:
    """Look at a WAV's own words first: libav says no more than "invalid" to an odd header."""
    at = 12
    while at + 24 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt ":
            channels, rate = struct.unpack_from("<HI", head, at + 10)
            check_facts(rate, channels, limits)
            return
        at += 8 + size + size % 2


def too_long(seconds: float | None, limits: dict) -> Refused:
    """What to raise for a file of that many seconds; None where it is not known."""
    found = f"is {seconds:.0f} seconds long" if seconds else "is too long"
    most = f"at most {limits['max_seconds']:g} seconds are accepted"
    return Refused(f"The {limits['subject']} {found}; {most}.")


def read_head(file: BinaryIO) -> bytes:
    """The first bytes of an open file, which is then back at its start."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def open_container(file: BinaryIO, name: str, codecs: tuple[str, ...], bounds: dict):
    """The file opened by the one reader `name`, with no other decoders than `codecs`.

    bounds: options of libav's decoders (`max_pixels`, `max_samples`), which hold already while
    libav looks into the first packets for what the header does not say.
    """
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": name,
        "codec_whitelist": ",".join(codecs),
        "max_streams": str(MOST_STREAMS),
    }
    return av.open(file, format=name, options=options | bounds, **LENIENT)


def prepare(stream, bounds: dict) -> None:
    """Bounds on the decoder of a stream: one thread (each costs address space), and `bounds`."""
    stream.codec_context.thread_count = 1
    stream.codec_context.options = bounds


def open_audio(file: BinaryIO, limits: dict):
    """The opened container and its audio stream, header facts checked."""
    head = read_head(file)
    name = sniff(head)
    if name is None:
        raise Refused(f"The file is not a recording in a known format; {limits['formats']}")
    if name == "wav":
        check_wav(head, limits)
    bounds = {"max_samples": str(FRAME_SAMPLES)}
    container = open_container(file, name, CODECS, bounds)
    if not container.streams.audio:
        raise Refused(f"The file holds no sound; {limits['formats']}")
    stream = container.streams.best("audio") or container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in CODECS:
        raise Refused(f"The recording's sound is in an unknown coding; {limits['formats']}")
    check_facts(stream.rate or 0, stream.channels or 0, limits)
    check_stated_length(stream, name, limits)
    prepare(stream, bounds)
    return container, stream


def check_stated_length(stream, name: str, limits: dict) -> None:
    """Refuse a stream that says it is too long, where its format `name` keeps its word."""
    seconds = float(stream.duration * stream.time_base) if stream.duration else None
    if name in EXACT_HEADERS and seconds and seconds > 1.1 * limits["max_seconds"] + 1:
        # A WAV written to a pipe claims four gigabytes: believe no more than the file can hold.
        pcm = stream.codec_context.name.startswith("pcm_") and stream.codec_context.bit_rate
        if not pcm or limits["bytes"] * 8 / pcm > limits["max_seconds"]:
            raise too_long(min(seconds, limits["bytes"] * 8 / pcm) if pcm else seconds, limits)
