"""Computes the frozen encoder's features once and packs them, clean and augmented.

    python -m training.data.features grid_s1 --data data --out cache/features --copies 3

A pack is one npz: `features` (total, channels) float16 at 50 Hz, `starts` (clips + 1,), `names`,
`speeds` (clips,): original time = time in the pack * speed. Copy 0 is the clean recording.
"""

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch

from l2t.loudness import normalise
from l2t.models.encoder import EncoderConfig, SpeechEncoder
from training.data.augment import Recipe, augment
from training.data.corpora import load_audio, read_part
from training.files import load_parts


def clips_of(corpus: str, data: Path) -> Iterator[tuple[str, np.ndarray]]:
    """(name, samples at 16 kHz as stored) of every clip of a corpus."""
    if corpus == "facegood":
        for path in sorted((data / corpus).glob("*.flac")):
            samples, _ = soundfile.read(path, dtype="float32")
            for part, start in enumerate(range(0, len(samples) - 16000, 160000)):
                yield f"{path.stem}:{part}", samples[start : start + 160000]
        return
    for utterance in read_part(data, corpus):
        yield utterance.id, load_audio(utterance)


def load_encoder(folder: Path) -> SpeechEncoder:
    """The frozen encoder from encoder.json and encoder.safetensors."""
    config, tensors = load_parts(folder, "encoder")
    encoder = SpeechEncoder(EncoderConfig(**config))
    encoder.load_state_dict(tensors)
    return encoder


def pack(corpus: str, data: Path, copy: int, encoder: SpeechEncoder, keep=None) -> dict:
    """One copy of a corpus as arrays. keep: names to take (None: all)."""
    features, names, speeds, heard = [], [], [], []
    for name, raw in clips_of(corpus, data):
        if keep is not None and name not in keep:
            continue
        samples, recipe = normalise(raw), Recipe()
        if copy:
            rng = np.random.default_rng(zlib.crc32(f"{name}/{copy}".encode()))
            samples, recipe = augment(samples, rng, heard[-50:])
        heard.append(samples)
        out = encoder(torch.from_numpy(samples)[None, : 30 * 16000])[0]
        features.append(out.numpy().astype(np.float16))
        names.append(name)
        speeds.append(recipe.speed)
    starts = np.cumsum([0] + [len(f) for f in features])
    return {
        "features": np.concatenate(features),
        "starts": starts,
        "names": np.array(names),
        "speeds": np.array(speeds, np.float32),
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("cache/features"))
    parser.add_argument("--copies", type=int, default=0, help="augmented copies beside the clean")
    parser.add_argument("--first", type=int, default=0, help="first copy to make")
    parser.add_argument("--align", type=Path, help="take only utterances in CORPUS.npz here")
    parser.add_argument("--encoder", type=Path, default=Path("assets/weights"))
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    encoder = load_encoder(args.encoder)
    args.out.mkdir(parents=True, exist_ok=True)
    for corpus in args.corpus:
        keep = None
        if args.align and (args.align / f"{corpus}.npz").exists():
            with np.load(args.align / f"{corpus}.npz", allow_pickle=False) as file:
                keep = set(file["ids"].tolist())
        for copy in range(args.first, args.copies + 1):
            arrays = pack(corpus, args.data, copy, encoder, keep)
            np.savez(args.out / f"{corpus}.{copy}.npz", **arrays)
            hours = len(arrays["features"]) / 50 / 3600
            print(f"{corpus} copy {copy}: {len(arrays['names'])} clips, {hours:.2f} h", flush=True)


if __name__ == "__main__":
    main()
