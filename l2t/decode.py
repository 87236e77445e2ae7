"""The child's side of the fence: probes and decodes one untrusted recording, run as a script.

    python -P l2t/decode.py '{"rate": 16000, "max_seconds": 60, ...}' < recording > frames

The recording comes as an open file on standard input, so no path is ever opened here; after the
imports the process may neither open nor write a file. What it found goes to standard output as
frames (`FRAME`: a tag and the payload's length, then the payload):

    S   samples, mono float32 at `rate`, not normalised
    D   the end of a good recording, JSON with what it was
    E   the end of a refused one, a sentence

Only PyAV and numpy are imported: the child has to be there in a few tenths of a second.
"""

import io
import json
import struct
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av
import av.error
import numpy as np

FRAME = struct.Struct("<cI")  # tag, payload bytes
SAMPLES, DONE, REFUSED = b"S", b"D", b"E"
BLOCK_SECONDS = 0.5  # decoded sound is resampled and sent in blocks of about this length
HEAD_BYTES = 4096  # looked at to tell what a file is
CODECS = (
    "flac", "vorbis", "opus", "libopus", "mp3", "mp3float", "mp2", "mp2float", "aac", "alac",
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be",
    "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav",
)  # fmt: skip
EXACT_HEADERS = ("wav", "flac", "mov")  # whose stated duration is a promise, not an estimate


class Refused(Exception):
    """The recording is not accepted; the message is one sentence for the visitor."""


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
    at = head.find(b"fmt ")
    if 0 < at <= len(head) - 16:
        channels, rate = struct.unpack_from("<HI", head, at + 10)
        check_facts(rate, channels, limits)


def too_long(seconds: float | None, limits: dict) -> Refused:
    found = f"is {seconds:.0f} seconds long" if seconds else "is too long"
    return Refused(f"The recording {found}; at most {limits['max_seconds']:g} are accepted.")


def open_audio(file: BinaryIO, limits: dict):
    """The opened container and its audio stream, header facts checked."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    name = sniff(head)
    if name is None:
        raise Refused(f"The file is not a recording in a known format; {limits['formats']}")
    if name == "wav":
        check_wav(head, limits)
    container = av.open(
        file,
        format=name,
        metadata_errors="replace",
        options={
            "protocol_whitelist": "none",
            "format_whitelist": name,
            "codec_whitelist": ",".join(CODECS),
            "max_streams": "16",
        },
    )
    if not container.streams.audio:
        raise Refused(f"The file holds no sound; {limits['formats']}")
    stream = container.streams.best("audio") or container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in CODECS:
        raise Refused(f"The recording's sound is in an unknown coding; {limits['formats']}")
    check_facts(stream.rate or 0, stream.channels or 0, limits)
    seconds = float(stream.duration * stream.time_base) if stream.duration else None
    if name in EXACT_HEADERS and seconds and seconds > 1.1 * limits["max_seconds"] + 1:
        # A WAV written to a pipe claims four gigabytes: believe no more than the file can hold.
        pcm = stream.codec_context.name.startswith("pcm_") and stream.codec_context.bit_rate
        if not pcm or limits["bytes"] * 8 / pcm > limits["max_seconds"]:
            raise too_long(min(seconds, limits["bytes"] * 8 / pcm) if pcm else seconds, limits)
    stream.codec_context.thread_count = 1
    return container, stream


def mono(frame: av.AudioFrame) -> np.ndarray:
    """Mean of the channels of a decoded frame, (n,) float32 of full scale 1."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, len(frame.layout.channels)).T
    if values.dtype == np.uint8:
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = values.astype(np.float64) / -float(np.iinfo(values.dtype).min)
    if not np.isfinite(values).all():
        raise Refused("The recording holds samples that are no numbers; only finite are accepted.")
    return np.clip(values.mean(axis=0), -1e6, 1e6).astype(np.float32)


def packets(container, stream, stats: dict) -> Iterator[av.AudioFrame]:
    """Decoded frames; damaged packets are counted and skipped, a damaged end ends the stream."""
    demuxed = container.demux(stream)
    while True:
        try:
            packet = next(demuxed, None)
            if packet is None:
                return
            frames = packet.decode()
        except av.error.EOFError:
            return
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            stats["damaged"] += 1
            if stats["damaged"] > 10_000:
                return
            continue
        yield from frames


class Resampler:
    """Blocks of mono float32 at `source` Hz to blocks at `target` Hz (libswresample).

    The low-pass is 64 taps long at 0.95 of the new band: flat to 7 kHz at 16 kHz, and what lies
    above 8.4 kHz comes back at -90 dB (libav's default leaves -22 dB).
    """

    def __init__(self, source: int, target: int):
        self.source, self.count = source, 0
        self.graph = av.filter.Graph()
        base = Fraction(1, source)
        entry = self.graph.add_abuffer(
            sample_rate=source, format="flt", layout="mono", time_base=base
        )
        change = self.graph.add("aresample", f"{target}:filter_size=64:cutoff=0.95")
        out = self.graph.add("abuffersink")
        entry.link_to(change)
        change.link_to(out)
        self.graph.configure()

    def push(self, samples: np.ndarray | None) -> Iterator[np.ndarray]:
        """Feed (n,) samples, or None at the end, and get what is ready."""
        frame = None
        if samples is not None:
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.sample_rate, frame.time_base = self.source, Fraction(1, self.source)
            frame.pts = self.count
            self.count += len(samples)
        self.graph.push(frame)
        while True:
            try:
                yield self.graph.pull().to_ndarray()[0]
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def runs(container, stream, limits: dict, stats: dict) -> Iterator[tuple[int, np.ndarray]]:
    """(rate, mono block) of about `BLOCK_SECONDS`; bounded in length while it is decoded."""
    rate, held, count, seconds = 0, [], 0, 0.0
    for frame in packets(container, stream, stats):
        if not frame.samples:
            continue
        if held and (frame.sample_rate != rate or count > rate * BLOCK_SECONDS):
            yield rate, np.concatenate(held)
            held, count = [], 0
        rate = frame.sample_rate
        check_facts(rate, len(frame.layout.channels), limits)
        seconds += frame.samples / rate
        if seconds > limits["max_seconds"] + 0.05:  # codecs pad the end by a few hundredths
            raise too_long(None, limits)
        held.append(mono(frame))
        count += frame.samples
    if held:
        yield rate, np.concatenate(held)


def decode(file: BinaryIO, limits: dict, stats: dict) -> Iterator[np.ndarray]:
    """Blocks of mono float32 at limits["rate"] from an open recording; raises `Refused`."""
    container, stream = open_audio(file, limits)
    resampler = None
    with container:
        stats.update(codec=stream.codec_context.name, rate=stream.rate, channels=stream.channels)
        for rate, block in runs(container, stream, limits, stats):
            if resampler is None or resampler.source != rate:  # a chained file may change its rate
                if resampler is not None:
                    yield from resampler.push(None)
                resampler = Resampler(rate, limits["rate"])
            yield from resampler.push(block)
        if resampler is not None:
            yield from resampler.push(None)


def confine(memory_bytes: int, cpu_seconds: float) -> None:
    """Bound this process' memory and time, and take away opening and writing files."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline and the decoded length still hold
        return
    for what, value in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", int(cpu_seconds) + 1),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 3),
    ):
        try:
            resource.setrlimit(getattr(resource, what), (value, value))
        except (AttributeError, ValueError, OSError):
            continue  # macOS knows no bound on the address space


def rehearse(limits: dict) -> None:
    """Decode a little silence from memory, so that whatever PyAV imports late is there already."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, limits["max_rate"], 0, "NONE", ""))
        out.writeframes(bytes(200))
    file.seek(0)
    for _ in decode(file, limits, {"damaged": 0}):
        pass


def serve(file: BinaryIO, out: BinaryIO, limits: dict) -> None:
    """Decode `file` and write frames to `out`; every ordinary failure becomes a sentence."""

    def send(tag: bytes, payload: bytes) -> None:
        out.write(FRAME.pack(tag, len(payload)) + payload)

    stats = {"damaged": 0}
    try:
        for block in decode(file, limits, stats):
            send(SAMPLES, np.ascontiguousarray(block, "<f4").tobytes())
        send(DONE, json.dumps(stats).encode())
    except Refused as refusal:
        send(REFUSED, str(refusal).encode())
    except MemoryError:
        send(REFUSED, b"The recording needs more memory to decode than is allowed.")
    except (av.error.FFmpegError, ValueError, OverflowError, ZeroDivisionError):
        send(REFUSED, f"The recording is damaged and cannot be read; {limits['formats']}".encode())
    out.flush()


def main() -> None:
    limits = json.loads(sys.argv[1])
    av.logging.set_level(None)
    rehearse(limits)
    confine(limits["memory_bytes"], limits["cpu_seconds"])
    serve(sys.stdin.buffer, sys.stdout.buffer, limits)


if __name__ == "__main__":
    main()
