"""Our own 2D talking face: what it hears and paints, its losses, lessons and first steps."""

import numpy as np
import pytest
import torch

from training.files import save_module
from training.losses.pictures import lip_weights, picture_losses
from training.models.syncnet2d import Sync2DConfig, SyncNet2D
from training.teacher.lessons import CLOSED, Lesson, draw, draw_start, fitted, neutral_photo
from training.teacher.network import Ear, MouthPainter, PainterConfig
from training.teacher.own import Ears, OwnTeacher, load_painter
from training.teacher.protocol import Teacher, TeacherError, frames_of
from training.train_teacher import FRAMES, check_on, fresh, real_in_step, sample_of, step_on

SMALL = PainterConfig(channels=6, width=8, blocks=1, maps=(8, 8, 8, 4))
SYNC = Sync2DConfig(channels=2, width=8, size=8, pictures=(4, 4, 4, 4))


def lesson(seed: int, frames: int = 40) -> Lesson:
    rng = np.random.default_rng(seed)
    films = np.repeat(rng.integers(60, 200, (1, 96, 96), np.uint8), frames, 0).copy()
    opened = rng.integers(0, 20, frames)
    for film, tall in zip(films, opened, strict=True):
        film[48 - tall : 48 + tall, 30:66] = 30
    features = rng.normal(size=(2 * frames, 6)).astype(np.float16)
    features[1::2, 0] = opened / 10
    sound = rng.normal(size=(frames, 8)).astype(np.float32)
    photos, voiced = np.argsort(opened)[:CLOSED], rng.random(frames) < 0.6
    return Lesson(str(seed), (features,), films, photos, voiced, sound)


class FakeLoop:
    """The part of a loop that a step needs."""

    def __init__(self):
        self.rng, self.device = np.random.default_rng(0), torch.device("cpu")
        self.accelerator = self
        self.config = type("Config", (), {"steps": 10})

    def unwrap_model(self, model):
        return model


def test_an_untrained_network_paints_the_photo():
    painter = MouthPainter(SMALL).eval()
    photo = torch.rand(2, 96, 96)
    film = painter(torch.randn(2, 10, 6), photo)
    torch.testing.assert_close(film, photo[:, None].expand(-1, 5, -1, -1))


def test_a_part_painted_is_a_part_of_the_whole():
    painter = MouthPainter(SMALL).eval()
    torch.nn.init.normal_(painter.head.weight)
    features, photo = torch.randn(2, 24, 6), torch.rand(2, 96, 96)
    whole = painter(features, photo)
    part = painter(features, photo, torch.tensor([3, 6]), 4)
    torch.testing.assert_close(part[0], whole[0, 3:7], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(part[1], whole[1, 6:10], atol=1e-4, rtol=1e-4)


def test_a_frame_hears_the_feature_at_its_own_time():
    ear = Ear(PainterConfig(channels=6, width=8, blocks=0)).eval()
    features = torch.randn(1, 8, 6, requires_grad=True)
    ear(features)[0, 2].sum().backward()
    heard = features.grad[0].abs().sum(1).nonzero().flatten()
    assert heard.tolist() == [5]  # (2 + 0.5) / 25 s = 5 / 50 s


def test_losses_of_equal_pictures_are_zero_and_a_shift_of_grey_is_no_edge_nor_change():
    film = torch.rand(2, 4, 96, 96) * 0.5
    assert all(float(v) == 0 for v in picture_losses(film, film).values())
    terms = picture_losses(film + 0.1, film)
    assert float(terms["grey"]) == pytest.approx(0.1, rel=1e-4)
    assert float(terms["coarse"]) == pytest.approx(0.1, rel=1e-4)
    assert float(terms["edge"]) == pytest.approx(0, abs=1e-6)
    assert float(terms["change"]) == pytest.approx(0, abs=1e-6)


def test_the_lips_weigh_more_than_the_corner():
    weights = lip_weights(96)
    assert float(weights.mean()) == pytest.approx(1)
    assert float(weights[47, 48]) > 5 * float(weights[0, 0])


def test_features_are_two_a_frame_the_last_one_held():
    assert fitted(np.arange(5), 2).tolist() == [0, 1, 2, 3]
    assert fitted(np.arange(5), 4).tolist() == [0, 1, 2, 3, 4, 4, 4, 4]


def test_the_neutral_photo_is_a_real_frame_and_closed():
    lessons = [lesson(s) for s in range(4)]
    photo = neutral_photo(lessons)
    there = [np.array_equal(photo, one.mouths[one.photos[0]] / np.float32(255)) for one in lessons]
    assert any(there)


def test_stretches_stay_inside_and_prefer_the_voice():
    voiced = np.zeros(75, bool)
    voiced[30:34] = True
    rng = np.random.default_rng(0)
    starts = np.array([draw_start(voiced, 20, rng) for _ in range(400)])
    assert starts.min() >= 0
    assert starts.max() <= 55
    assert np.mean((starts <= 33) & (starts + 20 > 30)) > 0.75
    assert draw_start(np.zeros(20, bool), 20, rng) == 0


def test_a_batch_cuts_film_sound_and_voice_alike():
    lessons = [lesson(s) for s in range(3)]
    features, photo, film, starts, voiced, sound = draw(lessons, np.random.default_rng(1), 3, 12)
    for row in range(3):
        source = next(x for x in lessons if np.array_equal(x.features[0], features[row].half()))
        part = slice(int(starts[row]), int(starts[row]) + 12)
        np.testing.assert_allclose(film[row], source.mouths[part] / 255, atol=1e-6)
        np.testing.assert_array_equal(voiced[row], source.voiced[part])
        np.testing.assert_array_equal(sound[row], source.sound[part])
        closed = [np.allclose(photo[row], source.mouths[i] / 255, atol=1e-6) for i in source.photos]
        assert any(closed)


def test_the_sync_expert_joins_late_and_is_not_changed():
    lessons = [lesson(s) for s in range(6)]
    expert = SyncNet2D(SYNC).eval().requires_grad_(False)
    before = {k: v.clone() for k, v in expert.state_dict().items()}
    painter = fresh(lessons, SMALL)
    step = step_on(lessons, FakeLoop(), expert)
    early, late = step(painter, 0), step(painter, 9)
    assert float(early["sync"]) == 0
    assert float(late["sync"].detach()) > 0
    late["total"].backward()
    assert painter.head.weight.grad.abs().sum() > 0
    assert all(torch.equal(v, before[k]) for k, v in expert.state_dict().items())


def test_checks_and_pictures_are_made(tmp_path):
    lessons = [lesson(s, FRAMES + 10) for s in range(2)]
    expert = SyncNet2D(SYNC).eval().requires_grad_(False)
    painter = fresh(lessons, SMALL).eval()
    found = check_on(lessons, expert)(painter)
    assert {"unseen grey", "unseen lse_c", "unseen in step"} <= set(found)
    assert "unseen lse_c" not in check_on(lessons, None)(painter)
    assert 0 <= real_in_step(expert, lessons) <= 1
    sample_of(lessons[0])(painter, tmp_path / "sample.png")
    assert (tmp_path / "sample.png").stat().st_size > 0


def test_weights_survive_the_disk_with_the_photo(tmp_path):
    painter = fresh([lesson(s) for s in range(3)], SMALL).eval()
    torch.nn.init.normal_(painter.head.weight, std=0.05)
    save_module(painter, tmp_path, "painter")
    ears = Ears(packed={"a": np.random.default_rng(0).normal(size=(20, 6)).astype(np.float16)})
    one, two = (OwnTeacher(p, ears) for p in (painter, load_painter(tmp_path)))
    sound = np.zeros(16000 * 10 // 25, np.float32)
    assert isinstance(one, Teacher)
    first, second = one.mouths(sound, "a"), two.mouths(sound, "a")
    assert first.shape == (10, 96, 96)
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - second).max() <= 4
    with pytest.raises(TeacherError, match="no features of 'b' and no encoder"):
        one.mouths(sound, "b")
    with pytest.raises(TeacherError, match="no painter.json"):
        load_painter(tmp_path / "nowhere")


def test_long_sound_is_painted_in_blocks_without_seams(monkeypatch):
    import training.teacher.own as own

    painter = MouthPainter(SMALL).eval()
    torch.nn.init.normal_(painter.head.weight, std=0.05)
    ears = Ears(packed={"a": np.random.default_rng(0).normal(size=(60, 6)).astype(np.float16)})
    sound = np.zeros(16000 * 30 // 25, np.float32)
    whole = OwnTeacher(painter, ears).mouths(sound, "a")
    monkeypatch.setattr(own, "BLOCK", 7)
    parts = OwnTeacher(painter, ears).mouths(sound, "a")
    assert np.abs(whole.astype(int) - parts).max() <= 2


def test_frames_of_a_recording():
    assert frames_of(np.zeros(48000)) == 75
    assert frames_of(np.zeros(47648)) == 75  # a clip of GRID: the last picture is begun
    assert frames_of(np.zeros(10)) == 1
