"""The face template: a mesh, identities to choose from, and the 52 ARKit shapes as a linear map.

Schema of a template npz (no pickles; I identities, V vertices, F triangles, R regions):
    identities (I,) str      neutral (I, V, 3) int16 steps or floats, neutral_unit metres a step
    faces (F, 3) int         counter-clockwise seen from outside; metres, y up, +z front, the
                             origin is the pivot of the head (top of the neck)
    colors (I, V, 3) uint8   sRGB       part (V,) uint8 index into part_names (P,) str
    shape_names (52,) str    the names of `l2t.motion.ARKIT_NAMES` in any order
    shape_ptr (53,), shape_index (N,), shape_delta (N, 3), shape_unit: shape s moves vertices
                             shape_index[ptr[s]:ptr[s+1]] by shape_delta * shape_unit metres
    region_names (R,) str    region_ptr (R + 1,), region_index: vertex numbers, region after region
    lip_landmarks (40,), chin_landmarks (5,), eye_corners (4,): vertex numbers in the order of
                             MediaPipe's points (`LIP_POINTS`, `CHIN_POINTS`, `EYE_POINTS`)
Any topology that follows it loads through `FaceTemplate.load(path)`.
"""

import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from l2t.errors import FaceError
from l2t.motion import ARKIT_NAMES

ASSET = Path(__file__).resolve().parents[1] / "assets" / "face" / "head.npz"
REGIONS = ("lips", "inner_lip", "jaw", "lids", "upper_face", "mouth")
# MediaPipe's numbers, person's right mouth corner first: upper lip to the left, lower lip back.
LIP_POINTS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)  # fmt: skip
CHIN_POINTS = (150, 176, 152, 400, 379)
EYE_POINTS = (33, 133, 362, 263)  # right outer, right inner, left inner, left outer


@dataclass(frozen=True, eq=False)
class FaceTemplate:
    """A head that 52 ARKit weights move; displacements are the same for every identity.

    positions (I, V, 3) float32 metres; faces (F, 3) int32; palette (I, V, 3) uint8 sRGB;
    parts (V,) uint8 into part_names; moving (M,) the vertices any shape moves;
    displacement (52, M, 3) float32 metres; regions name -> int32 vertex numbers.
    """

    identities: tuple[str, ...]
    positions: np.ndarray
    faces: np.ndarray
    palette: np.ndarray
    parts: np.ndarray
    part_names: tuple[str, ...]
    moving: np.ndarray
    displacement: np.ndarray
    regions: dict[str, np.ndarray]
    lip_landmarks: np.ndarray
    chin_landmarks: np.ndarray
    eye_corners: np.ndarray
    name: str = field(default="head")

    @staticmethod
    def load(path: Path | str | None = None) -> "FaceTemplate":
        """Read and check a template npz (default: the embedded head). Raises FaceError."""
        path = ASSET if path is None else Path(path)
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
        except FileNotFoundError:
            raise FaceError(f"The face template {path.name!r} does not exist.") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise FaceError(f"The face template {path.name!r} is not a readable npz file "
                            "of plain arrays.") from error
        return _template(arrays, path.stem)

    @property
    def colors(self) -> np.ndarray:
        """(V, 3) uint8 sRGB of the first identity."""
        return self.palette[0]

    def colors_of(self, identity: str) -> np.ndarray:
        """(V, 3) uint8 sRGB of an identity. Raises FaceError."""
        return self.palette[self._number(identity)]

    def neutral(self, identity: str | None = None) -> np.ndarray:
        """(V, 3) float32 metres at rest (None: the first identity). Raises FaceError."""
        return self.positions[self._number(identity)]

    def region(self, name: str) -> np.ndarray:
        """Vertex numbers of a region, int32. Raises FaceError naming the regions that exist."""
        if name not in self.regions:
            raise FaceError(f"There is no face region {name!r}; there are "
                            f"{', '.join(sorted(self.regions))}.")
        return self.regions[name]

    def part(self, name: str) -> np.ndarray:
        """Vertex numbers of a part (skin, eye_l, teeth_upper, ...), int32. Raises FaceError."""
        if name not in self.part_names:
            raise FaceError(f"There is no part {name!r}; there are {', '.join(self.part_names)}.")
        return np.flatnonzero(self.parts == self.part_names.index(name)).astype(np.int32)

    def basis(self, ids: np.ndarray | None = None) -> np.ndarray:
        """(52, n, 3) float32 metres: displacement of the vertices `ids` (None: all) per weight."""
        ids = np.arange(self.positions.shape[1]) if ids is None else np.asarray(ids)
        row = self._row_of[ids]
        out = np.zeros((len(ARKIT_NAMES), len(ids), 3), np.float32)
        out[:, row >= 0] = self.displacement[:, row[row >= 0]]
        return out

    def vertices(self, arkit: np.ndarray, identity: str | None = None,
                 ids: np.ndarray | None = None) -> np.ndarray:
        """(frames, n, 3) float32 metres: neutral + weights (frames, 52) @ basis. FaceError."""
        arkit = np.asarray(arkit, np.float32)
        if arkit.ndim != 2 or arkit.shape[1] != len(ARKIT_NAMES):
            raise FaceError(f"ARKit weights must be (frames, {len(ARKIT_NAMES)}), "
                            f"got {tuple(arkit.shape)}.")
        neutral = self.neutral(identity)
        if ids is None:
            return self._shapes.vertices(neutral, arkit)
        ids = np.asarray(ids)
        flat = arkit @ self.basis(ids).reshape(len(ARKIT_NAMES), -1)
        return (flat + neutral[ids].reshape(1, -1)).reshape(len(arkit), len(ids), 3)

    @cached_property
    def _shapes(self):
        from l2t.blend import Shapes  # its compiler takes most of a second to import

        return Shapes.of(self.moving, self.displacement)

    @cached_property
    def _row_of(self) -> np.ndarray:
        row = np.full(self.positions.shape[1], -1)
        row[self.moving] = np.arange(len(self.moving))
        return row

    def _number(self, identity: str | None) -> int:
        if identity is None:
            return 0
        if identity not in self.identities:
            raise FaceError(f"There is no identity {identity!r}; there are "
                            f"{', '.join(self.identities)}.")
        return self.identities.index(identity)


def _template(arrays: dict[str, np.ndarray], name: str) -> FaceTemplate:
    """A checked template out of the arrays of an npz. Raises FaceError."""
    from l2t.face_schema import check, split_shapes

    check(arrays)
    moving, displacement = split_shapes(arrays)
    pointer, index = arrays["region_ptr"], arrays["region_index"].astype(np.int32)
    regions = {str(r): index[pointer[i]: pointer[i + 1]]
               for i, r in enumerate(arrays["region_names"])}
    neutral = arrays["neutral"].astype(np.float32) * np.float32(arrays["neutral_unit"])
    return FaceTemplate(
        identities=tuple(str(i) for i in arrays["identities"]),
        positions=neutral,
        faces=np.ascontiguousarray(arrays["faces"], np.int32),
        palette=arrays["colors"],
        parts=arrays["part"].astype(np.uint8),
        part_names=tuple(str(p) for p in arrays["part_names"]),
        moving=moving,
        displacement=displacement,
        regions=regions,
        lip_landmarks=arrays["lip_landmarks"].astype(np.int32),
        chin_landmarks=arrays["chin_landmarks"].astype(np.int32),
        eye_corners=arrays["eye_corners"].astype(np.int32),
        name=name,
    )
