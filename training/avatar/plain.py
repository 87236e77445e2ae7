"""The baseline of the avatar: the product's mesh with its vertex colours, in the scene's light."""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.face import FaceTemplate
from l2t.render.normals import vertex_normals
from l2t.render.raster import SoftwarePainter, rasterise
from l2t.render.scene import Shot
from l2t.render.studio import Studio
from training.avatar.judge import BACKGROUND

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
        screen = camera.project(vertices)
        screen = np.c_[SAMPLES * screen[:, :2], 1 / screen[:, 2]].astype(np.float32)
        side = SAMPLES * max(camera.width, camera.height)
        samples = np.empty((side, side, 4), np.uint8)
        rasterise(screen, colours, self._faces, samples, np.empty((side, side), np.float32))
        mean = np.zeros((camera.height, camera.width, 4), np.float32)
        for i in range(SAMPLES**2):
            row, column = divmod(i, SAMPLES)
            mean += samples[row : SAMPLES * camera.height : SAMPLES,
                            column : SAMPLES * camera.width : SAMPLES]
        mean /= 255 * SAMPLES**2
        return mean[..., :3] + (1 - mean[..., 3:]) * BACKGROUND
