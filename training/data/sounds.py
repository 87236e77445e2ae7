"""What the frozen sync expert hears in every clip, once and for all: packs for the sync loss.

    python -m training.data.sounds grid_s1 librispeech kathleen --data data \
        --expert CACHE/experts/loss --out CACHE/sounds

The expert is the one of the loss, never the one that measures.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from l2t.loudness import normalise
from l2t.mel import log_mel
from l2t.models.syncnet3d import SyncNet3D
from l2t.motion import FPS, frame_count
from l2t.voice import SAMPLE_RATE, speech_mask
from training.data.features import clips_of
from training.train_syncnet import load_expert


@torch.inference_mode()
def heard(expert: SyncNet3D, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (frames, size) float16 and where there is a voice (frames,), at 30 fps."""
    samples = normalise(samples)
    frames = frame_count(len(samples) / SAMPLE_RATE)
    mel = log_mel(torch.from_numpy(samples), frames)
    return expert.hear(mel[None])[0].half().numpy(), speech_mask(samples, FPS, frames)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--expert", type=Path, required=True, help="path without ending")
    parser.add_argument("--out", type=Path, default=Path("cache/sounds"))
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    expert = load_expert(args.expert)
    args.out.mkdir(parents=True, exist_ok=True)
    for corpus in args.corpora:
        names, vectors, voiced = [], [], []
        for name, samples in clips_of(corpus, args.data):
            made = heard(expert, samples)
            names.append(name)
            vectors.append(made[0])
            voiced.append(made[1])
        starts = np.cumsum([0, *(len(v) for v in vectors)])
        np.savez(args.out / f"{corpus}.npz", names=np.array(names), starts=starts,
                 features=np.concatenate(vectors), voiced=np.concatenate(voiced))  # fmt: skip
        print(f"{corpus}: {len(names)} clips, {starts[-1]} frames", flush=True)


if __name__ == "__main__":
    main()
