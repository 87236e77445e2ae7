"""What is optimised: Gaussians on triangles, and the way from them to a picture, in torch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from l2t.avatar.binding import SH_0, SH_1
from l2t.avatar.camera import Camera
from l2t.avatar.gaussians import Gaussians
from l2t.avatar.project import BLUR, NEAR
from training.avatar.rasterise import Ellipses, gsplat_picture
from training.avatar.shadow import Shadows
from training.avatar.strands import frames_of

# Start of every Gaussian: flat on its triangle (the normal is the second axis), nearly opaque.
WIDTHS, OPACITY = (0.32, 0.10, 0.32), 0.85
NAMES = ("mu", "turn", "scale_log", "opacity_logit", "base", "sides")


@dataclass
class Drawn:
    """picture: (H, W, 3) colours times cover; solid: (H, W); spots: (G, 2) pixels, keeps its
    gradient; use: (G,) largest share in a pixel, known after the way back."""

    picture: Tensor
    solid: Tensor
    spots: Tensor
    use: Tensor


class BoundGaussians(nn.Module):
    """mu, turn, scale_log, opacity_logit as in `Gaussians`; base (G, 1, 3), sides (G, 3, 3):
    its colour's harmonics of degree 0 and 1; triangle: (G,) int64."""

    def __init__(self, triangle: Tensor, values: dict[str, Tensor]):
        super().__init__()
        self.register_buffer("triangle", triangle)
        for name in NAMES:
            self.register_parameter(name, nn.Parameter(values[name]))

    @staticmethod
    def on(triangles: np.ndarray, values: dict[str, Tensor] | None = None) -> "BoundGaussians":
        """One on each of these triangles (numbers), grey: flat in its middle unless `values`
        says otherwise."""
        count = len(triangles)
        turn = torch.zeros(count, 4)
        turn[:, 0] = 1
        logit = float(np.log(OPACITY / (1 - OPACITY)))
        return BoundGaussians(torch.as_tensor(triangles, dtype=torch.int64), {
            "mu": torch.zeros(count, 3), "turn": turn,
            "scale_log": torch.log(torch.tensor(WIDTHS)).repeat(count, 1),
            "opacity_logit": torch.full((count,), logit), "base": torch.zeros(count, 1, 3),
            "sides": torch.zeros(count, 3, 3)} | (values or {}))

    @staticmethod
    def of(gaussians: Gaussians) -> "BoundGaussians":
        """To go on with a set."""
        colour = torch.from_numpy(gaussians.colour)
        values = {name: torch.from_numpy(getattr(gaussians, name)) for name in NAMES[:4]}
        values |= {"base": colour[:, :1].clone(), "sides": colour[:, 1:].clone()}
        return BoundGaussians(torch.from_numpy(gaussians.triangle).long(), values)

    def gaussians(self) -> Gaussians:
        """The set as the product takes it."""
        values = {name: getattr(self, name).detach().cpu().float().numpy() for name in NAMES}
        colour = np.concatenate([values.pop("base"), values.pop("sides")], axis=1)
        return Gaussians(self.triangle.cpu().numpy().astype(np.int32), **values, colour=colour)

    def forward(self, vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> Drawn:
        """Draws the set bound to `vertices` (V, 3) by `camera`."""
        kind, device = self.mu.dtype, self.mu.device
        frames = frames_of(vertices, faces)
        use = torch.zeros(len(self.mu), device=device)
        if device.type == "cuda":
            frames = [torch.from_numpy(a).to(device, kind)[self.triangle] for a in frames]
            eye, view, inside = (torch.as_tensor(a, dtype=kind, device=device)
                                 for a in (camera.eye, camera.view, camera.intrinsics))
            means, axes, colours = self.world(*frames, eye)
            picture, solid, about = gsplat_picture(
                means, axes @ axes.mT, torch.sigmoid(self.opacity_logit), colours, view, inside,
                camera.width, camera.height)
            spots = about["means2d"]  # gsplat's own, so that the gradient arrives there
            use = (about["radii"].reshape(1, len(means), -1).amax((0, 2)) > 0).float()
        else:
            spots, conics, colours, depth = Shadows.apply(
                self.mu, self.turn, self.scale_log, self.base, self.sides, self.triangle, frames,
                camera)
            picture, solid = Ellipses.apply(spots, conics, torch.sigmoid(self.opacity_logit),
                                            colours, depth, camera.width, camera.height, use)
        if spots.requires_grad:
            spots.retain_grad()
        return Drawn(picture, solid, spots, use)

    def world(self, origin, basis, size, eye) -> tuple[Tensor, Tensor, Tensor]:
        """means (G, 3), axes (G, 3, 3) with covariance axes axes^T, colours (G, 3) from `eye`."""
        frame = basis * size[:, None, None]
        means = origin + (frame @ self.mu[..., None])[..., 0]
        axes = frame @ (matrices(self.turn) * self.scale_log.exp()[:, None])
        way = torch.nn.functional.normalize(means - eye, dim=1)
        x, y, z = (way[:, :, None] * basis).sum(1).T[..., None]
        side = -y * self.sides[:, 0] + z * self.sides[:, 1] - x * self.sides[:, 2]
        return means, axes, (0.5 + SH_0 * self.base[:, 0] + SH_1 * side).clamp_min(0)


def joined(first: BoundGaussians, second: BoundGaussians) -> BoundGaussians:
    """Two sets in one."""
    values = {name: torch.cat([getattr(m, name).detach() for m in (first, second)])
              for name in NAMES}
    return BoundGaussians(torch.cat([first.triangle, second.triangle]), values)


def matrices(quaternions: Tensor) -> Tensor:
    """(n, 3, 3) rotations of quaternions (n, 4) w x y z of any length but 0."""
    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]  # fmt: skip
    return torch.stack(rows, dim=1).reshape(-1, 3, 3)


def flatten(means, axes, eye, turn, camera: Camera) -> tuple[Tensor, Tensor, Tensor]:
    """spots (G, 2) pixels, conics (G, 3), depth (G,; -1: too near): see `l2t.avatar.project`."""
    local = (means - eye) @ turn.T
    depth = local[:, 2].detach()
    z = local[:, 2].clamp_min(NEAR)
    at = local[:, :2] / z[:, None]
    focal = at.new_tensor(camera.focal)
    centre = at.new_tensor(camera.centre)
    side = at.new_tensor((camera.width, camera.height))
    bounded = at.clamp(-0.15 * side / focal - centre / focal,
                       (side - centre) / focal + 0.15 * side / focal)
    ways = turn[None, :2] - bounded[..., None] * turn[None, 2:]
    half = (ways * (focal / z[:, None])[..., None]) @ axes
    xx, yy = (half * half).sum(-1).T + BLUR
    xy = (half[:, 0] * half[:, 1]).sum(-1)
    conics = torch.stack([yy, -xy, xx], dim=1) / (xx * yy - xy * xy)[:, None]
    return at * focal + centre, conics, torch.where(depth < NEAR, -1.0, depth)
