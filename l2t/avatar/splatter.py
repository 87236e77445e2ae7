"""Draws Gaussians into pictures on the CPU, frame after frame, in memory that is kept.

A picture is prepared (Gaussians to the world, to ellipses, sorted by depth and into tiles) and
then painted, band after band of tiles. In a film the next picture is prepared while this one is
painted, so that two threads are busy all the time.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from l2t.avatar.binding import local_shapes, place, triangle_frames
from l2t.avatar.camera import Camera
from l2t.avatar.gaussians import Gaussians
from l2t.avatar.order import nearest_first
from l2t.avatar.project import PACKED, numbers, project
from l2t.avatar.raster import develop, draw
from l2t.avatar.tiles import TILE, sort_into_tiles

THREADS = 2
BANDS = 16  # pieces of work a picture is cut into, at most


@dataclass
class Sheet:
    """A picture that is prepared: `count` ellipses in packed (G, PACKED), and per tile those that
    touch it, nearest first: items[start[tile] : start[tile + 1]]. The rest is to work in."""

    packed: np.ndarray
    order: np.ndarray
    depth: np.ndarray
    spare: np.ndarray
    items: np.ndarray
    start: np.ndarray
    count: int = 0


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
        self._sheets = [Sheet(
            np.empty((count, PACKED), np.float32), np.empty(count, np.int32),
            np.empty(count, np.float32), np.empty(count, np.int32),
            np.empty(4 * count, np.int32), np.empty(0, np.int32)) for _ in range(2)]  # fmt: skip

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
        sheet = self._prepared(vertices, camera, self._sheets[0])
        picture, behind = _empty(camera)

        def paint(band):
            self._paint(sheet, camera, band, picture, behind)

        list((self._pool.map if self._pool else map)(paint, _bands(camera)))
        return picture, behind

    def film(self, frames: Iterable[np.ndarray], camera: Camera, back: np.ndarray,
             solid: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """For each frame's vertices (V, 3): (H, W, 3) uint8 over a background, and the mean cover.

        back: (H, W, 3) 0..255; solid: (H,) how much of the head is shown in each row.
        """
        ready = None
        for number, vertices in enumerate(frames):
            # Prepared one at a time: they share the arrays of `world`.
            sheet = ready and ready()
            ready = self._later(self._prepared, vertices, camera, self._sheets[number % 2])
            if sheet:
                yield self._developed(sheet, camera, back, solid)
        if ready:
            yield self._developed(ready(), camera, back, solid)

    def close(self) -> None:
        """Ends the threads."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _prepared(self, vertices, camera: Camera, sheet: Sheet) -> Sheet:
        means, covariances, seen = self.world(vertices, camera.eye)
        count = project(means, covariances, self._opacity, seen, numbers(camera), sheet.packed,
                        sheet.depth)
        sheet.count, order = count, sheet.order[:count]
        nearest_first(sheet.depth[:count], order, sheet.spare[:count])
        across, down = _tiles(camera)
        sheet.start = np.empty(across * down + 1, np.int32)
        packed = sheet.packed[:count]
        needed = sort_into_tiles(packed, order, across, down, sheet.start, sheet.items)
        if needed > len(sheet.items):
            sheet.items = np.empty(int(1.3 * needed), np.int32)
            sort_into_tiles(packed, order, across, down, sheet.start, sheet.items)
        return sheet

    def _paint(self, sheet: Sheet, camera: Camera, band, picture, behind) -> None:
        draw(sheet.packed, sheet.start, sheet.items, _tiles(camera)[0], band, picture, behind)

    def _developed(self, sheet: Sheet, camera: Camera, back, solid) -> tuple[np.ndarray, float]:
        picture, behind = _empty(camera)
        out = np.empty((camera.height, camera.width, 3), np.uint8)

        def finish(band):
            self._paint(sheet, camera, band, picture, behind)
            rows = slice(TILE * band[0], TILE * band[1])
            return develop(picture[rows], behind[rows], back[rows], solid[rows], out[rows])

        cover = sum((self._pool.map if self._pool else map)(finish, _bands(camera)))
        return out, cover / behind.size

    def _later(self, work, *arguments):
        """Starts the work on another thread, where there is one; returns how to get its result."""
        if self._pool:
            return self._pool.submit(work, *arguments).result
        return lambda: work(*arguments)


def _tiles(camera: Camera) -> tuple[int, int]:
    """How many tiles there are, across and down."""
    return -(-camera.width // TILE), -(-camera.height // TILE)


def _bands(camera: Camera) -> list[tuple[int, int]]:
    """Rows of tiles (first, behind last) of each piece of work."""
    down = _tiles(camera)[1]
    edges = np.linspace(0, down, min(BANDS, down) + 1).astype(int)
    return list(zip(edges[:-1], edges[1:], strict=True))


def _empty(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    return (np.empty((camera.height, camera.width, 3), np.float32),
            np.empty((camera.height, camera.width), np.float32))
