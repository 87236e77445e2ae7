"""Light on the patch: a lamp and the sky, as grey of the vertices."""

import numpy as np
import torch

from l2t.render.occlusion import sky_share, smooth
from l2t.softrender.layers import FACE, layers_of
from l2t.softrender.patch import pose

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601
LAMP = (-0.19, 0.69, 0.69)  # unit vector towards the lamp: above, a little to the viewer's left
LAMP_LIGHT, SKY_LIGHT, GROUND_LIGHT = 0.75, 0.45, 0.25
WRAP = 0.3  # how far light creeps round into the shadow, as it does in skin
OPEN_POSE = {"jawOpen": 0.5}  # the mouth's inside is lit as in this pose: it shows in no other
DIRECTIONS = 24  # in which the sky is looked for
LEAST_SKY = {"teeth_upper": 0.5, "teeth_lower": 0.5}  # of the sky, else they drown in the mouth
# The wet line lies in shadow, which makes closed lips a dark line: how much, how far (metres).
LINE_SHADOW, LINE_REACH = 0.6, 0.002


def albedo(template, identity: str | None, vertices: np.ndarray) -> np.ndarray:
    """(V,) float32: linear grey of the vertices; sRGB is approximated by its square."""
    colors = template.palette[0] if identity is None else template.colors_of(identity)
    return np.square(colors[vertices].astype(np.float32) / 255 @ LUMA)


def sky(template, identity: str | None, vertices: np.ndarray) -> np.ndarray:
    """(V,) float32 in 0..1: the share of the sky that the vertices see."""
    rest = template.neutral(identity)
    opened = template.vertices(pose(OPEN_POSE), identity)[0]
    at_rest, when_open = (
        sky_share(points, template.faces, DIRECTIONS) for points in (rest, opened)
    )
    on_face = layers_of(template, identity) == FACE
    share = np.where(on_face, at_rest, np.maximum(at_rest, when_open))
    share = smooth(share, template.faces)
    for name, least in LEAST_SKY.items():
        if name in template.part_names:
            ids = template.part(name)
            share[ids] = np.maximum(share[ids], least)
    line = rest[template.region("inner_lip")]
    gap = np.linalg.norm(rest[vertices][:, None] - line, axis=2).min(axis=1)
    shadow = LINE_SHADOW * np.exp(-np.square(gap / LINE_REACH))
    return (share[vertices] * (1 - shadow)).astype(np.float32)


def shade(normals: torch.Tensor, albedo: torch.Tensor, sky: torch.Tensor) -> torch.Tensor:
    """Grey of the vertices in sRGB, (V, frames).

    normals: (3, V, frames) unit; albedo, sky: (V, 1).
    """
    lamp = LAMP[0] * normals[0] + LAMP[1] * normals[1] + LAMP[2] * normals[2]
    lit = torch.relu(lamp + WRAP) * (LAMP_LIGHT / (1 + WRAP) * (0.35 + 0.65 * sky))
    half = (SKY_LIGHT - GROUND_LIGHT) / 2
    around = (GROUND_LIGHT + half + half * normals[1]) * sky
    return (albedo * (lit + around) + 1e-4).sqrt()
