"""Films of a mouth for tests, made on the spot in every accepted coding."""

from pathlib import Path

import av
import numpy as np

# name of a format: (ending, container, codec)
FILMS = {
    "mp4": ("mp4", "mp4", "libx264"),
    "mpeg4": ("mp4", "mp4", "mpeg4"),
    "mov": ("mov", "mov", "mjpeg"),
    "mkv": ("mkv", "matroska", "libx265"),
    "webm": ("webm", "webm", "libvpx"),
    "vp9": ("webm", "webm", "libvpx-vp9"),
    "av1": ("mp4", "mp4", "libsvtav1"),
}
QUIET = {"libx265": {"x265-params": "log-level=none"}}


def film(
    path: Path, codec: str = "mpeg4", side: int = 96, fps: int = 25, frames: int = 10,
    container: str | None = None, height: int | None = None, options: dict | None = None,
) -> Path:  # fmt: skip
    """A film that gets brighter by 16 of 255 a picture; returns `path`."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=fps, options=options or QUIET.get(codec, {}))
        stream.width, stream.height = side, height or side
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(frames):
            grey = np.full((height or side, side, 3), (40 + 16 * number) % 256, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        out.mux(stream.encode(None))
    return path


def mouth_film(folder: Path, name: str, frames: int = 10) -> Path:
    """A film of a mouth in one of `FILMS`."""
    ending, container, codec = FILMS[name]
    return film(folder / f"{name}_film.{ending}", codec, frames=frames, container=container)
