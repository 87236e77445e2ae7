"""Sound for tests and honest files of it in every accepted format, made on the spot."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# name of a format: (ending, container, codec, rate in Hz)
FORMATS = {
    "wav": ("wav", "wav", "pcm_s16le", 44_100),
    "wav float": ("wav", "wav", "pcm_f32le", 48_000),
    "flac": ("flac", "flac", "flac", 44_100),
    "ogg": ("ogg", "ogg", "vorbis", 44_100),
    "opus": ("opus", "ogg", "libopus", 48_000),
    "mp3": ("mp3", "mp3", "libmp3lame", 44_100),
    "m4a": ("m4a", "ipod", "aac", 44_100),
    "webm": ("webm", "webm", "libopus", 48_000),
}

# What is accepted as well, rarely sent.
ALSO = {
    "alac": ("m4a", "ipod", "alac", 44_100),
    "adts": ("aac", "adts", "aac", 44_100),
    "mp2": ("mp2", "mp2", "mp2", 48_000),
    "mulaw": ("wav", "wav", "pcm_mulaw", 8_000),
    "alaw": ("wav", "wav", "pcm_alaw", 8_000),
    "adpcm ms": ("wav", "wav", "adpcm_ms", 22_050),
    "adpcm ima": ("wav", "wav", "adpcm_ima_wav", 22_050),
    "8 bit": ("wav", "wav", "pcm_u8", 11_025),
    "double": ("wav", "wav", "pcm_f64le", 16_000),
    "mkv flac": ("mkv", "matroska", "flac", 48_000),
    "mkv pcm": ("mkv", "matroska", "pcm_s24le", 32_000),
    "mov pcm": ("mov", "mov", "pcm_s16be", 48_000),
    "ogg flac": ("oga", "ogg", "flac", 44_100),
    "mp4 opus": ("mp4", "mp4", "libopus", 48_000),
    "webm vorbis": ("webm", "webm", "vorbis", 44_100),
}


def voice(seconds: float, rate: int = 16_000, seed: int = 0) -> np.ndarray:
    """(n,) float32 that a voice detector takes for speech: bursts of a gliding buzz, 0.3 of 0.5 s.

    The noise floor between them lies 50 dB below.
    """
    time = np.arange(int(seconds * rate)) / rate
    pitch = 2 * np.pi * (120 * time + 8 * np.sin(2 * np.pi * 0.7 * time))
    buzz = sum(np.sin(k * pitch) / k for k in range(1, 12))
    spoken = (time % 0.5 > 0.1) & (time % 0.5 < 0.4)
    hiss = np.random.default_rng(seed).normal(size=len(time)) * 5e-4
    return (0.2 * buzz * spoken + hiss).astype(np.float32)


def encode(path: Path, samples: np.ndarray, rate: int, container: str, codec: str) -> Path:
    """Write (n,) or (channels, n) float samples with PyAV; returns `path`."""
    samples = np.atleast_2d(samples).astype(np.float32)
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(samples)]
    with av.open(path, "w", format=container) as out:
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = out.add_stream(codec, rate=rate, layout=layout, options=options)
        if codec == "pcm_f32le":
            stream.format = "flt"
        packed = np.ascontiguousarray(samples.T).reshape(1, -1)  # PyAV fails at eight planes
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return path


def recording(folder: Path, name: str, seconds: float = 2.0, channels: int = 2) -> Path:
    """A file of `voice` in one of `FORMATS` or `ALSO`."""
    ending, container, codec, rate = (FORMATS | ALSO)[name]
    samples = np.tile(voice(seconds, rate), (channels, 1))
    stem = name.replace(" ", "_") + ("" if channels == 2 else str(channels))
    return encode(folder / f"{stem}.{ending}", samples, rate, container, codec)
