"""Reads a folder of pictures, cameras and motion: a user's own, or the default scene.

    FOLDER/transforms_train.json   the pictures to learn from (transforms.json will do as well)
    FOLDER/transforms_val.json     pictures to look at while learning, optional
    FOLDER/transforms_test.json    pictures to be judged by, optional
    FOLDER/motion.npz              `arkit` (T, 52), or `vertices` (T, V, 3) in metres and, where
                                   they are not the template's, their `faces` (F, 3)
    FOLDER/strands.npz             where hair runs, optional: `lines` (S, P, 3) metres at moment 0,
                                   `radius` (S, P) metres, `triangle` (S,) each strand grows from
Each entry of "frames" has file_path (RGBA, or RGB with fg_mask_path beside it), timestep_index
(row of motion.npz), transform_matrix (4 x 4, camera to world, y up, looking along -z), and, there
or once for all, w, h, fl_x, fl_y, cx, cy in pixels: the layout of GaussianAvatars' NeRSemble
folders. The world's axes and unit are the vertices'.
"""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from l2t.avatar.camera import Camera
from l2t.errors import L2TError
from l2t.face import FaceTemplate
from training.avatar.hair import Courses

NUMBERS = ("fl_x", "fl_y", "cx", "cy", "w", "h")


class SceneError(L2TError):
    """A folder of pictures cannot be learned from."""


@dataclass(frozen=True, eq=False)
class View:
    """One picture: colour (H, W, 3) uint8 straight, cover (H, W) uint8, its camera and moment."""

    name: str
    colour: np.ndarray
    cover: np.ndarray
    camera: Camera
    moment: int

    def target(self, background: Tensor) -> tuple[Tensor, Tensor]:
        """(H, W, 3) over a background colour (3,), and cover (H, W), float32 in 0..1."""
        cover = torch.from_numpy(self.cover).float() / 255
        colour = torch.from_numpy(self.colour).float() / 255
        return colour * cover[..., None] + background * (1 - cover[..., None]), cover


@dataclass(frozen=True, eq=False)
class Scene:
    """train, val, test: views; vertices: (T, V, 3) float32 metres of each moment; faces: (F, 3);
    strands: of hair, at moment 0."""

    train: list[View]
    test: list[View]
    vertices: np.ndarray
    faces: np.ndarray
    val: list[View] = field(default_factory=list)
    strands: Courses | None = None


def load_scene(folder: Path, template: FaceTemplate, identity: str | None = None,
               scale: float = 1.0) -> Scene:
    """Reads the folder; pictures are made `scale` times as large. Raises SceneError."""
    vertices, faces = _motion(folder, template, identity)
    named = {s: folder / f"transforms_{s}.json" for s in ("train", "val", "test")}
    first = named["train"] if named["train"].is_file() else folder / "transforms.json"
    train = _views(first, len(vertices), scale)
    val, test = (_views(named[s], len(vertices), scale) if named[s].is_file() else []
                 for s in ("val", "test"))
    return Scene(train, test, vertices, faces, val, _strands(folder, faces))


def _motion(folder: Path, template: FaceTemplate, identity) -> tuple[np.ndarray, np.ndarray]:
    arrays = _arrays(folder / "motion.npz")
    if arrays is None:
        raise SceneError(f"The folder {folder.name!r} has no motion.npz.")
    faces = arrays.get("faces", template.faces)
    if "vertices" in arrays:
        vertices = np.asarray(arrays["vertices"], np.float32)
        if vertices.ndim != 3 or vertices.shape[2] != 3 or vertices.shape[1] <= faces.max():
            raise SceneError(f"The vertices of motion.npz must be (moments, {faces.max() + 1} or "
                             f"more, 3), found {vertices.shape}.")
        return vertices, np.ascontiguousarray(faces, np.int32)
    if "arkit" not in arrays:
        raise SceneError("motion.npz holds neither arkit nor vertices, found "
                         f"{', '.join(sorted(arrays)) or 'nothing'}.")
    return template.vertices(arrays["arkit"], identity), template.faces


def _arrays(path: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise SceneError(f"{path.name} is not a readable npz file of plain arrays.") from error


def _strands(folder: Path, faces: np.ndarray) -> Courses | None:
    arrays = _arrays(folder / "strands.npz")
    if arrays is None:
        return None
    lines, radius, triangle = (arrays.get(n, np.empty(0)) for n in ("lines", "radius", "triangle"))
    if (lines.ndim != 3 or lines.shape[2] != 3 or radius.shape != lines.shape[:2]
            or triangle.shape != lines.shape[:1] or not np.isfinite(lines).all()
            or not np.isfinite(radius).all() or triangle.dtype.kind not in "iu"
            or not ((triangle >= 0) & (triangle < len(faces))).all()):
        raise SceneError("strands.npz must hold finite lines (S, P, 3) and radius (S, P), and "
                         f"triangle (S,) below {len(faces)}; found {lines.shape}, {radius.shape} "
                         f"and {triangle.shape}.")
    return Courses(lines, radius, triangle.astype(np.int64))


def _views(path: Path, moments: int, scale: float) -> list[View]:
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        frames = text["frames"]
    except FileNotFoundError:
        raise SceneError(f"The folder {path.parent.name!r} has neither transforms_train.json "
                         "nor transforms.json.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SceneError(f"{path.name} is not a JSON object with a list \"frames\".") from error
    if not frames:
        raise SceneError(f"{path.name} has no frame.")
    shared = {k: text[k] for k in NUMBERS if k in text}
    return [_view(path.parent, shared | frame, moments, scale) for frame in frames]


def _view(folder: Path, frame: dict, moments: int, scale: float) -> View:
    missing = {"file_path", "timestep_index", "transform_matrix", *NUMBERS} - set(frame)
    if missing:
        raise SceneError(f"A frame of transforms lacks {', '.join(sorted(missing))}.")
    moment = int(frame["timestep_index"])
    if not 0 <= moment < moments:
        raise SceneError(f"A frame is of moment {moment}, but motion.npz has {moments}.")
    matrix = np.asarray(frame["transform_matrix"], float)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise SceneError("A transform_matrix must be 4 x 4 finite numbers, "
                         f"found {matrix.shape}.")
    fx, fy, cx, cy, w, h = (float(frame[n]) for n in NUMBERS)
    camera = Camera.from_opengl(matrix, (fx, fy), (cx, cy), int(w), int(h)).scaled(scale)
    pixels = _picture(folder / frame["file_path"], camera, "RGBA")
    cover = pixels[..., 3]
    if "fg_mask_path" in frame:
        cover = _picture(folder / frame["fg_mask_path"], camera, "L")
    return View(frame["file_path"], pixels[..., :3], cover, camera, moment)


def _picture(path: Path, camera: Camera, mode: str) -> np.ndarray:
    try:
        with Image.open(path) as image:
            image = image.convert(mode)
            if image.size != (camera.width, camera.height):
                image = image.resize((camera.width, camera.height), Image.Resampling.BOX)
            return np.asarray(image).copy()
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SceneError(f"The picture {path.name!r} is missing or cannot be read.") from error
