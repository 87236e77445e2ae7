"""Videos and faces for the tracker's tests: grey films, and what a tracker would see of a face."""

from pathlib import Path

import av
import numpy as np

from l2t.face import CHIN_POINTS, EYE_POINTS, LIP_POINTS, FaceTemplate
from l2t.metrics import INNER_LIP_PAIRS
from training.data.clips import RIGID
from training.data.track_faces import INDEX, Faces
from training.data.track_pose import REST

SIZE = 128  # pixels a side of the films
METRE = 500.0  # pixels, seen from the front
DARK, STEP = 20, 24  # grey of the digit 0, and how much brighter each next one is
STRIPES = slice(0, 40), slice(40, 80), slice(80, SIZE)  # columns


def buzz(seconds: float, rate: float = 2.0) -> np.ndarray:
    """A voice that comes and goes `rate` times a second, (n,) float32 at 16 kHz."""
    times = np.arange(round(seconds * 16000)) / 16000
    shape = np.clip(np.sin(2 * np.pi * rate * times), 0, 1)
    return (0.2 * np.sign(np.sin(2 * np.pi * 150 * times)) * shape).astype(np.float32)


def numbered(frames: int, first: int = 0) -> list[np.ndarray]:
    """Pictures that tell their number (`number_of`): three stripes for hundreds, tens and ones."""
    out = np.zeros((frames, SIZE, SIZE, 3), np.uint8)
    for number, picture in enumerate(out, start=first):
        for stripe, digit in zip(STRIPES, f"{number:03d}", strict=True):
            picture[:, stripe] = DARK + STEP * int(digit)
    return list(out)


def number_of(picture: np.ndarray) -> int:
    digits = [round((picture[:, stripe].mean() - DARK) / STEP) for stripe in STRIPES]
    return 100 * digits[0] + 10 * digits[1] + digits[2]


def write_video(path: Path, pictures, fps: int = 25, samples=None, late: float = 0.0) -> Path:
    """A film of (height, width, 3) uint8 pictures; its sound begins `late` seconds after them."""
    with av.open(str(path), "w") as film:
        video = film.add_stream("libx264", rate=fps, options={"crf": "8", "bf": "0"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = film.add_stream("flac" if path.suffix == ".mkv" else "aac", rate=16000)
        audio.layout = "mono"
        for picture in pictures:
            film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode(None))
        if samples is not None:
            pcm = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16000, round(late * 16000)
            change = av.AudioResampler(audio.format.name, "mono", 16000, 1024)
            for piece in [*change.resample(frame), *change.resample(None)]:
                film.mux(audio.encode(piece))
            film.mux(audio.encode(None))
    return path


def points_of(template: FaceTemplate, arkit: np.ndarray) -> np.ndarray:
    """What a tracker sees of the template from the front, (frames, 80, 3) pixels in SIZE.

    Lips, chin and lid corners are the template's; the points that do not move lie where a mean
    face of the same eye distance has them, and the rest between the eyes.
    """
    ids = np.concatenate([template.lip_landmarks, template.chin_landmarks, template.eye_corners])
    moving = template.vertices(arkit, None, ids)
    corners = template.neutral()[template.eye_corners]
    scale = np.linalg.norm(corners[0] - corners[3]) / np.linalg.norm(REST[0] - REST[3])
    still = (REST - REST[:4].mean(0)) * scale + corners.mean(0)
    points = np.tile(corners.mean(0), (len(arkit), len(INDEX), 1))
    at = {int(number): column for column, number in enumerate(INDEX)}
    points[:, [at[n] for n in RIGID]] = still
    points[:, [at[n] for n in LIP_POINTS + CHIN_POINTS + EYE_POINTS]] = moving
    for upper, lower in ((at[a], at[b]) for a, b in INNER_LIP_PAIRS):
        pressed = points[:, upper, 1] < points[:, lower, 1]  # where lips touch one sees no gap
        touch = (points[pressed, upper] + points[pressed, lower]) / 2
        points[pressed, upper] = points[pressed, lower] = touch
    middle = template.neutral()[template.lip_landmarks].mean(0)
    return (points - middle) * METRE * [1, -1, -1] + [SIZE / 2, SIZE / 2, 0]


class FakeTracker:
    """Knows the points of a numbered film's pictures, (frames, 80, 3); `lost`: their numbers."""

    def __init__(self, points: np.ndarray, lost=(), crowd: float = 0.0):
        self.points, self.lost, self.crowd = points.astype(np.float32), set(lost), crowd

    def __call__(self, pictures) -> Faces:
        numbers = [number_of(picture) for picture in pictures]
        found = np.array([n not in self.lost for n in numbers])
        points = self.points[np.minimum(numbers, len(self.points) - 1)]
        return Faces(points * found[:, None, None], found, self.crowd)
