"""The mouth renderer in double precision: its blending and its gradients, to the last digits."""

import numpy as np
import pytest
import torch
from faces import weights

from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES
from l2t.softrender import MouthRenderer
from l2t.softrender.develop import DARK, DENSE, SHARP
from l2t.softrender.layers import FACE, INSIDE, TEETH
from l2t.softrender.light import shade
from l2t.softrender.renderer import NEAR, REACH

FUNNEL = weights(jawOpen=0.3, mouthFunnel=0.7)
SMILE = weights(jawOpen=0.15, mouthSmile=0.5, mouthUpperUp=0.3, mouthLowerDown=0.4)


@pytest.fixture(scope="module")
def exact():
    """A small one in double precision."""
    return MouthRenderer(FaceTemplate.load(), 24).double()


def test_blending_is_what_a_dense_sum_over_points_gives(exact):
    arkit = torch.tensor(FUNNEL[None]).double()
    picture = exact(arkit)[0].numpy()
    np.testing.assert_allclose(picture, dense_picture(exact, arkit), atol=1e-6)


def dense_picture(drawer, arkit):
    """The picture from every point's share in every pixel, without grids or gathering by frame."""
    vertices = (drawer.neutral[..., 0] + drawer.basis @ arkit[0]).T.numpy()
    triangles = vertices[drawer.faces.T.numpy()]
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    smooth = np.zeros_like(vertices)
    for face, its in zip(drawer.faces.T.numpy(), normal, strict=True):
        smooth[face] += its
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    tone = shade(torch.tensor(smooth.T[..., None]), drawer.albedo, drawer.sky).numpy()[:, 0]
    corners, face = drawer.corners[..., 0].numpy(), drawer.point_face.numpy()
    ids = drawer.faces.T.numpy()[face]
    point = np.einsum("kn,nkd->nd", corners, vertices[ids])
    frame, side = drawer.framing, drawer.inner
    pixel = frame.side / side
    x, y = (point[:, 0] - frame.x) / pixel + side / 2, (frame.y - point[:, 1]) / pixel + side / 2
    tone = np.einsum("kn,nk->n", corners, tone[ids])
    near = np.einsum("kn,nk->n", corners, np.arcsinh((vertices[ids, 2] - frame.z) / REACH))
    area = np.maximum(normal[face, 2], 0) / 2 / pixel**2 * drawer.share[:, 0].numpy()
    weight = area * np.exp(NEAR * REACH * near)
    layer = drawer.start[:, 0].numpy() // (side + 3) ** 2

    def spread(place, nodes):  # of each point over nodes, then the mean of neighbouring nodes
        hat = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(-1, side + 2)))
        for _ in range(nodes):
            hat = (hat[:, 1:] + hat[:, :-1]) / 2
        return hat if nodes == 3 else hat[:, 1:-1]

    def total(what, which, nodes=1):
        on = layer == which
        inside = on & (x >= -1) & (x < side + 1) & (y >= -1) & (y < side + 1)
        rows, columns = spread(y[inside], nodes), spread(x[inside], nodes)
        return np.einsum("n,ny,nx->yx", what[inside], rows, columns)

    def cover(which, nodes):
        return np.clip(SHARP * (total(area, which, nodes) - 0.5) + 0.5, 0, 1)

    def grey(which):
        below = total(weight, which)
        return np.where(below > 0, total(weight * tone, which) / np.maximum(below, 1e-300), DARK)

    inside = np.minimum(DENSE * total(area, INSIDE), 1)
    teeth, face = cover(TEETH, 1), cover(FACE, 3)
    behind = grey(INSIDE) * (1 - teeth) + grey(TEETH) * teeth
    hole = (1 - face) * (1 - (1 - inside) * (1 - teeth))
    return grey(FACE) * (1 - hole) + behind * hole


def test_gradients_agree_with_finite_differences(exact):
    target = exact(torch.tensor(SMILE[None]).double())
    arkit = torch.tensor(FUNNEL[None]).double().requires_grad_()
    loss = lambda rows: (exact(rows) - target).square().sum()  # noqa: E731
    loss(arkit).backward()
    step = 1e-7
    for name in ("jawOpen", "mouthClose", "mouthPucker", "mouthSmileLeft", "mouthRollLower"):
        column = ARKIT_NAMES.index(name)
        moved = torch.zeros_like(arkit)
        moved[0, column] = step
        with torch.no_grad():
            slope = (loss(arkit + moved) - loss(arkit - moved)) / (2 * step)
        assert float(arkit.grad[0, column]) == pytest.approx(float(slope), rel=1e-4, abs=1e-5)
