"""Trains our own 2D talking face on a real man's mouth.

    python -m training.train_teacher --data data --cache CACHE --out CACHE/teacher

CACHE holds mouths/, features/ (grid_s1, copies 0 to 3), targets/ and experts/syncnet2d_loss.
Once the pictures have settled the sync expert joins the loss, if it finds the real lips in step.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.files import save_module
from training.loop import Loop, LoopConfig
from training.losses.contrastive import all_pairs, frame_loss
from training.losses.pictures import picture_losses
from training.models.syncnet2d import SyncNet2D, load_expert2d
from training.mouth_sync import judge
from training.teacher.lessons import Lesson, draw, load_lessons, neutral_photo
from training.teacher.network import MouthPainter, PainterConfig
from training.teacher.sheets import save_film

log = logging.getLogger(__name__)

CONFIG = LoopConfig(
    seed=3, steps=5000, rate=1.5e-3, warm=150, decay=0.02, average=0.995, check_every=200
)
NETWORK = PainterConfig(maps=(96, 64, 40, 16))
BATCH, FRAMES = 6, 20
WEIGHTS = {"grey": 10.0, "edge": 10.0, "coarse": 5.0, "change": 5.0, "sync": 0.04}
SHIFT = 0.3  # standard deviations: each channel's offset in a clip, as another voice has
SYNC_FROM = 0.4  # share of the steps after which the expert joins
GOOD = 0.9  # share of unseen real clips that the expert must find in step


def step_on(lessons: list[Lesson], loop: Loop, expert: SyncNet2D | None) -> Callable:
    """One step of training."""

    def step(model, number: int) -> dict[str, torch.Tensor]:
        drawn = [t.to(loop.device) for t in draw(lessons, loop.rng, BATCH, FRAMES)]
        features, photo, film, starts, voiced, sound = drawn
        moved = loop.rng.standard_normal((BATCH, 1, features.shape[2]), dtype=np.float32)
        scale = loop.accelerator.unwrap_model(model).ear.scale
        features = features + SHIFT * torch.from_numpy(moved).to(loop.device) * scale
        with torch.autocast(loop.device.type, torch.bfloat16):
            made = model(features, photo, starts, FRAMES)
        terms = picture_losses(made.float(), film)
        terms["sync"] = made.new_zeros(())
        if expert is not None and number >= SYNC_FROM * loop.config.steps:
            terms["sync"] = frame_loss(all_pairs(sound, expert.see(made.float())), voiced)
        return terms | {"total": sum(WEIGHTS[k] * v for k, v in terms.items())}

    return step


def check_on(lessons: list[Lesson], judge_by: SyncNet2D | None) -> Callable:
    """Distance to unseen real mouths, painted from each clip's own photo; the last is kept."""

    @torch.inference_mode()
    def check(model) -> dict[str, float]:
        device, rows = next(model.parameters()).device, []
        for lesson in lessons:
            features = torch.from_numpy(lesson.features[0].astype(np.float32))[None].to(device)
            film = torch.from_numpy(lesson.mouths / np.float32(255))[None].to(device)
            made = model(features, film[:, lesson.photos[0]]).clamp(0, 1)
            said = torch.from_numpy(lesson.voiced).to(device)
            row = {k: float(v) for k, v in picture_losses(made[:, said], film[:, said]).items()}
            if judge_by is not None:
                seen = judge_by.see(made)[0].cpu().numpy()
                found = judge(seen, lesson.sound, lesson.voiced, True)
                row |= {"lse_c": found.lse_c, "in step": float(abs(found.lag) <= 1)}
            rows.append(row)
        return {f"unseen {k}": float(np.mean([r[k] for r in rows])) for k in rows[0]}

    return check


def real_in_step(expert: SyncNet2D, lessons: list[Lesson]) -> float:
    """Share of real clips in which the expert finds the mouth within one frame of the sound."""
    lags = [
        judge(see(expert, lesson.mouths), lesson.sound, lesson.voiced, True).lag
        for lesson in lessons
    ]
    return float(np.mean([abs(lag) <= 1 for lag in lags]))


@torch.inference_mode()
def see(expert: SyncNet2D, mouths: np.ndarray) -> np.ndarray:
    """Mouth vectors of a film (frames, 96, 96) uint8."""
    return expert.see(torch.from_numpy(mouths / np.float32(255))[None])[0].numpy()


def sample_of(lesson: Lesson) -> Callable:
    """A picture: the real film above, the painted one below."""

    @torch.inference_mode()
    def picture(model, path: Path) -> None:
        device = next(model.parameters()).device
        features = torch.from_numpy(lesson.features[0].astype(np.float32))[None].to(device)
        made = model(features, model.neutral[None])[0].clamp(0, 1).cpu().numpy()
        save_film(path, [lesson.mouths, np.round(made * 255).astype(np.uint8)], every=3)

    return picture


def fresh(lessons: list[Lesson], config: PainterConfig) -> MouthPainter:
    """An untrained network that knows the features' scale and the man's closed mouth."""
    model = MouthPainter(config)
    sample = np.concatenate([x[::5].astype(np.float32) for y in lessons[::3] for x in y.features])
    model.ear.mean.copy_(torch.from_numpy(sample.mean(0)))
    model.ear.scale.copy_(torch.from_numpy(sample.std(0) + 1e-3))
    model.neutral.copy_(torch.from_numpy(neutral_photo(lessons)))
    return model


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Trains our own 2D talking face.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/, features/")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and curves")
    parser.add_argument("--steps", type=int, default=CONFIG.steps)
    parser.add_argument("--stop", type=int, default=CONFIG.stop, help="end before the last step")
    parser.add_argument("--seed", type=int, default=CONFIG.seed)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    path = options.cache / "experts" / "syncnet2d_loss"
    expert = load_expert2d(path) if path.with_suffix(".safetensors").exists() else None
    unseen = load_lessons(options.data, options.cache, "validation", (0,), expert)[::4]
    judge_by = expert
    if expert is not None and (right := real_in_step(expert, unseen)) < GOOD:
        log.info("The sync expert finds only %.0f %% of real clips in step: left out.", 100 * right)
        expert = None
    lessons = load_lessons(options.data, options.cache, "train", (0, 1, 2, 3), judge_by)
    log.info("%d clips, sync expert: %s", len(lessons), "yes" if expert else "no")
    config = replace(CONFIG, steps=options.steps, stop=options.stop, seed=options.seed)
    loop = Loop(options.out, config, options.resume)
    if expert is not None:
        expert.to(loop.device)
    loop.run(
        fresh(lessons, NETWORK), step_on(lessons, loop, expert), check_on(unseen, judge_by),
        sample_of(unseen[0]), lambda model, out: save_module(model, out, "painter"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
