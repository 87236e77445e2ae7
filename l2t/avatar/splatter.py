"""Draws Gaussians into pictures on the CPU, frame after frame, in memory that is kept."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from l2t.avatar.binding import local_shapes, place, triangle_frames
from l2t.avatar.camera import Camera
from l2t.avatar.gaussians import Gaussians
from l2t.avatar.project import PACKED, numbers, project
from l2t.avatar.raster import TILE, draw, sort_into_tiles

THREADS = 2
BANDS = 8  # pieces of work a picture is cut into


class Splatter:
    """One set of bound Gaussians, drawn for any vertices and camera. One user at a time."""

    def __init__(self, gaussians: Gaussians, faces: np.ndarray, threads: int = THREADS):
        """faces: (F, 3) triangles the Gaussians are bound to; threads: that draw (same bytes)."""
        used, self._triangle = np.unique(gaussians.triangle, return_inverse=True)
        self._triangle = self._triangle.astype(np.int32)
        self._faces = np.ascontiguousarray(faces[used], np.int32)
        self._mu = np.ascontiguousarray(gaussians.mu, np.float32)
        self._shape = local_shapes(gaussians.turn, gaussians.scale_log).astype(np.float32)
        self._opacity = gaussians.opacity.astype(np.float32)
        self._colour = np.ascontiguousarray(gaussians.colour, np.float32)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        count, triangles = len(gaussians), len(used)
        self._frames = tuple(np.empty(shape, np.float32) for shape in (
            (triangles, 3), (triangles, 3, 3), (triangles,)))
        self._means, self._seen = np.empty((2, count, 3), np.float32)
        self._covariances = np.empty((count, 6), np.float32)
        self._order, self._depth = np.empty(count, np.int32), np.empty(count, np.float32)
        self._packed = np.empty((count, PACKED), np.float32)
        self._items = np.empty(8 * count, np.int32)

    def world(self, vertices: np.ndarray, eye: np.ndarray) -> tuple[np.ndarray, ...]:
        """means (G, 3), covariances (G, 6), colours (G, 3) as seen from `eye`: valid until the
        next call. vertices: (V, 3) metres."""
        vertices = np.ascontiguousarray(vertices, np.float32)
        triangle_frames(vertices, self._faces, *self._frames)
        place(self._triangle, self._mu, self._shape, self._colour, *self._frames,
              np.asarray(eye, np.float32), self._means, self._covariances, self._seen)
        return self._means, self._covariances, self._seen

    def draw(self, vertices: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) float32 colours times cover, and (H, W) share of the background left."""
        means, covariances, seen = self.world(vertices, camera.eye)
        count = project(means, covariances, self._opacity, seen, numbers(camera), self._order,
                        self._packed, self._depth)
        packed = self._packed[np.argsort(self._depth[:count], kind="stable")]
        across, down = -(-camera.width // TILE), -(-camera.height // TILE)
        start = np.empty(across * down + 1, np.int32)
        needed = sort_into_tiles(packed, across, down, start, self._items)
        if needed > len(self._items):
            self._items = np.empty(int(1.3 * needed), np.int32)
            sort_into_tiles(packed, across, down, start, self._items)
        picture = np.zeros((camera.height, camera.width, 3), np.float32)
        behind = np.ones((camera.height, camera.width), np.float32)
        edges = np.linspace(0, down, min(BANDS, down) + 1).astype(int)
        bands = list(zip(edges[:-1], edges[1:], strict=True))

        def paint(band):
            draw(packed, start, self._items, across, band, picture, behind)

        list((self._pool.map if self._pool else map)(paint, bands))
        return picture, behind

    def close(self) -> None:
        """Ends the threads."""
        if self._pool:
            self._pool.shutdown()
