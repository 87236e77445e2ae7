"""The differentiable renderer of the mouth: ARKit weights in, grey pictures out.

Points on the triangles are splatted into three layers (inside of the mouth, teeth, face). Within
a layer, points that lie in front outweigh those behind; a layer covers the ones behind it by the
area that its triangles really have in each pixel. So the edge of the lips moves the picture
smoothly, and nothing ever shows through closed lips.
"""

import torch
from torch import nn

from l2t.softrender.develop import develop
from l2t.softrender.framing import frame_mouth
from l2t.softrender.layers import LAYERS
from l2t.softrender.light import albedo, shade, sky
from l2t.softrender.patch import cut_patch
from l2t.softrender.splat import splat

SIZES = (16, 512)  # pixels of a side
BLOCK = 16  # frames drawn together: as many as fit the processor's caches
NEAR = 400.0  # 1/m: what lies 2.5 mm in front counts e times as much in its layer,
REACH = 0.015  # m: until this far from the lips; beyond, nearness counts less and less


class MouthRenderer(nn.Module):
    """Draws the mouth of one identity of a template, from the front, framed like a real crop.

    Has no parameters; moves between devices and precisions like any module.
    """

    def __init__(self, template, size: int = 96, identity: str | None = None,
                 inner: int | None = None):
        """template: `l2t.face.FaceTemplate`; size: pixels of a side; identity: None = the first;
        inner: pixels of a side that are drawn before resizing to `size` (None: the same).

        Raises ValueError for a size out of range, FaceError for an unknown identity.
        """
        super().__init__()
        self.size, self.inner = size, size if inner is None else inner
        for side in (self.size, self.inner):
            if not SIZES[0] <= side <= SIZES[1]:
                raise ValueError(f"The side of a mouth picture must be {SIZES[0]} to {SIZES[1]} "
                                 f"pixels, found {side}.")
        self.framing = frame_mouth(template, identity)
        patch = cut_patch(template, self.framing, identity, self.framing.side / self.inner)
        self.vertex_ids = patch.vertices
        neutral = template.neutral(identity)[patch.vertices]
        buffers = {
            "neutral": neutral.T[..., None],  # (3, V, 1)
            "basis": template.basis(patch.vertices).transpose(2, 1, 0),  # (3, V, 52)
            "albedo": albedo(template, identity, patch.vertices)[:, None],
            "sky": sky(template, identity, patch.vertices)[:, None],
            "faces": patch.faces.T,
            "point_face": patch.face,
            "point_vertices": patch.faces[patch.face].T,
            "corners": patch.corners[..., None],
            "share": patch.share[:, None],
            "start": patch.layer[:, None] * self._side**2,
        }
        for name, value in buffers.items():
            self.register_buffer(name, torch.tensor(value.copy()), persistent=False)

    @property
    def _side(self) -> int:
        return self.inner + 3  # a grid's nodes are the corners of pixels, and one more all round

    def forward(self, arkit: torch.Tensor) -> torch.Tensor:
        """(frames, 52) weights -> (frames, size, size) grey in 0..1."""
        # Places need all digits, also where training runs in half precision.
        with torch.autocast(arkit.device.type, enabled=False):
            rows = arkit.to(self.basis.dtype).split(BLOCK)
            return torch.cat([self._draw(self.neutral + self.basis @ row.T) for row in rows])

    def draw(self, vertices: torch.Tensor) -> torch.Tensor:
        """(frames, V, 3) metres of the vertices `vertex_ids` -> (frames, size, size) grey."""
        return torch.cat([self._draw(rows.permute(2, 1, 0)) for rows in vertices.split(BLOCK)])

    def _draw(self, vertices: torch.Tensor) -> torch.Tensor:
        """(3, V, frames) metres -> (frames, size, size). Frames come last: gathering is cheap."""
        pixel, middle = self.framing.side / self.inner, 0.5 * self.inner + 1
        a, b, c = (vertices.index_select(1, ids) for ids in self.faces)
        normal = _cross(b - a, c - a)  # as long as twice the area; its z is the area seen
        area = torch.relu(normal[2]) * (0.5 / pixel**2)
        x, y, z = vertices
        depth = torch.asinh((z - self.framing.z) / REACH) * (NEAR * REACH)
        grey = shade(self._vertex_normals(normal), self.albedo, self.sky)
        at_vertices = torch.stack([(x - self.framing.x) / pixel + middle,
                                   (self.framing.y - y) / pixel + middle, depth, grey])
        one, two, three = (at_vertices.index_select(1, ids) * share for ids, share in
                           zip(self.point_vertices, self.corners, strict=True))
        x, y, depth, grey = one + two + three
        area = area.index_select(0, self.point_face) * self.share
        weight = area * depth.exp()
        grid = splat(x, y, torch.stack([area, weight, weight * grey]), self.start, self._side,
                     LAYERS * self._side**2)
        picture = develop(grid.view(3, LAYERS, self._side, self._side, -1)).permute(2, 0, 1)
        return picture if self.inner == self.size else self._resized(picture)

    def _vertex_normals(self, normal: torch.Tensor) -> torch.Tensor:
        """(3, F, frames) normals of triangles -> (3, V, frames) unit normals, weighted by area."""
        out = normal.new_zeros(3, self.neutral.shape[1], normal.shape[2])
        for ids in self.faces:
            out = out.index_add(1, ids, normal)
        return out / (out.square().sum(0) + 1e-20).sqrt()

    def _resized(self, picture: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(
            picture[:, None], (self.size, self.size), mode="bilinear", antialias=True,
            align_corners=False,
        )[:, 0]  # fmt: skip


def _cross(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Cross product along the first axis; several times as fast as torch's own."""
    return torch.stack([p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2],
                        p[0] * q[1] - p[1] * q[0]])
