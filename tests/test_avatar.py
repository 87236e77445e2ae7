"""The talking Gaussian head as its users call it: the embedded avatar, moved and drawn."""

import json

import numpy as np
import pytest

from l2t.avatar import Avatar, Orbit
from l2t.errors import FaceError, RenderError, WeightsError
from l2t.motion import ARKIT_NAMES, Motion

SIZE = 256


@pytest.fixture(scope="module")
def avatar():
    return Avatar.load()


def weights(**named):
    out = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in named.items():
        out[ARKIT_NAMES.index(name)] = weight
    return out


def test_embedded_avatar_is_dense_and_small(avatar):
    from l2t.avatar.avatar import FOLDER

    assert len(avatar.gaussians) >= 30_000
    assert (FOLDER / "avatar.safetensors").stat().st_size < 10e6


def test_frames_are_pictures_of_the_motion(avatar):
    motion = Motion(np.stack([weights(), weights(jawOpen=0.6), weights()]))
    first, opened, last = avatar.frames(motion, size=SIZE)
    assert first.shape == (SIZE, SIZE, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == last.tobytes()
    change = np.abs(first.astype(int) - opened).sum(axis=2)
    rows, _ = np.nonzero(change > 60)
    assert len(rows) > 100
    assert np.median(rows) > SIZE / 2  # the mouth is in the lower half


def test_open_mouth_is_dark_within_and_nothing_shines_through(avatar):
    """No hole: through an open mouth the background is not seen."""
    from l2t.avatar.splatter import Splatter

    camera = Orbit(zoom=2).camera(avatar.neutral, SIZE)
    vertices = next(avatar.vertices(Motion(weights(jawOpen=0.8)[None])))
    splatter = Splatter(avatar.gaussians, avatar.template.faces, 1)
    _, behind = splatter.draw(vertices, camera)
    lips = camera.project(vertices[avatar.template.region("inner_lip")])
    (left, top), (right, bottom) = lips[:, :2].min(axis=0).astype(int), lips[:, :2].max(axis=0)
    assert behind[top : int(bottom), left : int(right)].max() < 0.05


def test_threads_and_runs_give_the_same_bytes(avatar):
    motion = Motion(weights(mouthSmileLeft=0.5)[None])
    a, b = (next(avatar.frames(motion, Orbit(30, 10), SIZE, n)) for n in (1, 2))
    assert a.tobytes() == b.tobytes()


def test_orbit_and_head_turn_show_the_other_side(avatar):
    left, right = (avatar.picture(orbit=Orbit(a), size=SIZE).astype(int) for a in (60, -60))
    assert np.abs(left - right).mean() > 2
    assert np.abs(left - right[:, ::-1]).mean() < np.abs(left - right).mean()  # nearly mirrored
    turned = avatar.picture(head=np.array([0, 0.4, 0]), size=SIZE)
    assert np.abs(turned.astype(int) - avatar.picture(size=SIZE)).mean() > 1


def test_files_hold_every_gaussian(avatar, tmp_path):
    path = avatar.write_splat(tmp_path / "a.splat", weights(jawOpen=0.3))
    assert path.stat().st_size <= 32 * len(avatar.gaussians)
    assert path.stat().st_size > 0.95 * 32 * len(avatar.gaussians)
    assert avatar.write_ply(tmp_path / "a.ply").read_bytes()[:3] == b"ply"


def test_film_with_sound(avatar, voice, tmp_path):
    from l2t.avatar.film import write_avatar_film
    from l2t.speech import load_speech

    motion = Motion(np.zeros((6, 52), np.float32))
    shares = []
    path = write_avatar_film(tmp_path / "a.mp4", avatar, motion, load_speech(voice), size=SIZE,
                             progress=shares.append)
    assert path.stat().st_size > 5000
    assert shares[-1] == 1


def test_impossible_sizes_and_angles_are_refused_at_once(avatar):
    motion = Motion(weights()[None])
    with pytest.raises(RenderError, match="size"):
        avatar.frames(motion, size=77)
    with pytest.raises(RenderError, match="elevation"):
        avatar.frames(motion, Orbit(0, 120))


def broken(avatar, tmp_path, **changes):
    """A copy of the embedded avatar with arrays changed."""
    from dataclasses import replace

    from l2t.avatar.avatar import write_avatar

    about = {"identity": avatar.identity, "triangles": len(avatar.template.faces)}
    about |= {k: changes.pop(k) for k in tuple(changes) if k in about}
    write_avatar(tmp_path, replace(avatar.gaussians, **changes), about["identity"], {},
                 about["triangles"])
    return tmp_path


@pytest.mark.parametrize(("changes", "message"), [
    ({"triangles": 5}, "mesh of 5 triangles"),
    ({"mu": np.zeros((3, 3))}, "mu must be"),
    ({"opacity_logit": np.full(1, np.nan)}, "opacity_logit must be"),
    ({"triangle": np.full(1, 10**6)}, "must be|bound to"),
])  # fmt: skip
def test_broken_avatars_are_refused(avatar, tmp_path, changes, message):
    with pytest.raises(WeightsError, match=message):
        Avatar.load(broken(avatar, tmp_path, **changes), avatar.template)


def test_values_that_are_not_numbers_are_refused(avatar, tmp_path):
    scales = avatar.gaussians.scale_log.copy()
    scales[7] = np.nan
    with pytest.raises(WeightsError, match="not numbers"):
        Avatar.load(broken(avatar, tmp_path, scale_log=scales), avatar.template)


def test_unknown_identity_and_missing_files_are_refused(avatar, tmp_path):
    with pytest.raises(FaceError, match="nobody"):
        Avatar.load(broken(avatar, tmp_path, identity="nobody"), avatar.template)
    (tmp_path / "avatar.safetensors").write_bytes(b"no")
    (tmp_path / "avatar.json").write_text(json.dumps({
        "identity": avatar.identity, "triangles": len(avatar.template.faces)}))
    with pytest.raises(WeightsError, match="cannot be read"):
        Avatar.load(tmp_path, avatar.template)
    with pytest.raises(WeightsError, match=r"avatar\.json"):
        Avatar.load(tmp_path / "none", avatar.template)
