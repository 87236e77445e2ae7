"""The talking Gaussian head: load it, draw a motion from anywhere, write it out.

    avatar = Avatar.load()
    write_film(path, avatar.frames(motion, Orbit(20, 5), 512), motion.fps, speech, len(motion))
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from l2t.avatar.camera import Orbit
from l2t.avatar.gaussians import Gaussians
from l2t.errors import RenderError, WeightsError
from l2t.face import FaceTemplate
from l2t.manifest import open_regular, read_json
from l2t.motion import ARKIT_NAMES, Motion

MAX_ABOUT = 1 << 16  # bytes of avatar.json
FOLDER = Path(__file__).resolve().parents[2] / "assets" / "avatar"
LEAST_COVER = 0.02  # share of the picture that a head must fill
BLOCK = 16  # frames whose vertices are computed together


@dataclass(frozen=True, eq=False)
class Avatar:
    """Gaussians bound to a template's triangles. identity: whose vertices move them."""

    gaussians: Gaussians
    template: FaceTemplate
    identity: str

    @staticmethod
    def load(folder: Path | str | None = None, template: FaceTemplate | None = None) -> "Avatar":
        """Reads avatar.json and avatar.safetensors (None: the embedded avatar and template).

        Raises WeightsError, FaceError.
        """
        folder = FOLDER if folder is None else Path(folder)
        template = FaceTemplate.load() if template is None else template
        try:
            with open_regular(folder / "avatar.json") as file:
                about = read_json(file.read(MAX_ABOUT), "avatar.json")
            identity, triangles = about["identity"], about["triangles"]
        except (OSError, WeightsError, KeyError) as error:
            raise WeightsError(f"The avatar in {folder.name!r} has no readable avatar.json with "
                               "an identity and a number of triangles.") from error
        if triangles != len(template.faces):
            raise WeightsError(f"The avatar is bound to a mesh of {triangles} triangles, but the "
                               f"template has {len(template.faces)}.")
        template.neutral(identity)  # an unknown identity is refused here
        gaussians = Gaussians.load(folder / "avatar.safetensors", triangles)
        return Avatar(gaussians, template, identity)

    def frames(self, motion: Motion, orbit: Orbit | None = None, size: int = 512,
               threads: int = 2) -> Iterator[np.ndarray]:
        """One (size, size, 3) uint8 picture for each frame of the motion, head turns included.

        The same bytes for any number of threads. Raises RenderError, before the first picture,
        for a size, angle or zoom out of range.
        """
        from l2t.render.scene import check_size

        camera = (orbit or Orbit()).camera(self.neutral, check_size(size))
        return self._drawn(motion, camera, threads)

    def picture(self, arkit: np.ndarray | None = None, orbit: Orbit | None = None,
                size: int = 512, head: np.ndarray | None = None) -> np.ndarray:
        """One (size, size, 3) uint8: arkit (52,) and head (3,) radians, None = at rest."""
        return next(iter(self.frames(_still(arkit, head), orbit, size)))

    def vertices(self, motion: Motion) -> Iterator[np.ndarray]:
        """(V, 3) metres of each frame, the head turned."""
        for start in range(0, len(motion), BLOCK):
            rows = slice(start, start + BLOCK)
            block = self.template.vertices(motion.arkit[rows], self.identity)
            for points, angles in zip(block, motion.head[rows], strict=True):
                yield self._neck.turned(points, angles)

    def write_ply(self, path: Path | str, arkit: np.ndarray | None = None,
                  head: np.ndarray | None = None) -> Path:
        """The Gaussians of one frame (None: at rest) in the layout of 3D Gaussian Splatting."""
        from l2t.avatar.export import write_ply

        return write_ply(Path(path), self._frozen(arkit, head))

    def write_splat(self, path: Path | str, arkit: np.ndarray | None = None,
                    head: np.ndarray | None = None) -> Path:
        """The same as .splat, 32 bytes a Gaussian, as `gr.Model3D` and web viewers take it."""
        from l2t.avatar.export import write_splat

        return write_splat(Path(path), self._frozen(arkit, head))

    @property
    def neutral(self) -> np.ndarray:
        """(V, 3) metres at rest."""
        return self.template.neutral(self.identity)

    def _frozen(self, arkit, head):
        from l2t.avatar.export import frozen

        return frozen(self.gaussians, next(self.vertices(_still(arkit, head))),
                      self.template.faces)

    def _drawn(self, motion: Motion, camera, threads: int) -> Iterator[np.ndarray]:
        from l2t.avatar.splatter import Splatter
        from l2t.render.picture import background, fade

        back, solid = background(camera.width), fade(camera.width)
        splatter = Splatter(self.gaussians, self.template.faces, threads)
        try:
            for picture, cover in splatter.film(self.vertices(motion), camera, back, solid):
                if cover < LEAST_COVER:
                    raise RenderError("The picture came out empty: no head was drawn.")
                yield picture
        finally:
            splatter.close()

    @cached_property
    def _neck(self):
        from l2t.render.pose import Neck

        chin = self.neutral[self.template.chin_landmarks, 1]
        return Neck(self.neutral, float(chin.min()) if len(chin) else None)


def _still(arkit, head) -> Motion:
    """One frame of motion out of weights (52,) and a turn (3,), or rest."""
    arkit = np.zeros(len(ARKIT_NAMES), np.float32) if arkit is None else np.asarray(arkit)
    return Motion(arkit[None], head=None if head is None else np.asarray(head)[None])


def write_avatar(folder: Path, gaussians: Gaussians, identity: str, notes: dict,
                 triangles: int) -> None:
    """Writes avatar.safetensors and avatar.json; notes: how it was made."""
    folder.mkdir(parents=True, exist_ok=True)
    gaussians.save(folder / "avatar.safetensors")
    about = {"identity": identity, "triangles": triangles, "gaussians": len(gaussians)} | notes
    (folder / "avatar.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
