"""Noisy sound for the recogniser: what the encoder hears of GRID clips under babble, white noise
and music, and what the lip reader sees in the same clips.

    python -m training.avsr_data --data data --cache CACHE \
        --reader assets/weights/lipreader

writes CACHE/avsr: train, gate and validation (.npy: (rows, 150, channels) float16 at 50 Hz; .json:
clip, kind and SNR of each row) and seen.npz (the lip reader's log probabilities of the gate's
clips, photos and renders).  Noise is mixed into the sound before the encoder hears it.

The gate learns from clips that neither branch learned from: a reader trusts what it knows by
heart.  The lip reader knows every second clip (`--half 0`), so they are taken from the others.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from l2t.lipreading import log_probs
from l2t.loudness import normalise
from l2t.noise import KINDS, add_noise, make_noise
from training.data.corpora import load_audio, read_part
from training.data.features import load_encoder
from training.data.mouths import load_mouths
from training.lipreader_data import Sentence, load_sentences
from training.sync_sources import halved
from training.train_lipreader import load_reader

log = logging.getLogger(__name__)
FEATURES = 150  # of a GRID clip: 3 s at 50 Hz
GATE_EVERY = 4  # one in so many of the clips that the lip reader does not know is the gate's
QUIET, LOUD = 25.0, -12.0  # dB, bounds of the SNR in training
CHECKS = (("babble", 0.0), ("white", -5.0), ("music", -5.0))  # what validation hears


def roles(sentences: Sequence[Sentence], known: int = 0) -> tuple[list[Sentence], list[Sentence]]:
    """(those that the audio branch learns from, those of the gate); known: the reader's half."""
    mine = {s.name for s in halved(sentences, 1 - known)[::GATE_EVERY]}
    return [s for s in sentences if s.name not in mine], [s for s in sentences if s.name in mine]


def voices(data: Path, split: str, parts: Sequence[str] = ("librispeech",), most: int = 60):
    """Recordings of other people for babble, spread over the speakers of a split."""
    found = [u for part in parts for u in read_part(data, part) if u.split == split]
    first = {u.speaker: u for u in found}
    return [normalise(load_audio(u)) for u in list(first.values())[:most]]


def drawn_noise(rng: np.random.Generator) -> tuple[str, float]:
    """Kind and SNR of a training row: kinds alike, SNR uniform in dB."""
    return str(rng.choice(KINDS)), float(rng.uniform(LOUD, QUIET))


def write_rows(path: Path, encoder, rows: list[tuple[str, np.ndarray, str, float]], others, seed):
    """Encodes rows (name, samples, kind, SNR) and writes PATH.npy and PATH.json."""
    rng, began = np.random.default_rng(seed), time.monotonic()
    shape = (len(rows), FEATURES, encoder.config.channels)
    packed = np.lib.format.open_memmap(path.with_suffix(".npy"), "w+", np.float16, shape)
    for slot, (_, samples, kind, snr) in zip(packed, rows, strict=True):
        noise = make_noise(kind, len(samples), rng, others)
        heard = encoder(torch.from_numpy(add_noise(samples, noise, snr))[None])[0].numpy()
        slot[:] = heard[np.minimum(np.arange(FEATURES), len(heard) - 1)]
    packed.flush()
    text = json.dumps([[name, kind, round(snr, 2)] for name, _, kind, snr in rows])
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    log.info("%s: %d rows, %.0f s", path.name, len(rows), time.monotonic() - began)


def load_rows(path: Path) -> tuple[list[tuple[str, str, float]], np.ndarray]:
    """([(clip, kind, SNR)], (rows, 150, channels) mapped read-only) of `write_rows`."""
    rows = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return [tuple(row) for row in rows], np.load(path.with_suffix(".npy"), mmap_mode="r")


def see(cache: Path, reader, names: list[str], out: Path) -> None:
    """The lip reader's log probabilities of clips' photos and renders: names, photo, render."""
    found = {}
    for domain, part in (("photo", "grid_s1"), ("render", "grid_s1_render")):
        known, mouths = load_mouths(cache, part)
        found[domain] = np.stack([log_probs(reader, mouths[known.index(n)]) for n in names])
    np.savez(out, names=np.array(names), **found)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Prepares noisy sound for the recogniser.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with align/, mouths/")
    parser.add_argument("--reader", type=Path, required=True, help="path without ending")
    parser.add_argument("--encoder", type=Path, default=Path("assets/weights"))
    parser.add_argument("--versions", type=int, default=2, help="rows a training clip")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    out = options.cache / "avsr"
    out.mkdir(parents=True, exist_ok=True)
    encoder, others = load_encoder(options.encoder), voices(options.data, "train")
    sound = {u.id: u for u in read_part(options.data, "grid_s1")}
    names = sorted(sound)
    align = options.cache / "align" / "grid_s1.npz"
    audio, gate = roles(load_sentences(align, names, "train"))
    rng = np.random.default_rng(1)
    checked = load_sentences(align, names, "validation")
    wanted = {
        "validation": [(s.name, *check) for check in CHECKS for s in checked],
        "gate": [(s.name, *drawn_noise(rng)) for _ in range(options.versions + 1) for s in gate],
        "train": [(s.name, *drawn_noise(rng)) for _ in range(options.versions) for s in audio],
    }
    reader = load_reader(options.reader)
    see(options.cache, reader, [s.name for s in gate + checked], out / "seen.npz")
    for seed, (kind, rows) in enumerate(wanted.items()):
        ready = [(n, normalise(load_audio(sound[n])), kind_, snr) for n, kind_, snr in rows]
        write_rows(out / kind, encoder, ready, others, seed)


if __name__ == "__main__":
    main()
