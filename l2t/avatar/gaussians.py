"""A set of Gaussians bound to triangles, and its file."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from l2t.errors import WeightsError
from l2t.manifest import open_regular
from l2t.tensors import check_header

MAX_BYTES = 1 << 28  # of a file: some six million Gaussians
MAX_VALUE = 1000  # of any number but a triangle's: far beyond what a head has, far below overflow

# Last axes of each array; the first is the number of Gaussians.
SHAPES = {"triangle": (), "mu": (3,), "turn": (4,), "scale_log": (3,), "opacity_logit": (),
          "colour": (4, 3)}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Gaussians:
    """G Gaussians, each in the frame of its triangle (see `l2t.avatar.binding`).

    triangle: (G,) int32; mu: (G, 3) in units of the triangle's size; turn: (G, 4) quaternion
    w x y z; scale_log: (G, 3) natural log in the same unit; opacity_logit: (G,);
    colour: (G, 4, 3) harmonics of degree 0 and 1 of sRGB in 0..1, in the triangle's frame.
    """

    triangle: np.ndarray
    mu: np.ndarray
    turn: np.ndarray
    scale_log: np.ndarray
    opacity_logit: np.ndarray
    colour: np.ndarray

    def __len__(self) -> int:
        return len(self.triangle)

    @property
    def opacity(self) -> np.ndarray:
        """(G,) 0..1."""
        return 1 / (1 + np.exp(-self.opacity_logit))

    def save(self, path: Path) -> None:
        """Writes a safetensors file; floats in half precision."""
        from safetensors.numpy import save_file

        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        save_file({name: np.ascontiguousarray(a.astype(np.float16 if a.dtype.kind == "f" else
                                                       np.int32)) for name, a in arrays.items()},
                  path)

    @staticmethod
    def load(path: Path, triangles: int) -> "Gaussians":
        """Reads a file of `save` for a mesh of so many triangles. Raises WeightsError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            with open_regular(path) as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise WeightsError(f"The avatar has no file {path.name!r}.") from None
        except OSError:
            raise WeightsError(f"The avatar's file {path.name!r} cannot be read.") from None
        if len(data) > MAX_BYTES:
            raise WeightsError(f"The avatar's file has more than {MAX_BYTES} bytes.")
        try:
            check_header(data, path.name)
            arrays = load(data)
        except (KeyError, SafetensorError, TypeError, ValueError, WeightsError):  # such as bfloat16
            raise WeightsError(f"The avatar's file {path.name!r} cannot be read.") from None
        _check(arrays, triangles)
        floats = {k: v.astype(np.float32) for k, v in arrays.items() if k != "triangle"}
        return Gaussians(arrays["triangle"].astype(np.int32), **floats)


def _check(arrays: dict[str, np.ndarray], triangles: int) -> None:
    """Raise WeightsError, one sentence, unless the arrays are a set of Gaussians."""
    if set(arrays) != set(SHAPES):
        raise WeightsError(f"An avatar has the arrays {', '.join(SHAPES)}, "
                           f"found {', '.join(sorted(arrays)) or 'none'}.")
    count = len(arrays["triangle"]) if arrays["triangle"].ndim else 0
    if not count:
        raise WeightsError("The avatar has no Gaussian.")
    for name, last in SHAPES.items():
        array = arrays[name]
        if array.shape != (count, *last):
            raise WeightsError(f"The avatar's {name} must be {(count, *last)}, "
                               f"found {array.shape}.")
        if array.dtype.kind != ("i" if name == "triangle" else "f"):
            raise WeightsError(f"The avatar's {name} cannot be {array.dtype}.")
        if name != "triangle" and not (np.abs(array) <= MAX_VALUE).all():
            raise WeightsError(f"The avatar's {name} has values that are not numbers, or larger "
                               f"than {MAX_VALUE}.")
    if not 0 <= arrays["triangle"].min() <= arrays["triangle"].max() < triangles:
        raise WeightsError(f"The avatar is bound to triangle {arrays['triangle'].max()} of a mesh "
                           f"that has {triangles}.")
    if not (np.linalg.norm(arrays["turn"].astype(np.float32), axis=1) > 1e-3).all():
        raise WeightsError("The avatar has a rotation of length 0.")
