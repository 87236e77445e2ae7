"""The mouth renderer: right pictures, right gradients, the same however it is asked."""

import copy

import numpy as np
import pytest
import torch
from faces import weights

from l2t.errors import FaceError
from l2t.face import FaceTemplate
from l2t.metrics import lip_opening
from l2t.motion import ARKIT_NAMES
from training.softrender import MouthRenderer
from training.softrender.develop import DARK, DENSE, SHARP
from training.softrender.framing import frame_mouth
from training.softrender.layers import FACE, INSIDE, TEETH, layers_of
from training.softrender.light import shade
from training.softrender.renderer import NEAR, REACH

POSES = (
    weights(),
    weights(jawOpen=0.3),
    weights(jawOpen=0.2, mouthStretch=0.5),
    weights(jawOpen=0.3, mouthFunnel=0.7),
    weights(jawOpen=0.1, mouthPucker=0.8),
    weights(jawOpen=0.15, mouthSmile=0.5, mouthUpperUp=0.3, mouthLowerDown=0.4),
    weights(mouthPress=0.6, mouthRollUpper=0.3, mouthRollLower=0.3),
)


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def renderer(template):
    return MouthRenderer(template, 48)


@pytest.fixture(scope="module")
def exact(template):
    """A small one in double precision."""
    return MouthRenderer(template, 24).double()


@pytest.fixture(scope="module")
def poses():
    return torch.tensor(np.stack(POSES))


def test_pictures_are_grey_finite_and_neither_black_nor_flat(renderer, poses):
    pictures = renderer(poses)
    assert pictures.shape == (len(poses), 48, 48)
    assert 0 < float(pictures.min()) < 0.25 < 0.6 < float(pictures.max()) < 1
    assert (pictures.std(dim=(1, 2)) > 0.05).all()


def test_blending_is_what_a_dense_sum_over_points_gives(exact):
    arkit = torch.tensor(POSES[3][None]).double()
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
    target = exact(torch.tensor(POSES[5][None]).double())
    arkit = torch.tensor(POSES[3][None]).double().requires_grad_()
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


def test_descending_on_the_picture_finds_the_right_opening(renderer):
    cases = (
        ("jawOpen", weights(jawOpen=0.5), 0.1),
        ("jawOpen", weights(jawOpen=0.05), 0.4),
        ("mouthClose", weights(jawOpen=0.4, mouthClose=0.35), 0.0),
        ("mouthPucker", weights(jawOpen=0.15, mouthPucker=0.6), 0.1),
        ("mouthFunnel", weights(jawOpen=0.3, mouthFunnel=0.6), 0.1),
        ("mouthRollLower", weights(mouthRollLower=0.6), 0.0),
    )
    right = torch.tensor(np.stack([pose for _, pose, _ in cases]))
    rows, columns = range(len(cases)), [ARKIT_NAMES.index(name) for name, _, _ in cases]
    target, wanted = renderer(right), right[rows, columns]
    guess = torch.tensor([start for *_, start in cases], requires_grad=True)
    descent = torch.optim.Adam([guess], lr=0.03)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(descent, 50)
    for number in range(50):
        arkit = right.clone()
        arkit[rows, columns] = guess
        loss = (renderer(arkit) - target).square().mean(dim=(1, 2)).sum()
        descent.zero_grad()
        loss.backward()
        if not number:  # the very first step already goes the right way
            assert (guess.grad * (guess.detach() - wanted) > 0).all()
        descent.step()
        slower.step()
    assert float((guess.detach() - wanted).abs().max()) < 0.05


def test_the_picture_changes_smoothly_as_the_jaw_opens(renderer):
    arkit = torch.zeros(201, 52)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = torch.linspace(0, 0.5, 201)
    pictures = renderer(arkit)
    step = (pictures[1:] - pictures[:-1]).abs()
    assert float(step.max()) < 0.05  # no pixel jumps: the whole way is a change of 0.4 and more
    turn = (pictures[2:] - 2 * pictures[1:-1] + pictures[:-2]).abs().mean(dim=(1, 2))
    assert float(turn.max()) < float(step.mean(dim=(1, 2)).min())


def test_the_opening_drawn_grows_with_the_true_opening(template, renderer):
    blackened = copy.deepcopy(renderer)  # teeth and tongue too: what is dark is the opening
    blackened.albedo[layers_of(template)[renderer.vertex_ids] != FACE] = 0.0
    arkit = np.zeros((17, 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = np.linspace(0, 0.8, 17)
    pictures = blackened(torch.tensor(arkit))[:, 16:40, 8:40]
    dark = (0.3 - pictures).relu().sum(dim=(1, 2)).numpy()
    assert (np.diff(lip_opening(template, arkit)) >= 0).all()
    assert (np.diff(dark) >= -1e-6).all()
    assert np.corrcoef(dark, lip_opening(template, arkit))[0, 1] > 0.98


def test_closed_lips_hide_the_teeth_and_open_ones_show_them(template, renderer, poses):
    drawer = copy.deepcopy(renderer)
    closed, opened = poses[[0, 6]], poses[[3, 5]]
    before = drawer(closed), drawer(opened)
    teeth = np.flatnonzero(layers_of(template)[drawer.vertex_ids] == TEETH)
    drawer.albedo[teeth] = 0.0
    assert float((drawer(closed) - before[0]).abs().max()) < 0.02
    assert float((drawer(opened) - before[1]).abs().max()) > 0.3


def test_skin_has_no_holes_in_any_pose(renderer, poses):
    pictures = renderer(poses)
    for part in (pictures[:, :36, :10], pictures[:, :36, 38:], pictures[:, 34:42, 16:32]):
        around = torch.nn.functional.avg_pool2d(part, 3, 1)
        assert float((around - part[:, 1:-1, 1:-1]).max()) < 0.06


def test_a_batch_gives_what_single_frames_give_and_twice_the_same(renderer, poses):
    many = poses.repeat(5, 1)[:33]  # more than two blocks
    together = renderer(many)
    assert torch.equal(together, renderer(many))
    alone = torch.cat([renderer(row[None]) for row in many])
    torch.testing.assert_close(together, alone, atol=2e-5, rtol=0)
    assert renderer(many[:0]).shape == (0, 48, 48)


def test_vertices_may_be_given_instead_of_weights(template, renderer, poses):
    vertices = torch.tensor(template.vertices(poses.numpy(), ids=renderer.vertex_ids))
    vertices.requires_grad_()
    pictures = renderer.draw(vertices)
    torch.testing.assert_close(pictures, renderer(poses), atol=1e-3, rtol=0)
    pictures.sum().backward()
    assert torch.isfinite(vertices.grad).all()
    assert vertices.grad.any()


def test_every_identity_is_framed_alike(template):
    for identity in template.identities:
        framing = frame_mouth(template, identity)
        lips = template.neutral(identity)[template.lip_landmarks]
        assert 0.42 < np.ptp(lips[:, 0]) / framing.side < 0.52  # as in real crops
        np.testing.assert_allclose(lips.mean(axis=0), (framing.x, framing.y, framing.z), atol=1e-6)


def test_any_identity_of_the_template_can_be_drawn(template, poses):
    other = MouthRenderer(template, 24, template.identities[-1])(poses)
    assert torch.isfinite(other).all()
    with pytest.raises(FaceError, match="nobody"):
        MouthRenderer(template, 24, "nobody")


def test_an_inner_size_draws_coarser_and_resizes(template, renderer):
    coarse = MouthRenderer(template, 48, inner=36)(torch.tensor(POSES[1][None]))
    assert coarse.shape == (1, 48, 48)
    fine = renderer(torch.tensor(POSES[1][None]))
    assert np.corrcoef(coarse.numpy().ravel(), fine.numpy().ravel())[0, 1] > 0.97


def test_half_precision_training_around_it_does_not_coarsen_the_picture(renderer, poses):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = renderer(poses)
    assert torch.equal(within, renderer(poses))


def test_a_size_out_of_range_is_named(template):
    with pytest.raises(ValueError, match="16 to 512 pixels, found 4"):
        MouthRenderer(template, 4)
