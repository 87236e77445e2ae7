"""The head the default avatar is learned from: fine skin, real eyes, strands, soft light.

Light stands still in the room; what the head hides from the sky is baked in at rest (and with the
mouth open). Pictures are drawn by the product's software rasteriser, 25 samples a pixel, so
that they are the same everywhere.
"""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES
from l2t.render.normals import vertex_normals
from l2t.render.occlusion import sky_share, smooth
from l2t.render.scene import Shot
from l2t.render.shade import Shader
from l2t.render.studio import OPEN_POSE, PART_MATERIALS
from training.avatar.grow import SHORT, grow
from training.avatar.paint import paint
from training.avatar.supersample import supersampled
from training.avatar.surface import fine_surface

SAMPLES = 5  # a pixel, along each axis: three leave noise of up to 1.2 % of SSIM in the hair


class DetailedHead:
    """One identity of the template in detail; moved by the same vertices as the template."""

    def __init__(self, template: FaceTemplate, identity: str | None = None):
        self.template = template
        self.identity = identity or template.identities[0]
        self.surface = fine_surface(template, self.identity)
        self.strands = grow(template, self.identity, self.surface.eyes)
        # Long hair is drawn as at rest: no movement of the face reaches it.
        self._long = self.strands[:-SHORT].posed(template.neutral(self.identity), template.faces)
        self._short = self.strands[-SHORT:]
        skin, hair = paint(self.surface, template, self.identity), self.strands.painted
        self.faces = np.concatenate([self.surface.faces, self.strands.faces + len(skin)])
        sees = self._sky_share()
        sees = np.concatenate([self.surface.operator @ sees, self._over(sees)])
        colours = np.round(255 * np.concatenate([skin, hair])).astype(np.uint8)
        self._shader = Shader(colours, self._materials(len(hair)), sees)

    def picture(self, vertices: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Template vertices (V, 3) -> (H, W, 3) float32 sRGB 0..1 times cover, (H, W) cover."""
        points, normals = self._posed(vertices)
        front = Shot(camera.width, camera.eye, camera.eye, *np.eye(3))
        colours = self._shader(points, normals, front)
        mean = supersampled(points, colours, self.faces, camera, SAMPLES)
        return mean[..., :3], mean[..., 3]

    def _posed(self, vertices):
        """Points and normals of skin and strands."""
        normals = np.empty((len(vertices), 3), np.float32)
        vertex_normals(np.ascontiguousarray(vertices, np.float32), self.template.faces, normals)
        fine = self.surface.operator @ normals
        fine /= np.linalg.norm(fine, axis=1, keepdims=True) + 1e-9
        short = self._short.posed(vertices, self.template.faces)
        points = np.concatenate([self.surface.operator @ vertices, self._long[0], short[0]])
        return points.astype(np.float32), np.concatenate([fine, self._long[1], short[1]])

    def _sky_share(self) -> np.ndarray:
        """(V,) of the template's vertices, the brighter of rest and open mouth."""
        pose = np.zeros((1, len(ARKIT_NAMES)), np.float32)
        for name, weight in OPEN_POSE.items():
            pose[0, ARKIT_NAMES.index(name)] = weight
        rest = self.template.neutral(self.identity)
        opened = self.template.vertices(pose, self.identity)[0]
        share = np.maximum(*(sky_share(p, self.template.faces) for p in (rest, opened)))
        return smooth(share, self.template.faces)

    def _over(self, sees) -> np.ndarray:
        """What strands see of the sky: as the triangle they are rooted in."""
        root = sees[self.template.faces[self.strands.triangle]].mean(axis=1)
        return np.repeat(root, len(self.strands.painted) // len(root)).astype(np.float32)

    def _materials(self, strands: int) -> np.ndarray:
        template = self.template
        by_part = np.array([PART_MATERIALS.get(p, "skin") for p in template.part_names])
        by_part[by_part == "eye"] = "teeth"  # its light is painted on: a splat cannot mirror
        names = by_part[template.parts].astype("U8")
        lips = template.region("lips")
        names[lips[names[lips] == "skin"]] = "lips"
        nearest = np.asarray(self.surface.operator.argmax(axis=1)).ravel()
        return np.concatenate([names[nearest], np.full(strands, "hair")])
