"""The sum of blend shapes in machine code: the same bytes on every processor and number of cores.

A matrix product would do, but BLAS cuts it up by the machine's cores and rounds by its kernels.
"""

from dataclasses import dataclass

import numpy as np

from l2t.render.jit import jit


@jit
def add_shapes(weights, start, index, shift, out):
    """out (frames, V, 3) float32 += the shapes by their weights (frames, shapes) float32.

    start: (shapes + 1,), index: (n,) int32, shift: (n, 3) float32 metres: shape s moves vertices
    index[start[s]:start[s + 1]]. Sums go from the first shape to the last.
    """
    for frame in range(len(weights)):
        for shape in range(weights.shape[1]):
            weight = weights[frame, shape]
            if weight == 0:
                continue
            for i in range(start[shape], start[shape + 1]):
                for axis in range(3):
                    out[frame, index[i], axis] += weight * shift[i, axis]


@dataclass(frozen=True, eq=False)
class Shapes:
    """Shapes without the vertices that they leave alone; arrays as in `add_shapes`."""

    start: np.ndarray
    index: np.ndarray
    shift: np.ndarray

    @staticmethod
    def of(moving: np.ndarray, displacement: np.ndarray) -> "Shapes":
        """moving: (M,) vertex numbers; displacement: (shapes, M, 3) metres."""
        shape, column = np.nonzero(displacement.any(axis=2))
        start = np.searchsorted(shape, np.arange(len(displacement) + 1))
        return Shapes(
            start.astype(np.int32),
            np.ascontiguousarray(moving[column], np.int32),
            np.ascontiguousarray(displacement[shape, column], np.float32),
        )

    def vertices(self, neutral: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(frames, V, 3) float32 metres of a face (V, 3) at rest, by weights (frames, shapes)."""
        out = np.repeat(np.ascontiguousarray(neutral, np.float32)[None], len(weights), axis=0)
        weights = np.ascontiguousarray(weights, np.float32)
        add_shapes(weights, self.start, self.index, self.shift, out)
        return out
