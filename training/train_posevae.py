"""Trains PoseVAE on the head of the tracked man.

    python -m training.train_posevae --data data --cache cache --out runs/posevae

CACHE holds features/grid_s1.0.npz (of training.data.features). A few minutes on one core.
"""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from l2t.models.encoder import FEATURE_RATE
from l2t.models.posevae import PoseConfig, PoseVAE, divergence
from l2t.models.regressor import at_times
from l2t.motion import frame_times
from training.data.clips import names_of
from training.data.corpora import grid_split
from training.data.head_pose import head_pose
from training.data.packs import read_pack
from training.files import save_module
from training.loop import Loop, LoopConfig


@dataclass(frozen=True)
class TrainConfig(LoopConfig):
    """batch: windows a step. velocity: weight of the error of frame-to-frame movement.
    divergence: weight of the KL divergence a latent, reached over the first `rise` steps."""

    steps: int = 3000
    rate: float = 1e-3
    warm: int = 100
    average: float = 0.995
    check_every: int = 500
    batch: int = 64
    velocity: float = 8.0
    divergence: float = 0.012
    rise: int = 800


@dataclass(frozen=True)
class HeadClip:
    """pose (frames, 3) radians about its mean, features (frames, channels) float32, at 30 fps."""

    pose: np.ndarray
    features: np.ndarray


def head_clips(data: Path, cache: Path, split: str) -> list[HeadClip]:
    """Clips of one split of grid_s1."""
    packed, out = read_pack(cache / "features" / "grid_s1.0.npz"), []
    for i, name in enumerate(names_of(data / "grid_s1")):
        if grid_split(i) != split:
            continue
        pose = head_pose(data / "grid_s1" / f"{name}.npz")
        features = torch.from_numpy(packed[name][0].astype(np.float32))
        times = torch.from_numpy(frame_times(len(pose)) * FEATURE_RATE)
        out.append(HeadClip(pose, at_times(features[None], times)[0].float().numpy()))
    return out


def fresh(clips: list[HeadClip], config: PoseConfig) -> PoseVAE:
    """An untrained model whose units fit the clips."""
    poses = np.concatenate([c.pose for c in clips])
    fields = vars(config) | {"scale": tuple(poses.std(0).tolist())}
    model = PoseVAE(PoseConfig(**fields))
    sample = np.concatenate([c.features[::9] for c in clips])
    model.feature_mean.copy_(torch.from_numpy(sample.mean(0)))
    model.feature_scale.copy_(torch.from_numpy(sample.std(0) + 1e-3))
    return model


def windows(clips: list[HeadClip], model: PoseVAE, count: int, rng) -> tuple:
    """Random windows as tensors: pose in the model's units about the window's mean, features."""
    size, rows = model.config.frames, []
    for i in rng.integers(len(clips), size=count):
        clip = clips[i]
        start = int(rng.integers(len(clip.pose) - size + 1))
        pose = clip.pose[start : start + size] / np.array(model.config.scale)
        # A head seen in a mirror is a head: yaw and roll change sign together.
        sign = np.array([1, 1, 1] if rng.random() < 0.5 else [1, -1, -1])
        rows.append(((pose - pose.mean(0)) * sign, clip.features[start : start + size]))
    parts = zip(*rows, strict=True)
    return tuple(torch.from_numpy(np.stack(part).astype(np.float32)) for part in parts)


def losses(model, batch: tuple, config: TrainConfig, number: int) -> dict[str, torch.Tensor]:
    pose, features = batch
    made, mean, log_variance = model(pose, features)
    terms = {
        "pose": (made - pose).square().mean(),
        "velocity": (made.diff(dim=1) - pose.diff(dim=1)).square().mean(),
        "divergence": divergence(mean, log_variance) / mean.shape[1],
    }
    pull = config.divergence * min(1.0, number / max(1, config.rise))
    total = terms["pose"] + config.velocity * terms["velocity"] + pull * terms["divergence"]
    return terms | {"total": total}


def train(clips, unseen, config: TrainConfig, out: Path, shape: PoseConfig, resume=False) -> dict:
    """Runs the training; writes posevae.json / .safetensors, log, curves to `out`."""
    loop = Loop(out, config, resume)
    model = fresh(clips, shape)

    def step(network, number: int) -> dict[str, torch.Tensor]:
        batch = windows(clips, model, config.batch, loop.rng)
        return losses(network, tuple(t.to(loop.device) for t in batch), config, number)

    def check(network) -> dict[str, float]:
        torch.manual_seed(0)
        batch = windows(unseen, model, 256, np.random.default_rng(0))
        with torch.no_grad():
            terms = losses(network, tuple(t.to(loop.device) for t in batch), config, config.steps)
        return {f"unseen {k}": float(v) for k, v in terms.items()}

    return loop.run(model, step, check, save=lambda m, folder: save_module(m, folder, "posevae"))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--out", type=Path, default=Path("runs/posevae"))
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    seen, unseen = (head_clips(args.data, args.cache, s) for s in ("train", "validation"))
    train(seen, unseen, TrainConfig(steps=args.steps), args.out, PoseConfig(), args.resume)


if __name__ == "__main__":
    main()
