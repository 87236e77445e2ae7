"""Scores of an avatar on pictures it has not seen, over the film's own background."""

import numpy as np
import torch

from l2t.avatar.gaussians import Gaussians
from l2t.avatar.splatter import Splatter
from l2t.render.picture import CENTRE
from training.avatar.dataset import Scene, View
from training.avatar.losses import psnr, ssim

BACKGROUND = np.array(CENTRE, np.float32) / 255  # one grey behind drawn and true pictures alike


def judged(gaussians: Gaussians, scene: Scene, views: list[View]):
    """(mean scores, [(true, made)] pictures (H, W, 3) float32) of the product's own rasteriser."""
    splatter = Splatter(gaussians, scene.faces)
    rows, pictures = [], []
    for view in views:
        picture, behind = splatter.draw(scene.vertices[view.moment], view.camera)
        made = np.clip(picture + behind[..., None] * BACKGROUND, 0, 1)
        row, real = scores(view, made)
        rows.append(row)
        pictures.append((real, made))
    splatter.close()
    return means(rows), pictures


def scores(view: View, made: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """psnr over the whole picture, psnr_head where the head is, ssim; and the true picture."""
    real, cover = view.target(torch.from_numpy(BACKGROUND))
    made = torch.from_numpy(made.astype(np.float32))
    head = cover > 0.5
    return {"psnr": psnr(made, real), "psnr_head": psnr(made[head], real[head]),
            "ssim": float(ssim(made, real))}, real.numpy()  # fmt: skip


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each score."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def sheet(pictures: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(H, W, 3) uint8: true pictures above, made ones below. All of one size are shown."""
    shape = pictures[0][0].shape
    same = [pair for pair in pictures if pair[0].shape == shape]
    rows = [np.concatenate(side, axis=1) for side in zip(*same, strict=True)]
    return np.round(255 * np.concatenate(rows)).astype(np.uint8)
