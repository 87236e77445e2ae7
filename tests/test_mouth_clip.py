"""Films of a mouth from untrusted files: pictures in time, and one sentence for all others."""

import av
import numpy as np
import pytest

from l2t.errors import SpeechError
from l2t.mouth_clip import at_rate, load_mouths


def film(path, side=96, fps=25, frames=10):
    """A film that gets brighter."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=fps)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            grey = np.full((side, side, 3), 40 + 16 * i, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        out.mux(stream.encode(None))
    return path


def test_a_mouth_film_becomes_grey_pictures(tmp_path):
    mouths = load_mouths(film(tmp_path / "mouth.mp4"))
    assert mouths.shape == (10, 96, 96)
    assert (np.diff(mouths[:, 48, 48].astype(int)) > 5).all()


def test_another_size_or_no_film_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(SpeechError, match="64 x 64 pixels; accepted are 96 x 96"):
        load_mouths(film(tmp_path / "face.mp4", side=64))
    text = tmp_path / "text.mp4"
    text.write_text("no film at all\n" * 99)
    with pytest.raises(SpeechError, match="damaged"):
        load_mouths(text)


def test_pictures_are_taken_by_their_times():
    pictures = np.arange(6)[:, None, None] * np.ones((1, 2, 2), int)
    assert at_rate(pictures, 25.0)[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert at_rate(pictures, 50.0)[:, 0, 0].tolist() == [1, 3, 5]
    assert len(at_rate(pictures, 12.5)) == 12
