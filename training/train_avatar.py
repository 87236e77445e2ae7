"""Learns a Gaussian avatar from pictures: the default head's, or a user's own folder.

    python -m training.train_avatar --out runs/avatar                 # draws the default scene
    python -m training.train_avatar --data FOLDER --out runs/mine     # see training.avatar.dataset

Writes avatar.safetensors and avatar.json (put both into a folder for `Avatar.load`), log.csv,
curves.png, sample.png (test pictures above, drawn ones below) and checkpoint.pt to --out.
"""

import argparse
import json
import logging
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from l2t.avatar.avatar import write_avatar
from l2t.avatar.gaussians import Gaussians
from l2t.face import FaceTemplate
from training.avatar.begin import begin
from training.avatar.dataset import Scene, load_scene
from training.avatar.judge import judged, sheet
from training.avatar.model import BoundGaussians
from training.avatar.optimise import AvatarTraining, Optimisation
from training.avatar.rasterise import has_gsplat
from training.curves import draw_curves
from training.loop import append_line

log = logging.getLogger(__name__)
CHECK_VIEWS = 12  # pictures of the validation split looked at while training


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Learns a Gaussian avatar.")
    parser.add_argument("--data", type=Path, help="pictures (default: drawn to OUT/scene)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--cache", type=Path, help="tracked speech for the default scene")
    parser.add_argument("--template", type=Path, help="npz of another head")
    parser.add_argument("--identity", help="of the template (default: the first)")
    parser.add_argument("--start", type=Path, help="begin with the avatar in this folder")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--check-every", type=int, default=250)
    parser.add_argument("--threads", type=int, help="of the CPU (default: torch's choice)")
    for name in ("seed", "steps", "stop", "count"):
        parser.add_argument(f"--{name}", type=int, default=getattr(AvatarTraining, name))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = {k: v for k, v in vars(options).items() if k in AvatarTraining.__dataclass_fields__}
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.start:
        chosen["coarse"] = 0.0  # it has seen the small pictures
    train(options, AvatarTraining(**chosen))


def train(options: argparse.Namespace, config: AvatarTraining) -> None:
    """Runs the optimisation with the command's options."""
    options.out.mkdir(parents=True, exist_ok=True)
    template = FaceTemplate.load(options.template)
    identity = options.identity or template.identities[0]
    folder = options.data or options.out / "scene"
    if options.data is None and not (folder / "transforms_train.json").is_file():
        from training.avatar.scenes import SIZE, draw_scene, tracked_speech

        draw_scene(folder, SIZE, tracked_speech(options.cache))
    scene, coarse = (load_scene(folder, template, identity, s) for s in (1.0, 0.5))
    log.info("%d pictures to learn from, %d to be judged by", len(scene.train), len(scene.test))
    run(scene, coarse, config, options, identity)


def run(scene: Scene, coarse: Scene, config, options, identity: str) -> None:
    """Steps, checks, files."""
    device = torch.device("cuda" if has_gsplat() else "cpu")
    torch.manual_seed(config.seed)
    checkpoint, done = options.out / "checkpoint.pt", 0
    if options.resume and checkpoint.is_file():
        optimisation = Optimisation(scene, coarse, config, BoundGaussians.on(np.arange(1)))
        done = restore(checkpoint, optimisation, config)
    else:
        (options.out / "log.csv").unlink(missing_ok=True)
        model = started(options.start, scene) or begin(coarse, config.count, device)
        optimisation = Optimisation(scene, coarse, config, model.to(device))
    log.info("%d Gaussians to begin with", len(optimisation.model.triangle))
    rows, began = [], time.process_time()
    for number in range(done, config.last):
        rows.append(optimisation.step(number))
        if (number + 1) % options.check_every == 0 or number + 1 == config.last:
            means = {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}
            line = {"step": number + 1, "seconds": round(time.process_time() - began)} | means
            look(line, scene, optimisation.model, options.out)
            keep(checkpoint, optimisation, config, number + 1)
            write_avatar(options.out, optimisation.model.gaussians(), identity,
                         {"steps": number + 1, "seed": config.seed,
                          "pictures": len(scene.train)}, len(scene.faces))
            rows = []


def started(folder: Path | None, scene: Scene) -> BoundGaussians | None:
    """The avatar in `folder` to go on with, or None without one."""
    if folder is None:
        return None
    return BoundGaussians.of(Gaussians.load(folder / "avatar.safetensors", len(scene.faces)))


def look(line: dict[str, float], scene: Scene, model: BoundGaussians, out: Path) -> None:
    """One line of the log, with scores on a few pictures not learnt from; curves; a sheet."""
    views = scene.val or scene.test or scene.train
    views = views[:: max(1, len(views) // CHECK_VIEWS)]
    scores, pictures = judged(model.gaussians(), scene, views[:CHECK_VIEWS])
    line |= {"gaussians": float(len(model.triangle)), "psnr": scores["psnr"],
             "psnr_head": scores["psnr_head"], "ssim": scores["ssim"]}  # fmt: skip
    append_line(out / "log.csv", line)
    draw_curves(out / "log.csv", out / "curves.png")
    Image.fromarray(sheet(pictures)).save(out / "sample.png")
    log.info(" ".join(f"{k} {v:.4g}" for k, v in line.items()))


def keep(path: Path, optimisation: Optimisation, config: AvatarTraining, done: int) -> None:
    """Writes the checkpoint, whole or not at all."""
    part = path.with_suffix(".part")
    torch.save({"state": optimisation.state_dict(), "done": done,
                "config": json.dumps(asdict(config))}, part)
    part.replace(path)


def restore(path: Path, optimisation: Optimisation, config: AvatarTraining) -> int:
    """The step to go on with. Raises ValueError when the checkpoint has other settings."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    then, now = json.loads(kept["config"]), json.loads(json.dumps(asdict(config)))
    changed = sorted(k for k in now if k != "stop" and now[k] != then.get(k))
    if changed:
        raise ValueError(f"{path.name} was written with other settings: {', '.join(changed)}.")
    optimisation.load_state_dict(kept["state"])
    return kept["done"]


if __name__ == "__main__":
    main()
