"""Compares teachers with each other, with real lips and with simple tricks, and names the best.

    python -m training.evaluate_teachers --data data --cache CACHE \
        [--recorded data/teacher2d --every 3] [--wav2lip wav2lip.pth --face face.png \
         --points 30 52 66 52 48 78] [--out table.md]

Lips are read by assets/weights/lipreader (it has learnt from the real lips of grid_s1), synchrony
is judged by CACHE/experts/syncnet2d, neither of which is in any loss. Three sets of voices:
validation clips of grid_s1, the other speaker grid_s26, and, with --recorded, the speech that the
recorded network speaks. words: error under GRID's grammar; phones, visemes: without any; LSE in
the judge's units; in step: share of clips within one frame of the sound.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from l2t.models.lipreader import reader_from
from training.data.features import load_encoder
from training.files import load_parts
from training.models.syncnet2d import load_expert2d
from training.teacher.lessons import Lesson, load_lessons, neutral_photo
from training.teacher.own import Ears, OwnTeacher, load_painter, packed_features
from training.teacher.protocol import Teacher, TeacherError, to_bytes
from training.teacher.recorded import RecordedTeacher
from training.teacher.select import best_teacher, compare, table
from training.teacher.voices import Voice, grid_voices, real_films, speech_voices
from training.teacher.wav2lip import FacePoints, Wav2LipTeacher, load_wav2lip
from training.teacher.yardsticks import EnergyMouth, NearestMouth, RealLips, StillMouth

log = logging.getLogger(__name__)
SPEECH = ("librispeech", "excerpts")  # parts that the recorded network speaks


def tricks(lessons: list[Lesson], ears: Ears) -> list[Teacher]:
    """Yardsticks made from training clips."""
    closed = to_bytes(neutral_photo(lessons))
    films = [lesson.mouths for lesson in lessons]
    mean = np.mean([film[::9].mean(0) for film in films], axis=0).astype(np.uint8)
    # Wide open: the darkest lips of each clip, their mean over the clips.
    middle = [film[:, 38:60, 30:66].mean((1, 2)) for film in films]
    opened = np.mean([f[np.argmin(m)] for f, m in zip(films, middle, strict=True)], axis=0)
    return [
        NearestMouth(ears, [lesson.features[0] for lesson in lessons], films),
        EnergyMouth(closed, opened.astype(np.uint8)),
        StillMouth(mean, "mean mouth"),
        StillMouth(closed, "frozen mouth"),
    ]


def user_wav2lip(options) -> list[Teacher]:
    """The checkpoint of the command line, if there is one. Raises TeacherError."""
    if options.wav2lip is None:
        return []
    if options.face is None or options.points is None:
        raise TeacherError("--wav2lip needs --face PICTURE and --points (eyes and lips in pixels).")
    from PIL import Image

    face = np.asarray(Image.open(options.face).convert("RGB"))
    x = options.points
    points = FacePoints((x[0], x[1]), (x[2], x[3]), (x[4], x[5]))
    return [Wav2LipTeacher(load_wav2lip(options.wav2lip), face, points)]


def voice_sets(options, recorded: RecordedTeacher | None) -> dict[str, list[Voice]]:
    """Recordings by the title of their table."""
    data, cache = options.data, options.cache
    sets = {
        f"grid_s1 {options.split}": grid_voices(data, "grid_s1", options.split),
        "grid_s26, another voice": grid_voices(data, "grid_s26", "test"),
    }
    if recorded is not None:
        names = set(recorded.names)
        spoken = [v for part in SPEECH for v in speech_voices(data, cache, part, names)]
        sets["recorded speech"] = spoken[:: options.every]
    return sets


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Compares teachers and names the best.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/, teacher/")
    parser.add_argument("--reader", type=Path, default=Path("assets/weights/lipreader"))
    parser.add_argument("--encoder", type=Path, default=Path("assets/weights"))
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--recorded", type=Path, help="folder of a pretrained network's films")
    parser.add_argument("--every", type=int, default=1, help="take each n-th of those only")
    parser.add_argument("--wav2lip", type=Path, help="a Wav2Lip checkpoint of your own")
    parser.add_argument("--face", type=Path, help="a photo for it")
    parser.add_argument("--points", type=float, nargs=6, help="x y of left and right eye and lips")
    parser.add_argument("--out", type=Path, help="also write the tables here, Markdown")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    cache = options.cache
    reader = reader_from(*load_parts(options.reader.parent, options.reader.name))
    expert = load_expert2d(cache / "experts" / "syncnet2d")
    packs = [cache / "features" / f"{part}.0.npz" for part in ("grid_s1", "grid_s26")]
    ears = Ears(load_encoder(options.encoder), packed_features(packs))
    recorded = RecordedTeacher(options.recorded) if options.recorded else None
    painted = OwnTeacher(load_painter(cache / "teacher"), ears)
    teachers: list[Teacher] = [painted, *user_wav2lip(options)]
    below = tricks(load_lessons(options.data, cache, "train"), ears)
    found = []
    for title, voices in voice_sets(options, recorded).items():
        part = title.split()[0].rstrip(",")
        films = real_films(cache, part)
        above = [RealLips(films)] if films else [recorded]
        found.append(compare(title, [*above, *teachers, *below], voices, reader, expert,
                             part.startswith("grid"), log.info))  # fmt: skip
    titles = [t.title for t in teachers] + ([recorded.title] if recorded else [])
    text = "\n\n".join(table(f) for f in found) + "\n\n"
    text += "".join(f"Best teacher on {f.voices}: {best_teacher(f, titles)}\n" for f in found)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
