"""One ffmpeg at work: frames go in through a thread, and it is never left behind."""

import queue
import re
import subprocess
import threading
from pathlib import Path

import numpy as np

from l2t.errors import RenderError

PRESET = "veryfast"
THREADS = 2  # another number gives other bytes
WAITING = 6  # frames drawn ahead of the encoder
FINISH_SECONDS = 60.0  # for the last frames and the sound
# What browsers play: 4:2:0, the index in front, a key frame a second for quick seeking, colours
# named; and the same bytes every time: no dates, colours and H.264 rounded alike by every
# processor (the sound by those with AVX2), and a number of threads that is not the machine's.
OPTIONS = {
    "-vf": "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+bitexact",
    "-x264-params": "cpu-independent=1",
    "-pix_fmt": "yuv420p",
    "-crf": "20",
    "-g": "30",
    "-colorspace": "bt709",
    "-color_primaries": "bt709",
    "-color_trc": "bt709",
    "-color_range": "tv",
    "-ar": "48000",
    "-ac": "1",
    "-b:a": "96k",
    "-movflags": "+faststart",
    "-fflags": "+bitexact",
    "-flags:v": "+bitexact",
    "-flags:a": "+bitexact",
}
SPEAKER = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] *")  # which part of ffmpeg says it, and its address
FULL = re.compile("No space left on device|Disk quota exceeded")


class Encoder:
    """Feeds frames to moviepy's ffmpeg writer from a thread of its own, so drawing goes on."""

    def __init__(self, path: Path, shape: tuple[int, int, int], fps: float, sound: Path):
        """path: .mp4 to write; shape: of a picture; sound: wav as long as the film.

        Raises RenderError where ffmpeg cannot be started.
        """
        from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter  # takes most of a second

        # "h264" rather than "libx264" (ffmpeg picks the same encoder): for the latter moviepy
        # asks for a pixel format with transparency.
        try:
            self._writer = FFMPEG_VideoWriter(
                str(path), (shape[1], shape[0]), fps, codec="h264", audiofile=str(sound),
                audio_codec="aac", preset=PRESET, threads=THREADS,
                ffmpeg_params=[word for option in OPTIONS.items() for word in option],
            )  # fmt: skip
        except OSError as error:
            why = (error.strerror or "unknown reason").lower()
            raise RenderError(f"The encoder ffmpeg cannot be started ({why}).") from error
        self._shape, self._folder = shape, f"{path.parent}/"
        self._process = self._writer.proc
        self._frames: queue.Queue = queue.Queue(WAITING)
        self._failed = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="l2t-encode", daemon=True)
        self._thread.start()

    def write(self, frame: np.ndarray) -> None:
        """Hands over one uint8 frame of that shape; waits while ffmpeg is behind.

        Raises RenderError when ffmpeg has ended, or for a frame of another size.
        """
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise RenderError(f"The film's pictures are {self._shape}, found {frame.shape}.")
        self._put(frame)

    def finish(self) -> None:
        """Waits until the file is whole. Raises RenderError when it will not be."""
        self._put(None)
        self._thread.join()
        self._end()

    def kill(self) -> None:
        """Ends ffmpeg at once, if it still runs, and closes its pipes."""
        if self._process.poll() is None:
            self._process.kill()
        self._failed.set()
        while self._thread.is_alive():
            self._offer(None)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stderr):
            if not pipe.closed:
                try:
                    pipe.close()
                except OSError:  # what was still buffered has nowhere to go
                    continue

    def _put(self, frame: np.ndarray | None) -> None:
        while not self._offer(frame):
            if self._failed.is_set():
                self._end()

    def _end(self) -> None:
        """Waits for ffmpeg's end; the thread feeds it no more. Raises RenderError if it failed."""
        try:
            _, said = self._process.communicate(timeout=FINISH_SECONDS)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise RenderError("The film could not be encoded: the encoder stopped.") from error
        if self._process.returncode or self._failed.is_set():
            why = _reason(said).replace(self._folder, "").strip(" .")
            raise RenderError(f"The film could not be encoded: {why or 'the encoder stopped'}.")

    def _offer(self, frame: np.ndarray | None) -> bool:
        try:
            self._frames.put(frame, timeout=0.1)
        except queue.Full:
            return False
        return True

    def _feed(self) -> None:
        while (frame := self._frames.get()) is not None:
            if self._failed.is_set():
                return
            try:  # not the writer's write_frame, which after a broken pipe reads the reason away
                self._process.stdin.write(frame.tobytes())
            except (OSError, ValueError):  # the pipe broke, or was closed by `kill`
                self._failed.set()
                return


def _reason(said: bytes) -> str:
    """Why ffmpeg failed, by its own words: the first line has the cause, the others what came of
    it, but for a full disk, which any may name. Empty: it gave no reason.
    """
    text = said.decode(errors="replace")
    if FULL.search(text):
        return "the disk is full"
    return (SPEAKER.sub("", text).strip().splitlines() or [""])[0]
