"""Films in tests: a short tone to go with them, and what a finished file holds."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np


def tone(seconds: float) -> SimpleNamespace:
    """Stands for a Speech: 440 Hz, float32 mono at 16 kHz."""
    time = np.arange(round(16000 * seconds)) / 16000
    return SimpleNamespace(samples=(0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32))


def read(path: Path):
    """(facts about the streams, decoded frames, decoded sound) of a film."""
    import av

    with av.open(str(path)) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        facts = SimpleNamespace(
            video=video.codec_context.name, pix_fmt=video.codec_context.pix_fmt,
            fps=float(video.average_rate), audio=audio.codec_context.name, rate=audio.rate,
            seconds=(float(video.duration * video.time_base),
                     float(audio.duration * audio.time_base)),
        )  # fmt: skip
        frames = [f.to_ndarray(format="rgb24") for f in film.decode(video)]
        film.seek(0)
        sound = np.concatenate([f.to_ndarray() for f in film.decode(audio)], axis=1)[0]
    return facts, frames, sound


def family(pid: int) -> set[int]:
    """A process and all below it that still run (read from /proc)."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if stat[0] != "Z":
                parents[int(entry.name)] = int(stat[1])
    found = {pid} & parents.keys()
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found
