"""Films: what is in the file, and what is left when something goes wrong."""

import os
from pathlib import Path

import numpy as np
import pytest
from films import family, read, tone

from l2t.errors import Cancelled, OutputError, RenderError
from l2t.render import write_film
from l2t.render.encoder import Encoder
from l2t.render.film import write_sound

SIZE, FPS = 256, 30.0


def bars(count, broken_at=None):
    """Frames with a white bar that moves down, four rows a frame."""
    for k in range(count):
        if k == broken_at:
            raise ValueError("the brush broke")
        frame = np.full((SIZE, SIZE, 3), (200, 40, 40), np.uint8)
        frame[4 * k : 4 * k + 8] = 250
        yield frame


def ffmpegs():
    """Process ids below this one that are called ffmpeg."""
    below = family(os.getpid()) - {os.getpid()}
    return [p for p in below if "ffmpeg" in Path(f"/proc/{p}/comm").read_text()]


@pytest.mark.parametrize("seconds", [0.2, 1.0, 1.31])
def test_what_browsers_play(tmp_path, seconds):
    count = int(np.ceil(seconds * FPS))
    path = write_film(tmp_path / "a.mp4", bars(count), FPS, tone(seconds))
    facts, frames, _ = read(path)
    assert (facts.video, facts.pix_fmt, facts.fps) == ("h264", "yuv420p", 30.0)
    assert (facts.audio, facts.rate) == ("aac", 48000)
    assert len(frames) == count
    assert facts.seconds[0] == pytest.approx(count / FPS, abs=1e-3)
    assert facts.seconds[1] == pytest.approx(count / FPS, abs=0.5 / FPS)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # starts before it is all there


def test_pictures_keep_their_order_and_colour(tmp_path):
    _, frames, _ = read(write_film(tmp_path / "a.mp4", bars(30), FPS, tone(1.0)))
    for k, frame in enumerate(frames):
        bar = np.flatnonzero(frame[:, 128, 1] > 150)
        assert abs(bar.mean() - (4 * k + 3.5)) < 1.5
        assert np.abs(frame[200 if k < 40 else 10, 10].astype(int) - (200, 40, 40)).max() < 14


def test_sound_is_in_step(tmp_path):
    """A click at 0.5 s is heard at 0.5 s."""
    speech = tone(1.0)
    speech.samples[:] = 0
    speech.samples[8000:8160] = 0.9
    _, _, sound = read(write_film(tmp_path / "a.mp4", bars(30), FPS, speech))
    assert np.abs(sound).argmax() / 48000 == pytest.approx(0.505, abs=0.03)


def test_the_same_film_has_the_same_bytes(tmp_path):
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    first, second = (write_film(p, bars(10), FPS, tone(1 / 3)).read_bytes() for p in paths)
    assert first == second


def test_progress_ends_at_one(tmp_path):
    shares = []
    write_film(tmp_path / "a.mp4", bars(10), FPS, tone(1 / 3), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("case", ["broken brush", "cancelled", "too few", "wrong size"])
def test_nothing_is_left_behind(tmp_path, case):
    target = tmp_path / "a.mp4"
    target.write_bytes(b"the film of before")
    asked = iter(range(99))
    frames, kind, stop = bars(30), Cancelled, lambda: next(asked) > 8
    if case == "broken brush":
        frames, kind, stop = bars(30, broken_at=12), ValueError, None
    if case == "too few":
        frames, kind, stop = bars(12), RenderError, None
    if case == "wrong size":
        frames = (np.zeros((SIZE, SIZE + 2 * (k > 5), 3), np.uint8) for k in range(30))
        kind, stop = RenderError, None
    with pytest.raises(kind):
        write_film(target, frames, FPS, tone(1.0), cancelled=stop)
    assert ffmpegs() == []
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert target.read_bytes() == b"the film of before"


@pytest.mark.parametrize("name", ["missing/a.mp4", "folder.mp4", "a.avi", "a", "file.txt/a.mp4"])
def test_where_nothing_can_be_written(tmp_path, name):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file.txt").write_text("not a folder")
    with pytest.raises(OutputError) as caught:
        write_film(tmp_path / name, bars(3), FPS, tone(0.1))
    assert str(tmp_path) not in str(caught.value)
    assert ffmpegs() == []


def test_an_encoder_that_dies_is_reported(tmp_path):
    def frames():
        for k, frame in enumerate(bars(60)):
            if k == 20:
                for pid in ffmpegs():
                    os.kill(pid, 9)
            yield frame

    with pytest.raises(RenderError, match="encode"):
        write_film(tmp_path / "a.mp4", frames(), FPS, tone(2.0))
    assert list(tmp_path.iterdir()) == []
    assert ffmpegs() == []


def encoded(path: Path, count: int, sound: Path) -> str:
    """What is said of an attempt that fails."""
    encoder = Encoder(path, (SIZE, SIZE, 3), FPS, sound)
    noise = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)

    def all_of_it():
        for _ in range(count):
            encoder.write(noise)
        encoder.finish()

    try:
        with pytest.raises(RenderError) as caught:
            all_of_it()
    finally:
        encoder.kill()
    assert ffmpegs() == []
    return str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_full_disk_is_named_whenever_it_fills(tmp_path, count):
    """With one frame ffmpeg ends after the last, with five while they come, with 60 before."""
    write_sound(tmp_path / "sound.wav", np.zeros(16000, np.float32), count / FPS)
    (tmp_path / "film.mp4").symlink_to("/dev/full")
    said = encoded(tmp_path / "film.mp4", count, tmp_path / "sound.wav")
    assert said == "The film could not be encoded: the disk is full."


@pytest.mark.parametrize("count", [1, 60])
def test_another_reason_is_told_without_addresses_and_folders(tmp_path, count):
    (tmp_path / "sound.wav").write_bytes(b"RIFF, but no sound" * 9)
    said = encoded(tmp_path / "film.mp4", count, tmp_path / "sound.wav")
    assert said.startswith("The film could not be encoded: ")
    assert said.count(".") <= 2
    assert "0x" not in said
    assert str(tmp_path) not in said
    assert len(said) > len("The film could not be encoded: the encoder.")


def test_an_encoder_without_last_words_has_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.Popen.communicate", lambda *_, **__: (None, b""))
    write_sound(tmp_path / "sound.wav", np.zeros(16000, np.float32), 1.0)
    said = encoded(tmp_path / "no" / "film.mp4", 60, tmp_path / "sound.wav")
    assert said == "The film could not be encoded: the encoder stopped."
