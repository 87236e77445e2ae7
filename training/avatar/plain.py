"""The baseline of the avatar: the product's mesh with its vertex colours, in the scene's light."""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.face import FaceTemplate
from l2t.render.normals import vertex_normals
from l2t.render.raster import SoftwarePainter
from l2t.render.scene import Shot
from l2t.render.studio import Studio
from training.avatar.judge import BACKGROUND
from training.avatar.supersample import supersampled

SAMPLES = 2  # a pixel, along each axis, as in the product's films


class PlainMesh:
    """Draws the template with the product's own shading; only the light stands still."""

    def __init__(self, template: FaceTemplate, identity: str):
        self._faces = np.ascontiguousarray(template.faces, np.int32)
        self._shader = Studio(template, SoftwarePainter(template.faces))._shader(identity)

    def picture(self, vertices: np.ndarray, camera: Camera) -> np.ndarray:
        """(V, 3) -> (H, W, 3) float32 over the judges' background."""
        vertices = np.ascontiguousarray(vertices, np.float32)
        normals = vertex_normals(vertices, self._faces, np.empty_like(vertices))
        colours = self._shader(vertices, normals,
                               Shot(camera.width, camera.eye, camera.eye, *np.eye(3)))
        mean = supersampled(vertices, colours, self._faces, camera, SAMPLES)
        return mean[..., :3] + (1 - mean[..., 3:]) * BACKGROUND
