"""Small folders laid out exactly as VOCASET and BIWI are published: few frames, real sizes."""

import pickle
from pathlib import Path

import numpy as np
import soundfile
import torch

from l2t.models.encoder import EncoderConfig, SpeechEncoder
from training.files import save_module
from training.paper.layout import Layout
from training.paper.vocaset import VOCASET

FRAMES = {"vocaset": 16, "biwi": 8}  # stored frames a clip: a quarter and a third of a second
RATES = {"vocaset": 22050, "biwi": 44100}  # Hz, as published
SMALL = {
    "components": 4, "batch": 3, "frames": 12, "points": 12, "after": 0.5,
    "model": {"width": 16, "heads": 2, "layers": 1, "ffn": 16},
    "student": {"steps": 4, "warm": 1, "check_every": 2, "average": 0.5},
    "expert_model": {"channels": 2, "width": 8, "motion_width": 8, "size": 4, "components": 4},
    "expert": {"steps": 2, "warm": 1, "batch": 3, "frames": 36, "check_every": 2, "average": 0.5},
}  # fmt: skip


def name_of(layout: Layout, subject: str, sentence: int) -> str:
    return f"{subject}_{'e' if layout.name == 'biwi' else 'sentence'}{sentence:02d}"


def some_clips(layout: Layout) -> list[tuple[str, int]]:
    """The first two training sentences of everyone, and one or two of the other splits."""
    clips = [(s, n) for s in layout.train.subjects for n in (1, 2)]
    clips += [(s, layout.validation.first) for s in layout.validation.subjects]
    return clips + [(s, split.first + n) for split in layout.tests.values()
                    for s in split.subjects for n in range(2)]  # fmt: skip


def motion(layout: Layout, seed: int) -> np.ndarray:
    """(frames, vertices * 3) smooth displacements along three directions, in the unit's size."""
    size = {"vocaset": 2e-3, "biwi": 1e-2}[layout.name]
    ways = np.random.default_rng(7).standard_normal((3, layout.vertices * 3), np.float32)
    times = np.arange(FRAMES[layout.name])[:, None]
    waves = np.sin(times * [0.3, 0.5, 0.9] + np.random.default_rng(seed).uniform(0, 6, 3))
    return (size * waves.astype(np.float32)) @ ways


def face(layout: Layout, subject: str) -> np.ndarray:
    rng = np.random.default_rng(abs(hash_of(subject)))
    return (0.1 * rng.standard_normal((layout.vertices, 3))).astype(np.float32)


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode(), "little") % 2**31


def sound(layout: Layout, seed: int) -> np.ndarray:
    """16-bit voice-like sound as long as the clip's frames."""
    rate = RATES[layout.name]
    count = round(FRAMES[layout.name] / layout.stored_fps * rate)
    times = np.arange(count) / rate
    wave = sum(np.sin(2 * np.pi * 140 * k * times + seed) / k for k in range(1, 6))
    return (wave * (1 + np.sin(2 * np.pi * 5 * times)) * 3000).astype(np.int16)


def write_masks(folder: Path, layout: Layout) -> None:
    """As published: a pickle with FLAME's regions, or numbers between commas."""
    if layout.name == "vocaset":
        lips = np.arange(1500, 1754)
        (folder / "FLAME_masks.pkl").write_bytes(pickle.dumps({"lips": lips}, 2))
        return
    (folder / "regions").mkdir()
    for name, count in (("lve", 4996), ("fdd", 7784)):
        listed = ", ".join(str(n) for n in range(count))
        (folder / "regions" / f"{name}.txt").write_text(listed)


def write_dataset(folder: Path, layout: Layout, clips=None) -> Path:
    """vertices_npy/, wav/, templates.pkl and the masks."""
    for part in ("vertices_npy", "wav"):
        (folder / part).mkdir(parents=True)
    faces = {s: face(layout, s) for split in layout.splits.values() for s in split.subjects}
    (folder / "templates.pkl").write_bytes(pickle.dumps(faces, 2))
    for seed, (subject, sentence) in enumerate(clips or some_clips(layout)):
        name = name_of(layout, subject, sentence)
        vertices = motion(layout, seed) + faces[subject].reshape(-1)
        np.save(folder / "vertices_npy" / f"{name}.npy", vertices)
        soundfile.write(folder / "wav" / f"{name}.wav", sound(layout, seed), RATES[layout.name])
    write_masks(folder, layout)
    return folder


def write_release(folder: Path, layout: Layout = VOCASET) -> Path:
    """VOCASET as its four files: rows of data_verts.npy by subject, sentence and frame."""
    folder.mkdir(parents=True)
    faces = {s: face(layout, s) for split in layout.splits.values() for s in split.subjects}
    rows, audio, index = [], {}, {}
    for seed, (subject, sentence) in enumerate(some_clips(layout)):
        key = f"sentence{sentence:02d}"
        first = sum(map(len, rows))
        rows.append(motion(layout, seed) + faces[subject].reshape(-1))
        index.setdefault(subject, {})[key] = {n: first + n for n in range(len(rows[-1]))}
        audio.setdefault(subject, {})[key] = {"audio": sound(layout, seed), "sample_rate": 22050}
    np.save(folder / "data_verts.npy", np.concatenate(rows).reshape(-1, layout.vertices, 3))
    for name, value in (("raw_audio_fixed", audio), ("subj_seq_to_idx", index),
                        ("templates", faces)):  # fmt: skip
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(value, 2))
    write_masks(folder, layout)
    return folder


def write_encoder(folder: Path) -> Path:
    """A speech encoder of debug size, in the format of the embedded one."""
    torch.manual_seed(0)
    tiny = EncoderConfig(layers=1, width=16, heads=2, ffn=32, taps=(1,))
    save_module(SpeechEncoder(tiny), folder, "encoder")
    return folder
