"""A mesh with vertex colours through a free camera, several samples a pixel."""

import numpy as np

from l2t.avatar.camera import Camera
from l2t.render.raster import rasterise


def supersampled(points: np.ndarray, colours: np.ndarray, faces: np.ndarray, camera: Camera,
                 samples: int) -> np.ndarray:
    """(H, W, 4) float32 in 0..1: colours times cover, and cover.

    points: (V, 3) metres; colours: (V, 4) uint8; faces: (F, 3) int32; samples: along each axis.
    """
    screen = camera.project(points)
    screen = np.c_[samples * screen[:, :2], 1 / screen[:, 2]].astype(np.float32)
    side = samples * max(camera.width, camera.height)
    grid = np.empty((side, side, 4), np.uint8)
    rasterise(screen, colours, faces, grid, np.empty((side, side), np.float32))
    mean = np.zeros((camera.height, camera.width, 4), np.float32)
    for row in range(samples):
        for column in range(samples):
            mean += grid[row : samples * camera.height : samples,
                         column : samples * camera.width : samples]
    return mean / (255 * samples**2)  # a sample without a surface is black and clear
