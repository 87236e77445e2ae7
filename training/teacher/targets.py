"""What the student's lips should look like, as the loss's lip reader sees a teacher's mouth.

    python -m training.teacher.targets grid_s1 librispeech kathleen \
        --data data --cache CACHE [--teacher own|real|recorded]

writes CACHE/teacher/features_PART.npz (features_PART.real.npz, features_PART.recorded.npz for
another teacher): `features` (total, width) float16 at 25 fps, `starts` (clips + 1,), `names`.
Hours of pictures would be too large. The reader is CACHE/experts/lipreader_loss, never the one
that measures. GRID: train and validation clips; speech: all clips that are aligned.
"""

import argparse
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from l2t.models.lipreader import LipReader, reader_from
from training.data.corpora import GRID_PARTS
from training.files import load_parts
from training.teacher.own import Ears, OwnTeacher, load_painter, packed_features
from training.teacher.protocol import Teacher
from training.teacher.recorded import RecordedTeacher
from training.teacher.voices import Voice, grid_voices, real_films, speech_voices
from training.teacher.yardsticks import RealLips

log = logging.getLogger(__name__)
SPLITS = ("train", "validation")


@torch.inference_mode()
def seen(reader: LipReader, mouths: np.ndarray) -> np.ndarray:
    """The reader's features of a film (frames, 96, 96) uint8, (frames, width) float16."""
    device = next(reader.parameters()).device
    film = torch.from_numpy(np.array(mouths)).to(device)[None].float() / 255
    with torch.autocast(device.type, torch.bfloat16):
        return reader.features(film)[0].float().cpu().numpy().astype(np.float16)


def pack(reader: LipReader, teacher: Teacher, voices: Sequence[Voice]) -> dict[str, np.ndarray]:
    """The arrays of one file."""
    rows = [seen(reader, teacher.mouths(v.samples, v.name)) for v in voices]
    return {
        "features": np.concatenate(rows),
        "starts": np.cumsum([0] + [len(row) for row in rows]),
        "names": np.array([v.name for v in voices]),
    }


def voices_of(data: Path, cache: Path, part: str) -> Iterator[Voice]:
    """Everything of a part that may be trained or validated on."""
    if part in GRID_PARTS:
        for split in SPLITS:
            yield from grid_voices(data, part, split)
    else:
        yield from speech_voices(data, cache, part)


def teacher_of(kind: str, options, part: str) -> Teacher:
    """The teacher that the command line asks for."""
    if kind == "real":
        return RealLips(real_films(options.cache, part))
    if kind == "recorded":
        return RecordedTeacher(options.data / "teacher2d")
    ears = Ears(packed=packed_features([options.cache / "features" / f"{part}.0.npz"]))
    return OwnTeacher(load_painter(options.cache / "teacher"), ears)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="A teacher's mouths as the lip reader sees them.")
    parser.add_argument("parts", nargs="+", help="corpora")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with teacher/, experts/")
    parser.add_argument("--teacher", choices=("own", "real", "recorded"), default="own")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    reader = reader_from(*load_parts(options.cache / "experts", "lipreader_loss"))
    for part in options.parts:
        began, teacher = time.monotonic(), teacher_of(options.teacher, options, part)
        voices = list(voices_of(options.data, options.cache, part))
        if isinstance(teacher, RecordedTeacher):
            voices = [v for v in voices if v.name in teacher.names]
        arrays = pack(reader, teacher, voices)
        ending = "" if options.teacher == "own" else f".{options.teacher}"
        (options.cache / "teacher").mkdir(exist_ok=True)
        np.savez(options.cache / "teacher" / f"features_{part}{ending}.npz", **arrays)
        minutes = (time.monotonic() - began) / 60
        log.info(
            "%s: %d clips, %d frames, %.1f min", part, len(voices), arrays["starts"][-1], minutes
        )


if __name__ == "__main__":
    main()
