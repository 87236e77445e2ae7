"""Pictures and sound of a video, on one clock."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from trackable import SIZE, buzz, number_of, numbered, write_video

from training.data.track_faces import TrackError
from training.data.track_video import clock, moved, nearest, pictures, shown, sound


def test_a_film_of_25_pictures_a_second_keeps_its_pictures(tmp_path):
    path = write_video(tmp_path / "a.mp4", numbered(30), 25, buzz(1.2))
    times, own = clock(shown(path))
    assert len(times) == 30
    assert nearest(times, own).tolist() == list(range(30))
    assert [number_of(p) for p in pictures(path)] == list(range(30))


@pytest.mark.parametrize("fps", [24, 30, 50])
def test_other_rates_are_resampled_by_time_not_by_number(tmp_path, fps):
    path = write_video(tmp_path / "a.mp4", numbered(2 * fps), fps)
    times, own = clock(shown(path))
    assert len(times) == 50
    assert np.abs(own[nearest(times, own)] - times).max() <= 0.5 / fps + 1e-6
    oracle = [int(np.argmin(np.abs(own - t))) for t in times]
    assert np.abs(own[oracle] - own[nearest(times, own)]).max() <= 1 / fps + 1e-6


def test_sound_that_begins_after_the_pictures_is_put_at_its_time(tmp_path):
    clicks = np.zeros(16000, np.float32)
    clicks[4000] = 0.9
    path = write_video(tmp_path / "a.mkv", numbered(30), 25, clicks, late=0.12)
    assert np.argmax(np.abs(sound(path))) == pytest.approx(4000 + 0.12 * 16000, abs=24)
    assert np.argmax(np.abs(sound(path, start=0.2))) == pytest.approx(4000 - 0.08 * 16000, abs=24)


def test_sound_is_moved_either_way_and_keeps_the_length_asked_for():
    samples = np.arange(1.0, 33.0, dtype=np.float32)
    assert moved(samples, 2 / 16000, 32)[:4].tolist() == [0, 0, 1, 2]
    early = moved(samples, -2 / 16000, 32)
    assert early[:2].tolist() == [3, 4]
    assert early[-2:].tolist() == [0, 0]
    assert len(early) == 32


def test_a_telephones_film_is_turned_upright(tmp_path):
    picture = np.full((SIZE, SIZE, 3), 40, np.uint8)
    picture[: SIZE // 4] = 220  # the sky
    lying = [np.rot90(picture, -1)] * 3  # as the sensor saw it
    path, turned = write_video(tmp_path / "a.mp4", lying), tmp_path / "turned.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90", "-i",
               str(path), "-c", "copy", str(turned)]  # fmt: skip
    subprocess.run(command, check=True, timeout=30)
    seen = next(pictures(turned))
    assert seen[: SIZE // 8].mean() > 180
    assert seen[SIZE // 2 :].mean() < 80


def test_oblong_pixels_are_made_square_and_large_pictures_smaller(tmp_path):
    plain = write_video(tmp_path / "a.mp4", [np.zeros((96, 2000, 3), np.uint8)] * 2)
    assert next(pictures(plain)).shape == (61, 1280, 3)
    path, oblong = write_video(tmp_path / "b.mp4", numbered(2)), tmp_path / "oblong.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-c", "copy",
               "-aspect", "3:2", str(oblong)]  # fmt: skip
    subprocess.run(command, check=True, timeout=30)
    assert next(pictures(oblong)).shape == (SIZE, 192, 3)


def test_what_is_no_video_costs_one_sentence(tmp_path):
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video")
    with pytest.raises(TrackError, match="cannot be read as a video"):
        shown(junk)
    with pytest.raises(TrackError, match="no sound"):
        sound(write_video(tmp_path / "mute.mp4", numbered(5)))
