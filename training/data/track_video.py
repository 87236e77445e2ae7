"""Pictures and sound of any video that PyAV reads, on one clock.

A clip's time 0 is when the first picture is shown; a picture belongs to the middle of the time
that it is shown.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np

from l2t.pcm import Resampler, mono
from l2t.voice import SAMPLE_RATE
from training.data.track_faces import TrackError

FPS = 25.0  # pictures a second of a clip
LONGEST_SIDE = 1280  # pixels; larger pictures are shrunk before they are tracked and cropped


def open_video(path: Path):
    """The opened container. Raises TrackError when it is no video."""
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise TrackError("The file cannot be read as a video.") from error
    if not container.streams.video:
        container.close()
        raise TrackError("The file holds no pictures; a video of a talking face is expected.")
    return container


def pictures(path: Path) -> Iterator[np.ndarray]:
    """Every picture, (height, width, 3) uint8 RGB, upright, with square pixels. TrackError.

    All are of the size of the first, whatever the file says later.
    """
    with open_video(path) as container:
        aspect = container.streams.video[0].sample_aspect_ratio or Fraction(1)
    size = None
    for frame in _frames(path):
        size = size or _size(frame.width * float(aspect), float(frame.height))
        picture = frame.reformat(*size, format="rgb24").to_ndarray()
        yield np.rot90(picture, frame.rotation // 90)  # a telephone's film lies on its side


def shown(path: Path) -> np.ndarray:
    """When each picture begins to be shown, and when the last one ends, (frames + 1,) seconds.

    As the file counts: the first need not be 0. Raises TrackError.
    """
    with open_video(path) as container:
        rate = container.streams.video[0].average_rate or Fraction(25)
    times = [frame.time for frame in _frames(path)]
    if not times or None in times:
        raise TrackError("The video's pictures carry no times.")
    # Pictures come in the order they are shown; some containers only have decoding times.
    times = np.sort(np.array(times))
    usual = np.median(np.diff(times)) if len(times) > 1 else float(1 / rate)
    return np.append(times, times[-1] + usual)


def sound(path: Path, start: float = 0.0) -> np.ndarray:
    """(n,) float32 mono at 16 kHz, from the moment `start` of the file's clock. TrackError.

    Sound before `start` is cut off; where the sound begins later, silence is put first.
    """
    with open_video(path) as container:
        if not container.streams.audio:
            raise TrackError("The video has no sound; a face that is heard is expected.")
    blocks, begin, resampler = [], 0.0, None
    for frame in _frames(path, "audio"):
        if resampler is None:
            begin = float(frame.time or 0.0)
            resampler = Resampler(frame.sample_rate, SAMPLE_RATE)
        blocks += resampler.push(mono(frame))
    if resampler is None:
        raise TrackError("The video's sound cannot be decoded.")
    blocks += resampler.push(None)
    return moved(np.concatenate(blocks), begin - start)


def moved(samples: np.ndarray, seconds: float, length: int | None = None) -> np.ndarray:
    """The sound `seconds` later (earlier when negative): silence put first, or the start cut off.

    length: samples of the result, cut or filled up with silence (None: all there is).
    """
    shift = round(seconds * SAMPLE_RATE)
    samples = np.concatenate([np.zeros(max(shift, 0), np.float32), samples[max(-shift, 0) :]])
    if length is None:
        return samples
    return np.concatenate([samples[:length], np.zeros(max(0, length - len(samples)), np.float32)])


def clock(shown_at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The clip's times (frames,), the middles of 25 frames a second; and the pictures' middles.

    shown_at: as from `shown`.
    """
    shown_at = shown_at - shown_at[0]
    count = max(1, int(shown_at[-1] * FPS + 1e-3))
    return (np.arange(count) + 0.5) / FPS, (shown_at[:-1] + shown_at[1:]) / 2


def nearest(times: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Number of the picture whose middle lies nearest to each time, (frames,)."""
    after = np.searchsorted(own, times).clip(1, max(1, len(own) - 1))
    before = after - 1
    after = after.clip(0, len(own) - 1)
    return np.where(times - own[before] <= own[after] - times, before, after)


def _frames(path: Path, kind: str = "video") -> Iterator:
    with open_video(path) as container:
        stream = getattr(container.streams, kind)[0]
        if kind == "video":
            stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                found = packet.decode()
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, ValueError):
                continue  # a damaged packet: what comes after it still counts
            yield from found


def _size(width: float, height: float) -> tuple[int, int]:
    """Whole pixels, the longer side at most `LONGEST_SIDE`."""
    shrink = min(1.0, LONGEST_SIDE / max(width, height))
    return max(2, round(width * shrink)), max(2, round(height * shrink))
