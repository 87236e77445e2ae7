"""The way back through the rasteriser against autograd through an oracle, and differences."""

import numpy as np
import pytest
import torch
from avatars import DONE, LEAST, MOST, ball, looking, random_gaussians

from l2t.avatar.splatter import Splatter
from training.avatar.model import BoundGaussians, flatten
from training.avatar.rasterise import Ellipses, equal_bands, has_gsplat

WIDTH, HEIGHT = 37, 21  # more than one tile, no multiple of one


def ellipses(count=25, seed=0):
    """spots, conics, opacity, colours as leaves in float64, and depths."""
    random = np.random.default_rng(seed)
    axes = random.normal(0, 2.5, (count, 2, 2))
    inverse = np.linalg.inv(axes @ axes.transpose(0, 2, 1) + 0.3 * np.eye(2))
    values = (random.uniform(0, 1, (count, 2)) * (WIDTH, HEIGHT), inverse[:, [0, 0, 1], [0, 1, 1]],
              random.uniform(0.05, 0.98, count), random.uniform(0, 1, (count, 3)))
    return [torch.tensor(v, requires_grad=True) for v in values], torch.tensor(
        random.uniform(0.3, 2, count))


def oracle(spots, conics, opacity, colours, depth):
    """Every pixel asks every ellipse, nearest first, in torch."""
    rows, columns = torch.meshgrid(torch.arange(HEIGHT).double() + 0.5,
                                   torch.arange(WIDTH).double() + 0.5, indexing="ij")
    picture, behind = torch.zeros(HEIGHT, WIDTH, 3, dtype=torch.float64), torch.ones(
        HEIGHT, WIDTH, dtype=torch.float64)
    for g in torch.argsort(depth):
        x, y = columns - spots[g, 0], rows - spots[g, 1]
        a, b, c = conics[g]
        raw = opacity[g] * torch.exp(-0.5 * (a * x * x + c * y * y) - b * x * y)
        alpha = raw.clamp_max(MOST) * ((raw >= LEAST) & (behind > DONE)).detach()
        picture = picture + (alpha * behind)[..., None] * colours[g]
        behind = behind * (1 - alpha)
    return picture, 1 - behind


@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_are_those_of_the_oracle(seed):
    leaves, depth = ellipses(seed=seed)
    random = torch.Generator().manual_seed(seed)
    weights = torch.randn(HEIGHT, WIDTH, 4, generator=random, dtype=torch.float64)
    results = []
    for draw in (lambda *v: Ellipses.apply(*v, depth, WIDTH, HEIGHT, None),
                 lambda *v: oracle(*v, depth)):
        picture, solid = draw(*leaves)
        value = (picture * weights[..., :3]).sum() + (solid * weights[..., 3]).sum()
        results.append((picture.detach(), solid.detach(), torch.autograd.grad(value, leaves)))
    (picture, solid, ours), (true, cover, theirs) = results
    torch.testing.assert_close(picture, true, rtol=0, atol=1e-9)
    torch.testing.assert_close(solid, cover, rtol=0, atol=1e-9)
    for name, a, b in zip(("spots", "conics", "opacity", "colours"), ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8, msg=lambda m, n=name: f"{n}: {m}")


def test_gradients_are_differences():
    """Of a few numbers, moved a little: without any oracle's help."""
    leaves, depth = ellipses(8)
    weights = torch.linspace(-1, 1, HEIGHT * WIDTH * 3, dtype=torch.float64).view(HEIGHT, WIDTH, 3)

    def value(*values):
        return (Ellipses.apply(*values, depth, WIDTH, HEIGHT, None)[0] * weights).sum()

    grads = torch.autograd.grad(value(*leaves), leaves)
    for which, index in ((0, (2, 0)), (0, (4, 1)), (1, (3, 0)), (1, (3, 1)), (2, (5,)),
                         (3, (1, 2))):
        step = 1e-6
        moved = [[t.detach().clone() for t in leaves] for _ in range(2)]
        moved[0][which][index] += step
        moved[1][which][index] -= step
        slope = (value(*moved[0]) - value(*moved[1])) / (2 * step)
        assert float(grads[which][index]) == pytest.approx(float(slope), rel=2e-2, abs=2e-2)


def test_threads_change_no_gradient():
    leaves, depth = ellipses(60)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            picture, solid = Ellipses.apply(*leaves, depth, WIDTH, HEIGHT, None)
            found.append(torch.autograd.grad((picture**2).sum() + solid.sum(), leaves))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("start", [[0, 0, 0, 0, 0, 0, 0], [0, 9, 9, 9, 9, 9, 9],
                                   [0, 1, 2, 3, 4, 5, 6]])  # fmt: skip
def test_bands_cover_the_picture_once(start):
    bands = equal_bands(np.array(start, np.int32), 2, 3)
    assert bands[0][0] == 0
    assert bands[-1][1] == 3
    assert all(a[1] == b[0] for a, b in zip(bands, bands[1:], strict=False))


def test_use_is_the_largest_share():
    leaves, depth = ellipses(6)
    use = torch.zeros(6)
    picture, _ = Ellipses.apply(*leaves, depth, WIDTH, HEIGHT, use)
    picture.sum().backward()
    nearest = int(depth.argmin())
    assert use[nearest] == pytest.approx(float(leaves[2].detach()[nearest]), rel=0.4)
    assert (use <= leaves[2].detach() + 1e-6).all()


def test_what_is_behind_the_camera_gets_no_gradient():
    leaves, depth = ellipses(5)
    depth[2] = -1
    picture, _ = Ellipses.apply(*leaves, depth, WIDTH, HEIGHT, None)
    grads = torch.autograd.grad(picture.sum(), leaves)
    assert all(float(g[2].abs().sum()) == 0 for g in grads)


def test_model_draws_what_the_product_draws():
    vertices, faces = ball()
    g, camera = random_gaussians(len(faces), 120), looking(48)
    drawn = BoundGaussians.of(g)(vertices, faces, camera)
    picture, behind = Splatter(g, faces, 1).draw(vertices, camera)
    assert np.abs(drawn.picture.detach().numpy() - picture).max() < 1.5 / 255
    assert np.abs(drawn.solid.detach().numpy() - (1 - behind)).mean() < 1e-4
    np.testing.assert_allclose(BoundGaussians.of(g).gaussians().colour, g.colour)


def test_projection_passes_gradients_on():
    """From a picture down to what is optimised: slopes, in float64, of a picture's sum."""
    vertices, faces = ball()
    camera = looking(32)
    model = BoundGaussians.of(random_gaussians(len(faces), 10)).double()

    def value():
        return (model(vertices, faces, camera).picture ** 2).sum()

    value().backward()
    for name in ("mu", "turn", "scale_log", "opacity_logit", "base", "sides"):
        leaf = getattr(model, name)
        index = tuple(int(i) for i in np.unravel_index(int(leaf.grad.abs().argmax()), leaf.shape))
        kept, found = float(leaf.data[index]), []
        for step in (1e-4, -1e-4):
            leaf.data[index] = kept + step
            found.append(float(value().detach()))
        leaf.data[index] = kept
        slope = (found[0] - found[1]) / 2e-4
        # Not more exactly: what crosses the bound of 1/255 comes and goes at once.
        assert float(leaf.grad[index]) == pytest.approx(slope, rel=0.05), name


def test_near_points_are_not_drawn():
    camera = looking()
    means = torch.tensor(np.stack([camera.eye + 0.005 * camera.turn[2], np.zeros(3)]))
    axes = 0.01 * torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    depth = flatten(means, axes, torch.tensor(camera.eye), torch.tensor(camera.turn), camera)[2]
    assert depth[0] < 0 < depth[1]


@pytest.mark.skipif(not has_gsplat(), reason="needs CUDA and gsplat")
def test_gsplat_draws_the_same():
    vertices, faces = ball()
    g, camera = random_gaussians(len(faces), 120), looking(48)
    theirs = BoundGaussians.of(g).cuda()(vertices, faces, camera).picture.detach().cpu()
    ours = BoundGaussians.of(g)(vertices, faces, camera).picture.detach()
    assert float((theirs - ours).abs().mean()) < 2e-3
