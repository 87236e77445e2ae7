"""VOCASET: 12 subjects, 40 sentences, 60 fps, FLAME's 5,023 vertices in metres.

Facts of the release: TimoBolkart/voca, config_parser.py (subjects and sentences of the splits) and
utils/data_handler.py (what the four files hold); EvelynFan/FaceFormer, vocaset/process_voca_data.py
(the layout of one file a sentence) and data_loader.py (every second frame there; here 60 -> 30 fps
goes by time stamps).  Learn2Talk measures on 30 fps.  The lip mask is the entry "lips" of FLAME's
vertex masks, 254 numbers, a few of them twice.
"""

from functools import partial
from pathlib import Path

import numpy as np

from training.paper.clips import Clip, Corpus, open_array, open_corpus, to_speech
from training.paper.layout import DatasetError, Layout, MaskSource, Split
from training.paper.pickles import read_pickle

VOCASET = Layout(
    name="vocaset",
    title="VOCASET",
    vertices=5023,
    stored_fps=60.0,
    fps=30.0,
    unit="metres",
    train=Split(
        (
            "FaceTalk_170728_03272_TA", "FaceTalk_170904_00128_TA", "FaceTalk_170725_00137_TA",
            "FaceTalk_170915_00223_TA", "FaceTalk_170811_03274_TA", "FaceTalk_170913_03279_TA",
            "FaceTalk_170904_03276_TA", "FaceTalk_170912_03278_TA",
        ), 1, 40,
    ),
    validation=Split(("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA"), 21, 40),
    tests={"test": Split(("FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA"), 21, 40)},
    lips=MaskSource(
        ("FLAME_masks.pkl", "lve.txt"), 254,
        "FLAME_masks.pkl is part of \"FLAME Vertex Masks\" on flame.is.tue.mpg.de/download.php.",
    ),
    upper=None,
    lve_scale=1e5,
    fdd_scale=1e5,
    origin=(
        "\"VOCA, Training Data\" on voca.is.tue.mpg.de/download.php holds data_verts.npy, "
        "raw_audio_fixed.pkl, templates.pkl and subj_seq_to_idx.pkl, from which FaceFormer's "
        "process_voca_data.py makes vertices_npy/ and wav/; either form is accepted."
    ),
)  # fmt: skip
RELEASE = ("data_verts.npy", "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl", "templates.pkl")


def open_vocaset(folder: Path, layout: Layout = VOCASET) -> Corpus:
    """The corpus in `folder`: the release's four files, or vertices_npy/, wav/, templates.pkl."""
    folder = Path(folder)
    if not (folder / "vertices_npy").is_dir() and (folder / RELEASE[0]).exists():
        return _open_release(folder, layout)
    return open_corpus(folder, layout, r"(?P<subject>.+)_sentence(?P<number>\d\d)")


def _open_release(folder: Path, layout: Layout) -> Corpus:
    """The release as downloaded; the vertices stay on disk."""
    vertices, audio, index, templates = (layout.need(folder / name) for name in RELEASE)
    stored = open_array(vertices, layout.vertices)
    audio, index = read_pickle(audio), read_pickle(index)
    try:
        clips = [
            _clip(stored, subject, sentence, rows, audio[subject][sentence])
            for subject, sentences in index.items()
            for sentence, rows in sentences.items()
            if sentence in audio.get(subject, {})
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DatasetError(
            "raw_audio_fixed.pkl and subj_seq_to_idx.pkl are not laid out as published: "
            "audio and sample_rate, and a row of data_verts.npy a frame, by subject and sentence."
        ) from None
    return Corpus.checked(layout, clips, read_pickle(templates))


def _clip(stored: np.ndarray, subject: str, sentence: str, frames: dict, sound: dict) -> Clip:
    """frames: number of the frame -> row of data_verts.npy."""
    rows = np.array([row for _, row in sorted(frames.items())], np.int64)
    if not len(rows) or rows.min() < 0 or rows.max() >= len(stored):
        raise DatasetError(
            f"subj_seq_to_idx.pkl sends {subject} {sentence} outside data_verts.npy, "
            f"which has {len(stored):,} frames."
        )
    samples, rate = np.asarray(sound["audio"]), int(sound["sample_rate"])
    return Clip(
        f"{subject}_{sentence}", subject, int(sentence[-2:]), len(rows), len(samples) / rate,
        partial(_rows, stored, rows), partial(to_speech, samples, rate),
    )  # fmt: skip


def _rows(stored: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.asarray(stored[rows], np.float32)
