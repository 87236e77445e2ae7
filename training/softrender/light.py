"""Light on the patch: one lamp and the sky, as grey of the vertices."""

import numpy as np
import torch

from l2t.render.occlusion import sky_share, smooth
from training.softrender.layers import FACE, layers_of
from training.softrender.patch import pose

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601
LAMP = (-0.25, 0.55, 0.80)  # towards the lamp; y up, z to the camera
LAMP_LIGHT, SKY_LIGHT, GROUND_LIGHT = 0.75, 0.45, 0.25
WRAP = 0.3  # how far light creeps round into the shadow, as it does in skin
OPEN_POSE = {"jawOpen": 0.5}  # what a fold hides at rest but speech shows is lit as in this pose
LEAST_SKY = {"teeth_upper": 0.5, "teeth_lower": 0.5}  # of the sky, else they drown in the mouth


def albedo(template, identity: str | None, vertices: np.ndarray) -> np.ndarray:
    """(V,) float32: linear grey of the vertices; sRGB is approximated by its square."""
    colors = template.palette[0] if identity is None else template.colors_of(identity)
    return np.square(colors[vertices].astype(np.float32) / 255 @ LUMA)


def sky(template, identity: str | None, vertices: np.ndarray) -> np.ndarray:
    """(V,) float32 0..1: the share of the sky each vertex sees, at rest or with the mouth open."""
    rest = template.neutral(identity)
    opened = template.vertices(pose(OPEN_POSE), identity)[0]
    share = sky_share(rest, template.faces)
    share = np.where(layers_of(template, identity)==FACE, share, np.maximum(share, sky_share(opened, template.faces)))
    share = smooth(share, template.faces)
    ring = rest[template.region("inner_lip")]
    gap = np.linalg.norm(rest[:, None] - ring, axis=2).min(axis=1)
    share *= 1 - 0.7*np.exp(-(gap/.0025)**2)
    for name, least in LEAST_SKY.items():
        if name in template.part_names:
            ids = template.part(name)
            share[ids] = np.maximum(share[ids], least)
    return share[vertices]


def shade(normals: torch.Tensor, albedo: torch.Tensor, sky: torch.Tensor) -> torch.Tensor:
    """Grey of the vertices (V, frames), in sRGB.

    normals: (3, V, frames) unit; albedo, sky: (V, 1).
    """
    length = sum(a * a for a in LAMP) ** 0.5
    lamp = sum(n * (a / length) for n, a in zip(normals, LAMP, strict=True))
    lit = torch.relu((lamp + WRAP) / (1 + WRAP)) * LAMP_LIGHT * (0.35 + 0.65 * sky)
    around = (GROUND_LIGHT + (SKY_LIGHT - GROUND_LIGHT) * (0.5 + 0.5 * normals[1])) * sky
    return (albedo * (lit + around) + 1e-4).sqrt()
