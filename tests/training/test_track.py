"""The whole way from videos to clips, with a tracker that knows what it will see."""

from types import SimpleNamespace

import numpy as np
import pytest
from trackable import SIZE, FakeTracker, buzz, numbered, points_of, write_video

from l2t.face import FaceTemplate
from l2t.metrics import lip_opening
from l2t.motion import ARKIT_NAMES
from training.data import targets, track, track_speaker
from training.data.clips import RIGID, load_clip, names_of
from training.data.mouths import decode_mouth
from training.data.track_faces import INDEX, Faces, NoTracker, Tracker, TrackError
from training.data.track_lag import Lag
from training.data.track_pose import REST, head_transform

JAW = ARKIT_NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


def talk(frames, fps, rate=2.0):
    """A jaw that opens and closes `rate` times a second, (frames, 52)."""
    arkit = np.zeros((frames, 52), np.float32)
    times = (np.arange(frames) + 0.5) / fps
    arkit[:, JAW] = 0.5 * np.clip(np.sin(2 * np.pi * rate * times), 0, 1)
    return arkit


def test_weights_come_back_from_what_the_tracker_saw(template, tmp_path):
    arkit = talk(90, 30)
    video = write_video(tmp_path / "talk.mp4", numbered(90), 30, buzz(3.0))
    (tmp_path / "talk.align").write_text("0 25000 hello\n25000 75000 world\n")
    tracker = FakeTracker(points_of(template, arkit), lost=(40, 41))
    out = tmp_path / "clips"
    names, trouble = track_speaker.track_speaker([video], out, tracker, template, None)
    assert (names, trouble) == (["talk"], [])
    clip = load_clip(out / "talk.npz")
    assert len(clip.valid) == 75
    assert 1 <= (~clip.valid).sum() <= 2
    assert clip.words == ("hello", "world")
    fitted = np.zeros((75, 52), np.float32)
    for column, name in enumerate(clip.arkit_names[1:], start=1):
        fitted[:, ARKIT_NAMES.index(name)] = clip.arkit[:, column]
    truth = lip_opening(template, talk(75, 25))
    assert np.corrcoef(lip_opening(template, fitted), truth)[0, 1] > 0.97
    assert np.corrcoef(fitted[:, JAW], talk(75, 25)[:, JAW])[0, 1] > 0.97
    assert fitted[:, JAW].max() == pytest.approx(0.5, abs=0.15)
    assert decode_mouth(out / "talk.mp4").shape == (75, 96, 96)
    targets.main([str(out), "--out", str(tmp_path / "targets.npz")])
    with np.load(tmp_path / "targets.npz", allow_pickle=False) as file:
        assert file["arkit"].shape == (1, 90, 52)
        again = lip_opening(template, file["arkit"][0])
    assert np.corrcoef(again, lip_opening(template, arkit))[0, 1] > 0.97


def test_a_sure_lag_moves_the_sound_and_its_words_and_an_unsure_one_does_not(
    template, tmp_path, monkeypatch
):
    video = write_video(tmp_path / "a.mkv", numbered(50), 25, buzz(2.0))
    (tmp_path / "a.align").write_text("12500 25000 word\n")
    tracker, starts = FakeTracker(points_of(template, talk(50, 25))), {}
    for sure in (True, False):
        lag = Lag(0.2, 0.3, sure, "test")
        monkeypatch.setattr(track_speaker, "measure", lambda *_, lag=lag: lag)
        out, judges = tmp_path / str(sure), track_speaker.Judges()
        track_speaker.track_speaker([video], out, tracker, template, judges)
        starts[sure] = load_clip(out / "a.npz").word_times[0, 0]
        with np.load(out / "a.npz", allow_pickle=False) as file:
            assert float(file["lag_ms"]) == pytest.approx(200)
            assert float(file["shift_ms"]) == pytest.approx(200 if sure else 0)
    assert starts[True] - starts[False] == pytest.approx(0.2, abs=1e-3)


def test_the_expert_with_the_deeper_valley_is_believed(monkeypatch, tmp_path):
    take = SimpleNamespace(spans=(), names=(), samples=None, points=None)
    lags = {"by_pictures": Lag(0.1, 0.06, True, "2D expert"),
            "by_weights": Lag(0.04, 0.2, True, "3D expert"),
            "by_loudness": Lag(0.3, 0.9, False, "loudness")}  # fmt: skip
    for name, lag in lags.items():
        monkeypatch.setattr(track_speaker.track_lag, name, lambda *_, lag=lag: lag)

    def ask(**who):
        return track_speaker.measure(take, [], tmp_path, None, track_speaker.Judges(**who)).by

    assert ask(pictures=1, weights=1) == "3D expert"
    assert ask(pictures=1) == "2D expert"
    assert ask() == "loudness"


def test_videos_that_cannot_be_used_cost_a_sentence_and_the_others_go_on(template, tmp_path):
    good = write_video(tmp_path / "good.mp4", numbered(50), 25, buzz(2.0))
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"?")
    silent = write_video(tmp_path / "silent.mp4", numbered(50), 25, np.zeros(32000))
    tracker = FakeTracker(points_of(template, talk(50, 25)))
    videos = [junk, silent, good]
    out = tmp_path / "out"
    names, trouble = track_speaker.track_speaker(videos, out, tracker, template, None)
    assert names == names_of(out) == ["good"]
    assert [line.split(":")[0] for line in trouble] == ["junk.mp4", "silent.mp4"]


@pytest.mark.parametrize(("faces", "why"), [
    (Faces(np.zeros((50, 80, 3), np.float32), np.zeros(50, bool)), "found in 0 %"),
    (Faces(np.zeros((50, 80, 3), np.float32), np.ones(50, bool), crowd=0.6), "More than one face"),
])  # fmt: skip
def test_no_face_and_several_faces_are_told_apart(template, tmp_path, faces, why):
    video = write_video(tmp_path / "a.mp4", numbered(50), 25, buzz(2.0))
    _, trouble = track_speaker.track_speaker(
        [video], tmp_path / "out", lambda pictures: faces, template, None
    )
    assert why in trouble[0]


def test_a_long_video_becomes_several_numbered_clips(template, tmp_path):
    samples = buzz(13.0)
    samples[8 * 16000 : 9 * 16000] = 0
    video = write_video(tmp_path / "long.mp4", numbered(65), 5, samples)
    tracker = FakeTracker(points_of(template, talk(65, 5)))
    out = tmp_path / "out"
    names, _ = track_speaker.track_speaker([video], out, tracker, template, None)
    assert names == ["long_001", "long_002"]
    starts = []
    for name in names:
        with np.load(out / f"{name}.npz", allow_pickle=False) as file:
            starts.append(float(file["start_s"]))
            assert len(file["valid"]) == len(decode_mouth(out / f"{name}.mp4"))
    assert 7.75 < starts[1] < 9.0  # the last buzz ends at 7.75


def test_sub_folders_are_speakers(tmp_path):
    for place in ("a/x.mp4", "a/deep/y.mpg", "b/z.MOV", "top.webm", "a/notes.txt", "b/clips/z.mp4"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = track.find_videos([tmp_path], tmp_path / "b" / "clips")
    names = {speaker: [path.name for path in paths] for speaker, paths in found.items()}
    assert names == {"a": ["y.mpg", "x.mp4"], "b": ["z.MOV"], "": ["top.webm"]}
    with pytest.raises(TrackError, match="No video was found"):
        track.find_videos([], tmp_path)
    with pytest.raises(TrackError, match="no file or folder 'nothing'"):
        track.find_videos([tmp_path / "nothing"], tmp_path)


def test_without_mediapipe_the_command_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    def missing(self, pictures):
        raise NoTracker("mediapipe cannot be imported")

    monkeypatch.setattr(Tracker, "__call__", missing)
    video = write_video(tmp_path / "a.mp4", numbered(10), 25, buzz(1.0))
    assert track.main([str(video), str(tmp_path / "out"), "--keep-lag"]) == 1
    assert "mediapipe cannot be imported" in capsys.readouterr().err


@pytest.mark.parametrize("turn", [(0, 0, 0), (0.2, -0.4, 0.1), (-0.3, 0.5, 0.0)])
def test_the_heads_pose_is_found_again(turn):
    pitch, yaw, roll = turn
    cp, sp, cy, sy, cr, sr = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned, at = about_z @ about_y @ about_x, np.array([3.0, -2.0, -40.0])
    per_cm = SIZE / 2 / np.tan(np.radians(63) / 2) / 40.0
    camera = REST @ turned.T * per_cm
    points = np.zeros((1, len(INDEX), 3))
    at_px = [SIZE / 2 + at[0] * per_cm, SIZE / 2 - at[1] * per_cm, 0]
    columns = [list(INDEX).index(n) for n in RIGID]
    points[0, columns] = camera * [1, -1, -1] + at_px
    found = head_transform(points, SIZE, SIZE)[0]
    assert found[:3, :3] == pytest.approx(turned, abs=1e-4)
    assert found[:3, 3] == pytest.approx(at, abs=1e-2)
