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
from l2t.softrender import MouthRenderer
from l2t.softrender.framing import frame_mouth
from l2t.softrender.layers import FACE, TEETH, layers_of

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
def poses():
    return torch.tensor(np.stack(POSES))


def test_pictures_are_grey_finite_and_neither_black_nor_flat(renderer, poses):
    pictures = renderer(poses)
    assert pictures.shape == (len(poses), 48, 48)
    assert 0 < float(pictures.min()) < 0.25 < 0.6 < float(pictures.max()) < 1
    assert (pictures.std(dim=(1, 2)) > 0.05).all()


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
