"""Recorded teachers, yardsticks, comparison and the loss's targets, on films made here."""

import av
import numpy as np
import pytest
import torch

import training.teacher.targets as targets
from l2t.models.lipreader import LipReader, LipReaderConfig
from training.files import save_module
from training.models.syncnet2d import Sync2DConfig, SyncNet2D
from training.teacher.own import Ears
from training.teacher.protocol import Teacher, TeacherError
from training.teacher.recorded import RecordedTeacher, audio_of, names_in, without_mark
from training.teacher.select import COLUMNS, Comparison, best_teacher, compare, table
from training.teacher.sheets import film_sheet
from training.teacher.voices import Voice
from training.teacher.yardsticks import EnergyMouth, NearestMouth, RealLips, StillMouth

SECOND = np.zeros(16000, np.float32)


def ramps(frames: int, side: int = 96) -> np.ndarray:
    """Flat grey pictures, (frames, side, side), two levels brighter every frame."""
    levels = (40 + 2 * np.arange(frames)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None], (frames, side, side)).copy()


def write_video(path, pictures):
    """A grey film at 25 fps."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width = stream.height = pictures.shape[1]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, "gray")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


@pytest.fixture
def folder(tmp_path):
    """A folder of recorded films as published: NAME.mp4 and, for one, NAME.npz."""
    write_video(tmp_path / "a.mp4", ramps(30))
    write_video(tmp_path / "b.mp4", ramps(10))
    write_video(tmp_path / "big.mp4", ramps(3, 128))
    np.savez(tmp_path / "a.npz", audio="speech/part/a.opus", fps=np.float32(25))
    return tmp_path


def test_a_recorded_film_is_found_by_name_and_fitted_to_the_sound(folder):
    teacher = RecordedTeacher(folder)
    assert isinstance(teacher, Teacher)
    assert names_in(folder) == ["a", "b", "big"]
    film = teacher.mouths(SECOND, "a")
    assert film.shape == (25, 96, 96)
    np.testing.assert_allclose(film[:, 48, 48], np.arange(25) * 2 + 40, atol=3)
    short = teacher.mouths(SECOND, "b")
    assert short.shape == (25, 96, 96)
    assert np.array_equal(short[9], short[24])


def test_the_sound_of_a_recorded_film(folder):
    assert audio_of(folder, "a") == "speech/part/a.opus"
    assert audio_of(folder, "b") is None


def test_the_mark_is_painted_over_with_the_skin_beside_it():
    film = np.random.default_rng(0).integers(0, 99, (2, 96, 96), np.uint8)
    film[:, 80:, 70:] = 255
    clean = without_mark(film, (68, 76))
    assert clean.max() < 99
    np.testing.assert_array_equal(clean[:, :76], film[:, :76])
    np.testing.assert_array_equal(clean[:, :, :68], film[:, :, :68])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("c", "no recorded mouth for 'c'; .* holds 3, for example a"), ("big", r"found \(128, 128\)")],
)
def test_a_missing_or_wrong_film_costs_one_sentence(folder, name, sentence):
    with pytest.raises(TeacherError, match=sentence):
        RecordedTeacher(folder).mouths(SECOND, name)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(TeacherError, match="holds no film; needed are NAME.mp4, 96 x 96"):
        RecordedTeacher(tmp_path)


def test_real_lips_are_looked_up():
    lips = RealLips({"a": ramps(30)})
    np.testing.assert_array_equal(lips.mouths(SECOND, "a"), ramps(25))
    with pytest.raises(TeacherError, match="no real lips for 'b'"):
        lips.mouths(SECOND, "b")


def test_a_still_mouth_is_still():
    film = StillMouth(ramps(1)[0], "mean mouth").mouths(SECOND)
    assert film.shape == (25, 96, 96)
    assert (film == film[0]).all()


def test_the_mouth_opens_with_the_loudness():
    closed, opened = np.zeros((96, 96), np.uint8), np.full((96, 96), 200, np.uint8)
    sound = np.random.default_rng(0).normal(size=32000).astype(np.float32)
    sound[16000:] *= 1e-3
    film = EnergyMouth(closed, opened).mouths(sound)
    assert film.shape == (50, 96, 96)
    assert film[5:20].mean() > 120
    assert film[30:45].mean() < 40


def test_the_nearest_neighbour_gives_back_what_it_has_heard():
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(50, 60)).astype(np.float16) for _ in range(3)]
    films = [rng.integers(0, 256, (25, 96, 96), np.uint8) for _ in range(3)]
    teacher = NearestMouth(Ears(packed={"heard": features[1]}), features, films)
    np.testing.assert_array_equal(teacher.mouths(SECOND, "heard"), films[1])


@pytest.fixture(scope="module")
def small_reader():
    torch.manual_seed(0)
    return LipReader(LipReaderConfig(channels=(2, 2, 2, 2), width=8, blocks=1)).eval()


def test_every_teacher_gets_every_column(small_reader):
    torch.manual_seed(0)
    expert = SyncNet2D(Sync2DConfig(channels=2, width=8, size=8, pictures=(4, 4, 4, 4))).eval()
    sound = np.random.default_rng(0).normal(size=48000).astype(np.float32) * 0.1
    voices = [Voice("bbaf2n", sound, ("B", "IH", "N")), Voice("lwae8p", sound, ("L", "EY"))]
    teachers = [StillMouth(ramps(1)[0]), RealLips({v.name: ramps(75) for v in voices})]
    found = compare("toys", teachers, voices, small_reader, expert, grid=True)
    assert list(found.scores) == ["frozen mouth", "real lips"]
    for columns in found.scores.values():
        assert set(columns) == set(COLUMNS)
        assert all(len(values) == 2 for values in columns.values())
    assert (found.scores["frozen mouth"]["confidence"] == 0).all()
    assert (found.scores["frozen mouth"]["in step"] == 0).all()
    assert "| frozen mouth |" in table(found)


def scores(phones: float, certain: float) -> dict[str, np.ndarray]:
    values = {column: np.array([np.nan]) for column in COLUMNS}
    return values | {"phones": np.array([phones]), "LSE-C": np.array([certain])}


def test_the_best_reads_well_and_keeps_step():
    found = Comparison("toys", {"real lips": scores(0.1, 9), "good": scores(0.4, 6),
                                "late": scores(0.4, 2), "mute": scores(0.9, 5)})  # fmt: skip
    assert best_teacher(found, ["late", "good", "mute", "absent"]) == "good"
    assert best_teacher(found, ["mute", "late"]) == "late"  # a tie: the lips decide
    with pytest.raises(ValueError, match="no teacher was compared on toys"):
        best_teacher(found, ["absent"])


def test_a_table_has_means_with_intervals():
    found = Comparison("x", {"a": scores(0.25, 3.0)})
    row = table(found).splitlines()[2]
    assert "0.250 (0.250 .. 0.250)" in row
    assert "| - |" in row


def test_targets_are_the_readers_features_of_every_clip(small_reader, tmp_path, monkeypatch):
    save_module(small_reader, tmp_path / "experts", "lipreader_loss", half=False)
    voices = [Voice("a", SECOND, ()), Voice("b", SECOND[:8000], ())]
    monkeypatch.setattr(targets, "voices_of", lambda data, cache, part: iter(voices))
    monkeypatch.setattr(
        targets, "teacher_of", lambda kind, options, part: RealLips({n: ramps(25) for n in "ab"})
    )
    targets.main(["part", "--data", str(tmp_path), "--cache", str(tmp_path), "--teacher", "real"])
    with np.load(tmp_path / "teacher" / "features_part.real.npz", allow_pickle=False) as file:
        assert file["names"].tolist() == ["a", "b"]
        assert file["starts"].tolist() == [0, 25, 38]
        assert file["features"].shape == (38, 8)
        assert file["features"].dtype == np.float16
        film = torch.from_numpy(ramps(25))[None] / 255.0
        with torch.inference_mode():
            expected = small_reader.features(film)[0].numpy()
        np.testing.assert_allclose(file["features"][:25], expected, atol=0.1)


def test_a_sheet_has_a_row_a_film():
    sheet = film_sheet([ramps(10), ramps(10)], every=2, columns=3)
    assert sheet.shape == (192, 288)
    assert sheet[0, ::96].tolist() == [40, 44, 48]
