"""Checks of a face template's arrays: whatever loads is finite, in range and complete."""

import numpy as np

from l2t.errors import FaceError
from l2t.motion import ARKIT_NAMES

REACH = 3.0  # metres: a head farther from its origin than this is in the wrong unit
# name: (kinds of dtype, shape); a letter is a size that must agree wherever it occurs.
SCHEMA: dict[str, tuple[str, tuple]] = {
    "identities": ("U", ("I",)),
    "neutral": ("if", ("I", "V", 3)),
    "neutral_unit": ("f", ()),
    "faces": ("iu", ("F", 3)),
    "colors": ("u", ("I", "V", 3)),
    "part": ("u", ("V",)),
    "part_names": ("U", ("P",)),
    "shape_names": ("U", (len(ARKIT_NAMES),)),
    "shape_ptr": ("iu", (len(ARKIT_NAMES) + 1,)),
    "shape_index": ("iu", ("N",)),
    "shape_delta": ("if", ("N", 3)),
    "shape_unit": ("f", ()),
    "region_names": ("U", ("R",)),
    "region_ptr": ("iu", ("R+1",)),
    "region_index": ("iu", ("K",)),
    "lip_landmarks": ("iu", (40,)),
    "chin_landmarks": ("iu", (5,)),
    "eye_corners": ("iu", (4,)),
}
VERTEX_NUMBERS = ("faces", "shape_index", "region_index", "lip_landmarks", "chin_landmarks",
                  "eye_corners")
NEEDED_REGIONS = ("lips", "inner_lip", "jaw", "lids", "upper_face", "mouth")


def check(arrays: dict[str, np.ndarray]) -> None:
    """Raise FaceError, one sentence, unless `arrays` follow the schema."""
    sizes: dict[str, int] = {}
    for name, (kinds, shape) in SCHEMA.items():
        if name not in arrays:
            raise FaceError(f"The face template has no array {name!r}.")
        _check_array(name, arrays[name], kinds, shape, sizes)
    if min(sizes["I"], sizes["V"], sizes["F"]) < 1:
        raise FaceError("The face template has no identity, no vertex or no face.")
    for name in VERTEX_NUMBERS:
        _check_range(name, arrays[name], sizes["V"])
    _check_range("part", arrays["part"], sizes["P"])
    _check_pointer("shape", arrays["shape_ptr"], sizes["N"])
    _check_pointer("region", arrays["region_ptr"], sizes["K"])
    _check_names(arrays)
    reach = np.abs(arrays["neutral"]).max() * float(arrays["neutral_unit"])
    if not 0 < reach <= REACH:
        raise FaceError(f"The face template reaches {reach:.3g} m from its origin; "
                        f"more than 0 and at most {REACH:g} m is accepted.")


def _check_array(name, array, kinds, shape, sizes) -> None:
    if array.dtype.kind not in kinds:
        raise FaceError(f"The face template's array {name!r} has the type {array.dtype}.")
    if array.ndim != len(shape):
        raise FaceError(f"The face template's array {name!r} has {array.ndim} dimensions, "
                        f"{len(shape)} expected.")
    for have, want in zip(array.shape, shape, strict=True):
        if want == "R+1":
            have, want = have - 1, "R"
        expected = sizes.setdefault(want, have) if isinstance(want, str) else want
        if have != expected:
            raise FaceError(f"The face template's array {name!r} has the shape {array.shape}, "
                            f"but {expected} was expected where it has {have}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise FaceError(f"The face template's array {name!r} holds a value that is not finite.")


def _check_range(name, array, count) -> None:
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < count:
        raise FaceError(f"The face template's array {name!r} points outside of 0..{count - 1}.")


def _check_pointer(name, pointer, count) -> None:
    steps = np.diff(pointer.astype(np.int64))
    if pointer[0] != 0 or pointer[-1] != count or (steps < 0).any():
        raise FaceError(f"The face template's {name}_ptr must rise from 0 to {count}.")


def _check_names(arrays) -> None:
    unknown = set(ARKIT_NAMES) ^ {str(n) for n in arrays["shape_names"]}
    if unknown:
        raise FaceError(f"The face template's shapes are not the 52 ARKit shapes "
                        f"(missing or unknown: {', '.join(sorted(unknown)[:4])}).")
    missing = set(NEEDED_REGIONS) - {str(n) for n in arrays["region_names"]}
    if missing:
        raise FaceError(f"The face template lacks the regions {', '.join(sorted(missing))}.")


def split_shapes(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(moving (M,) int32, displacement (52, M, 3) float32 m), rows in the order of ARKIT_NAMES."""
    pointer = arrays["shape_ptr"].astype(np.int64)
    index = arrays["shape_index"]
    delta = arrays["shape_delta"].astype(np.float32) * np.float32(arrays["shape_unit"])
    moving = np.unique(index).astype(np.int32)
    row = np.zeros(int(moving[-1]) + 1 if len(moving) else 1, np.int32)
    row[moving] = np.arange(len(moving))
    displacement = np.zeros((len(ARKIT_NAMES), len(moving), 3), np.float32)
    for i, name in enumerate(arrays["shape_names"]):
        part = slice(pointer[i], pointer[i + 1])
        displacement[ARKIT_NAMES.index(str(name)), row[index[part]]] = delta[part]
    return moving, displacement
