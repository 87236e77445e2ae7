"""Scores an avatar on the pictures of a scene that no training saw, beside the plain mesh.

    python -m training.evaluate_avatar --data SCENE [--avatar FOLDER] [--out FOLDER]

PSNR over the whole picture and where the head is, SSIM (11 pixels, Gaussian), the number of
Gaussians, and pictures a second of the product's rasteriser at 512 pixels on up to two threads.
The baseline is the product's mesh with its vertex colours under the same light. Writes avatar.md,
avatar.json and pictures.png (true, avatar, mesh) to --out.
"""

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
from PIL import Image

from l2t.avatar.avatar import Avatar
from l2t.avatar.camera import Orbit
from l2t.avatar.splatter import THREADS, Splatter
from training.avatar.dataset import Scene, load_scene
from training.avatar.judge import judged, means, scores, sheet
from training.avatar.plain import PlainMesh

log = logging.getLogger(__name__)
SHOWN, SPEED_FRAMES, SPEED_SIZE = 8, 40, 512


def evaluate(avatar: Avatar, scene: Scene) -> tuple[dict, np.ndarray]:
    """Scores as JSON values, and a sheet of pictures: true, avatar, mesh."""
    made, pictures = judged(avatar.gaussians, scene, scene.test)
    mesh = PlainMesh(avatar.template, avatar.identity)
    plain = [mesh.picture(scene.vertices[v.moment], v.camera) for v in scene.test]
    rows = [scores(v, p)[0] for v, p in zip(scene.test, plain, strict=True)]
    shown = list(range(0, len(pictures), max(1, len(pictures) // SHOWN)))[:SHOWN]
    below = np.concatenate([plain[i] for i in shown], axis=1)
    found = {"avatar": made, "mesh": means(rows), "pictures": len(scene.test),
             "gaussians": len(avatar.gaussians), "fps": speed(avatar, scene)}
    whole = [sheet([pictures[i] for i in shown]), np.round(255 * below).astype(np.uint8)]
    return found, np.concatenate(whole)


def speed(avatar: Avatar, scene: Scene) -> float:
    """Pictures a second from the front, vertices given."""
    camera = Orbit().camera(avatar.neutral, SPEED_SIZE)
    splatter = Splatter(avatar.gaussians, scene.faces, THREADS)
    splatter.draw(scene.vertices[0], camera)
    began = time.perf_counter()
    for i in range(SPEED_FRAMES):
        splatter.draw(scene.vertices[i % len(scene.vertices)], camera)
    seconds = time.perf_counter() - began
    splatter.close()
    return SPEED_FRAMES / seconds


def table(found: dict) -> str:
    """The scores as Markdown."""
    lines = [f"{found['pictures']} pictures of unseen faces from unseen places; "
             f"{found['gaussians']} Gaussians; {found['fps']:.1f} pictures a second at "
             f"{SPEED_SIZE} pixels.", "",
             "| | PSNR, whole picture | PSNR, head only | SSIM |", "|---|---|---|---|"]  # fmt: skip
    for name in ("avatar", "mesh"):
        row = found[name]
        lines.append(f"| {name} | {row['psnr']:.2f} dB | {row['psnr_head']:.2f} dB "
                     f"| {row['ssim']:.4f} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Scores a Gaussian avatar.")
    parser.add_argument("--data", type=Path, required=True, help="scene with test pictures")
    parser.add_argument("--avatar", type=Path, help="folder (default: the embedded avatar)")
    parser.add_argument("--out", type=Path, help="folder for the table and pictures")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    avatar = Avatar.load(options.avatar)
    scene = load_scene(options.data, avatar.template, avatar.identity)
    if not scene.test:
        parser.error(f"{options.data.name!r} has no transforms_test.json")
    found, pictures = evaluate(avatar, scene)
    log.info("%s", table(found))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "avatar.md").write_text(table(found), encoding="utf-8")
        (options.out / "avatar.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        Image.fromarray(pictures).save(options.out / "pictures.png")


if __name__ == "__main__":
    main()
