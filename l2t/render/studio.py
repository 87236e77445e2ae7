"""The studio: one template, one painter, and everything kept between films."""

from collections.abc import Iterator

import numpy as np

from l2t.motion import ARKIT_NAMES, Motion
from l2t.render.normals import vertex_normals
from l2t.render.occlusion import sky_share, smooth
from l2t.render.painters import make_painter
from l2t.render.picture import Canvas
from l2t.render.pose import Neck
from l2t.render.scene import SIZE_DEFAULT, Shot, check_size, check_view, frame_shot
from l2t.render.shade import Shader

BLOCK = 16  # frames whose vertices are computed together: one matrix product, bounded memory
# Part of the template -> material; what is not named here is skin.
PART_MATERIALS = {
    "eye_l": "eye",
    "eye_r": "eye",
    "teeth_upper": "teeth",
    "teeth_lower": "teeth",
    "gums_upper": "mouth",
    "gums_lower": "mouth",
    "tongue": "mouth",
    "hair": "hair",
    "shirt": "cloth",
}
# Wide open mouth and shut eyes: what a fold hides at rest but a film may show is lit as in this
# pose, so that teeth are not black when the lips part and lids are not dirty in a blink.
OPEN_POSE = {"jawOpen": 0.5, "eyeBlinkLeft": 0.9, "eyeBlinkRight": 0.9, "browInnerUp": 0.3}


class Studio:
    """Draws motion on a face template with a painter (pyvista or software)."""

    def __init__(self, template, painter):
        """template: `l2t.face.FaceTemplate`; painter: as made by `l2t.render.painters`."""
        self.template, self.painter = template, painter
        self._faces = np.ascontiguousarray(template.faces, np.int32)
        self._normals = np.empty((len(template.neutral(template.identities[0])), 3), np.float32)
        self._shaders: dict[str, Shader] = {}

    def frames(
        self,
        motion: Motion,
        identity: str,
        view: str = "front",
        size: int = SIZE_DEFAULT,
    ) -> Iterator[np.ndarray]:
        """One (size, size, 3) uint8 picture for each frame of the motion.

        Raises RenderError for an unknown view or size and for an empty picture, FaceError for an
        unknown identity.
        """
        check_view(view), check_size(size)
        neutral = self.template.neutral(identity)
        shot, canvas, neck = frame_shot(neutral, view, size), Canvas(size), self._neck(neutral)
        shader = self._shader(identity)
        self.painter.aim(shot, canvas.grid)
        for start in range(0, len(motion), BLOCK):
            rows = slice(start, start + BLOCK)
            block = self.template.vertices(motion.arkit[rows], identity)
            for points, angles in zip(block, motion.head[rows], strict=True):
                yield canvas.develop(self._paint(neck.turned(points, angles), shader, shot))

    def _paint(self, points: np.ndarray, shader: Shader, shot: Shot) -> np.ndarray:
        vertex_normals(points, self._faces, self._normals)
        return self.painter.paint(points, shader(points, self._normals, shot))

    def _neck(self, neutral: np.ndarray) -> Neck:
        chin = np.asarray(self.template.chin_landmarks)
        return Neck(neutral, float(neutral[chin, 1].min()) if len(chin) else None)

    def _shader(self, identity: str) -> Shader:
        if identity not in self._shaders:
            share = self._sky_share(identity)
            colors = self.template.colors_of(identity)
            self._shaders[identity] = Shader(colors, self._materials(), share)
        return self._shaders[identity]

    def _sky_share(self, identity: str) -> np.ndarray:
        pose = np.zeros((1, len(ARKIT_NAMES)), np.float32)
        for name, weight in OPEN_POSE.items():
            pose[0, ARKIT_NAMES.index(name)] = weight
        rest, opened = self.template.neutral(identity), self.template.vertices(pose, identity)[0]
        share = np.maximum(sky_share(rest, self._faces), sky_share(opened, self._faces))
        return smooth(share, self._faces)

    def _materials(self) -> np.ndarray:
        template = self.template
        names = np.array([PART_MATERIALS.get(p, "skin") for p in template.part_names])
        names = names[template.parts].astype("U8")
        lips = np.asarray(template.regions["lips"])
        names[lips[names[lips] == "skin"]] = "lips"
        return names


def render_frames(
    template,
    motion: Motion,
    identity: str,
    view: str = "front",
    size: int = SIZE_DEFAULT,
    choice: str | None = None,
) -> Iterator[np.ndarray]:
    """The pictures of a motion, drawn in this process: (size, size, 3) uint8 each.

    choice: "auto", "pyvista" or "software" (None: see `painters.wanted`). To be used up by the
    thread that starts it, as the plotter belongs to a thread; `Renderer` has no such limit.
    """
    painter = make_painter(template, choice)
    try:
        yield from Studio(template, painter).frames(motion, identity, view, size)
    finally:
        painter.close()
