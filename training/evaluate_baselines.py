"""The yardsticks of the main table: small convolutional heads trained here and now, a minute each.

    python -m training.evaluate_baselines --data data --cache cache

Both heads learn the lip opening from grid_s1's training clips: one hears log-mel, the other the
frozen encoder's features. Same test clips and measures as `training.evaluate`, no silence gate.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from l2t import metrics
from l2t.face import FaceTemplate
from l2t.models.encoder import FEATURE_RATE
from l2t.models.regressor import at_times
from l2t.motion import frame_count, frame_times
from l2t.voice import SAMPLE_RATE
from training.baselines import head_opening, mel_features, train_head
from training.data.features import load_encoder
from training.evaluate import (
    against_truth,
    closures,
    into_card,
    spoken_clips,
    table,
    tracked_clips,
)


def encoder_features(encoder) -> Callable[[np.ndarray], np.ndarray]:
    """Frozen features read at the middle of each frame, (frames, channels) float32."""

    def features(samples: np.ndarray) -> np.ndarray:
        times = frame_times(frame_count(len(samples) / SAMPLE_RATE)) * FEATURE_RATE
        return at_times(encoder(torch.from_numpy(samples)), torch.from_numpy(times)).numpy()[0]

    return features


def rows(name: str, features: Callable, sets: dict, template, seed: int) -> list[dict]:
    """Trains one head and measures it on every set."""
    train = [
        (features(c.samples).astype(np.float32), metrics.lip_opening(template, c.arkit))
        for c in sets["train"]
    ]
    head = train_head(train, seed=seed)
    out = []
    for label in ("grid_s1", "grid_s26"):
        made = [head_opening(head, features(c.samples).astype(np.float32)) for c in sets[label]]
        out += against_truth(f"{name}, {label}", sets[label], made)
    spoken = sets["librispeech"]
    made = [head_opening(head, features(c.samples).astype(np.float32)) for c in spoken]
    return out + closures(f"{name}, librispeech", spoken, made, metrics.closed_limit(template))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--encoder", type=Path, default=Path("assets/weights"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--card", type=Path, help="model card to put the table into")
    args = parser.parse_args(argv)
    template = FaceTemplate.load()
    sets = {
        "train": tracked_clips(args.data, args.cache, "grid_s1", "train"),
        "grid_s1": tracked_clips(args.data, args.cache, "grid_s1", "test"),
        "grid_s26": tracked_clips(args.data, args.cache, "grid_s26", "test"),
        "librispeech": spoken_clips(args.data, args.cache, "librispeech", "test"),
    }
    ears = encoder_features(load_encoder(args.encoder))
    out = rows("log-mel", mel_features, sets, template, args.seed)
    out += rows("frozen encoder", ears, sets, template, args.seed)
    text = table("Yardsticks: convolutional heads that learn the lip opening alone (test)", out)
    print(text)
    if args.card:
        into_card(args.card, text, "training.evaluate_baselines")


if __name__ == "__main__":
    main()
