"""From an open container to blocks of mono sound at one rate, bounded while it is decoded.

Runs in the decoding child only; `limits` as in `l2t.probe`.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av
import av.error
import numpy as np

from l2t.probe import Refused, check_facts, open_audio, too_long

BLOCK_SECONDS = 0.5  # decoded sound is resampled and sent in blocks of about this length
SAMPLE_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
UNCOUNTABLE = 8  # PyAV sees nine planes there: 18 reads the last from nowhere, 19.0 refuses all
LOUDEST = 1e6  # times full scale: floats may say anything, and sums of them overflow
MOST_DAMAGED = 10_000  # packets of a file that may fail to decode before the rest is given up


def channels_of(frame: av.AudioFrame) -> np.ndarray:
    """The samples of a decoded frame as they are, (channels, n)."""
    kind, count = SAMPLE_TYPES[frame.format.name.removesuffix("p")], len(frame.layout.channels)
    if frame.format.is_planar and count == UNCOUNTABLE:
        frame = interleaved(frame)
    if frame.format.is_planar:
        return np.stack([np.frombuffer(plane, kind, frame.samples) for plane in frame.planes])
    return np.frombuffer(frame.planes[0], kind, frame.samples * count).reshape(-1, count).T


def filtering(name: str, options: str, rate: int, form, layout) -> av.filter.Graph:
    """One of libav's filters, for frames of this rate, sample format and layout."""
    graph = av.filter.Graph()
    graph.threads = 1  # by itself it takes one, and 8 MB of address space, for each core
    entry = graph.add_abuffer(
        sample_rate=rate, format=form, layout=layout, time_base=Fraction(1, rate)
    )
    change, out = graph.add(name, options), graph.add("abuffersink")
    entry.link_to(change)
    change.link_to(out)
    graph.configure()
    return graph


def interleaved(frame: av.AudioFrame) -> av.AudioFrame:
    """The same samples in one plane, by libav itself."""
    packed = f"sample_fmts={frame.format.name.removesuffix('p')}"
    graph = filtering("aformat", packed, frame.sample_rate, frame.format, frame.layout)
    graph.push(frame)
    graph.push(None)
    return graph.pull()


def mono(frame: av.AudioFrame) -> np.ndarray:
    """Mean of the channels of a decoded frame, (n,) float32 of full scale 1."""
    values = channels_of(frame)
    if values.dtype == np.uint8:
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = values.astype(np.float64) / -float(np.iinfo(values.dtype).min)
    if not np.isfinite(values).all():
        raise Refused("The recording holds samples that are no numbers; only finite are accepted.")
    return np.clip(values, -LOUDEST, LOUDEST).mean(axis=0, dtype=np.float64).astype(np.float32)


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
            if stats["damaged"] > MOST_DAMAGED:
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
        options = f"{target}:filter_size=64:cutoff=0.95"
        self.graph = filtering("aresample", options, source, "flt", "mono")

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
