"""The differentiable renderer of the mouth: ARKit weights in, grey pictures out.

Points on the triangles are splatted into three layers (inside of the mouth, teeth, face). In a
layer, points that lie in front outweigh those behind; a layer covers the ones behind it by the
area its triangles really have in each pixel. So the edge of the lips moves the picture smoothly,
and nothing ever shows through closed lips.
"""

import torch
from torch import nn

from training.softrender.framing import frame_mouth
from training.softrender.layers import FACE, INSIDE, LAYERS, TEETH
from training.softrender.light import albedo, shade, sky
from training.softrender.patch import cut_patch
from training.softrender.splat import splat

BLOCK = 16  # frames drawn together: as many as fit the processor's caches
NEAR = 1000.0  # 1/m: what lies 1 mm in front counts e times as much in its layer,
REACH = 0.015  # m: until this far from the lips; beyond, nearness counts less and less
SHARP = 1.5  # of the edges between layers: evens out how thick the points lie
DENSE = 3.0  # a third of a pixel's area is enough for the backmost layer to fill it
NOTHING = 1e-30  # weight of what is there where no point is
BEHIND = 0.06  # grey where nothing is: the depth of the mouth


class MouthRenderer(nn.Module):
    """Draws the mouth of one identity of a template, from the front, framed like a real crop.

    template: `l2t.face.FaceTemplate`; size: pixels of a side; identity: None = the first;
    inner: pixels of a side drawn before resizing to `size` (None: the same).
    """

    def __init__(self, template, size: int = 96, identity: str | None = None,
                 inner: int | None = None):
        super().__init__()
        self.size, self.inner = size, inner or size
        self.framing = frame_mouth(template, identity)
        patch = cut_patch(template, self.framing, identity, self.framing.side / self.inner)
        self.vertex_ids = patch.vertices
        cells = (self.inner + 3) ** 2
        neutral = template.neutral(identity)[patch.vertices]
        buffers = {
            "neutral": torch.tensor(neutral.T.copy())[..., None],  # (3, V, 1)
            "basis": torch.tensor(template.basis(patch.vertices).transpose(2, 1, 0).copy()),
            "faces": torch.tensor(patch.faces.T.copy()),
            "point_face": torch.tensor(patch.face),
            "point_vertices": torch.tensor(patch.faces[patch.face].T.copy()),
            "corners": torch.tensor(patch.corners)[..., None],
            "share": torch.tensor(patch.share)[:, None],
            "start": torch.tensor(patch.layer * cells)[:, None],
            "albedo": torch.tensor(albedo(template, identity, patch.vertices))[:, None],
            "sky": torch.tensor(sky(template, identity, patch.vertices))[:, None],
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, arkit: torch.Tensor) -> torch.Tensor:
        """(frames, 52) weights -> (frames, size, size) grey in 0..1."""
        blocks = [self._draw(self.neutral + self.basis @ rows.T) for rows in arkit.split(BLOCK)]
        return torch.cat(blocks) if blocks else arkit.new_zeros(0, self.size, self.size)

    def draw(self, vertices: torch.Tensor) -> torch.Tensor:
        """(frames, V, 3) metres of the vertices `vertex_ids` -> (frames, size, size) grey."""
        blocks = [self._draw(rows.permute(2, 1, 0)) for rows in vertices.split(BLOCK)]
        return torch.cat(blocks) if blocks else vertices.new_zeros(0, self.size, self.size)

    def _draw(self, vertices: torch.Tensor) -> torch.Tensor:
        a, b, c = (vertices.index_select(1, f) for f in self.faces)
        normal = torch.linalg.cross(b - a, c - a, dim=0)  # its z is twice the area seen
        grey = shade(self._vertex_normals(normal), self.albedo, self.sky)
        value = torch.cat([vertices, grey[None]])
        x, y, z, grey = sum(
            value.index_select(1, ids) * share
            for ids, share in zip(self.point_vertices, self.corners, strict=True)
        )
        pixel = self.framing.side / self.inner
        area = torch.relu(normal[2]).index_select(0, self.point_face) * self.share
        area = area * (0.5 / pixel**2)
        weight = area * torch.exp(NEAR * REACH * torch.asinh((z - self.framing.z) / REACH))
        middle = 0.5 * self.inner + 1
        grid = splat((x - self.framing.x) / pixel + middle, (self.framing.y - y) / pixel + middle,
                     torch.stack([area, weight, weight * grey]), self.start, self.inner + 3,
                     LAYERS * (self.inner + 3) ** 2)
        return self._develop(grid)

    def _vertex_normals(self, normal: torch.Tensor) -> torch.Tensor:
        out = normal.new_zeros(3, self.neutral.shape[1], normal.shape[2])
        for ids in self.faces:
            out = out.index_add(1, ids, normal)
        return out / (out.square().sum(0) + 1e-20).sqrt()

    def _develop(self, grid: torch.Tensor) -> torch.Tensor:
        """Sums at the corners of pixels -> picture: the mean of a pixel's corners, layered."""
        side = self.inner + 3
        grid = grid.view(3, LAYERS, side, side, -1)
        # The face's cover alone is smoothed twice more: where its points lie thinner it may
        # not let anything through.
        face = _sharp(_box(_box(_box(grid[0, FACE]))))
        grid = _box(grid[:, :, 1:-1, 1:-1])
        inside, teeth = (DENSE * grid[0, INSIDE]).clamp(max=1.0), _sharp(grid[0, TEETH])
        grey = (grid[2] + NOTHING * BEHIND) / (grid[1] + NOTHING)
        picture = torch.lerp(grey[INSIDE], grey[TEETH], teeth)
        # Only where something lies behind it can the face have a hole.
        picture = torch.lerp(grey[FACE], picture, (1 - face) * (inside + teeth - inside * teeth))
        picture = picture.permute(2, 0, 1)
        if self.inner != self.size:
            picture = nn.functional.interpolate(
                picture[:, None], (self.size, self.size), mode="bilinear", antialias=True,
                align_corners=False,
            )[:, 0]
        return picture


def _box(grid: torch.Tensor) -> torch.Tensor:
    """(..., n, n, frames) -> (..., n - 1, n - 1, frames): means of four neighbours."""
    grid = grid[..., 1:, :, :] + grid[..., :-1, :, :]
    return 0.25 * (grid[..., 1:, :] + grid[..., :-1, :])


def _sharp(cover: torch.Tensor) -> torch.Tensor:
    return (SHARP * (cover - 0.5) + 0.5).clamp(0.0, 1.0)
