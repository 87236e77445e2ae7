"""Packs of mouth crops: what goes in comes out, whatever the clip's length; wrong sizes refused."""

import av
import numpy as np
import pytest

from training.data.mouths import FRAMES, decode_mouth, load_mouths, main, pack_mouths, to_length


def write_video(path, pictures):
    """Grey (frames, side, side) pictures as an mp4."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *pictures.shape[1:], "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, 2), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def ramps(frames: int, side: int = 96) -> np.ndarray:
    """Flat pictures that brighten by two grey levels a frame."""
    return np.repeat(np.arange(frames, dtype=np.uint8)[:, None, None] * 2 + 40, side * side, 1
                     ).reshape(frames, side, side)  # fmt: skip


def test_the_command_packs_a_folder_in_the_order_of_names(tmp_path):
    folder = tmp_path / "grid_s9"
    folder.mkdir()
    for name, pictures in (("b", ramps(4)), ("a", ramps(3)[::-1])):
        write_video(folder / f"{name}.mp4", pictures)
        (folder / f"{name}.npz").touch()
    main(["grid_s9", "--data", str(tmp_path), "--out", str(tmp_path / "mouths")])
    names, packed = load_mouths(tmp_path, "grid_s9")
    assert names == ["a", "b"]
    assert packed.shape == (2, FRAMES, 96, 96)
    assert packed.dtype == np.uint8
    np.testing.assert_allclose(packed[0, :4, 48, 48], [44, 42, 40, 40], atol=3)
    np.testing.assert_allclose(packed[1, :4, 48, 48], [40, 42, 44, 46], atol=3)


def test_short_clips_hold_their_last_picture_and_long_ones_are_cut():
    assert to_length(np.arange(3), 5).tolist() == [0, 1, 2, 2, 2]
    assert to_length(np.arange(3), 2).tolist() == [0, 1]


def test_another_size_is_named(tmp_path):
    write_video(tmp_path / "big.mp4", ramps(2, 128))
    with pytest.raises(ValueError, match=r"big.mp4: found \(128, 128\); need .* 96 x 96"):
        decode_mouth(tmp_path / "big.mp4")


def test_names_and_pictures_must_agree(tmp_path):
    pack_mouths(tmp_path / "mouths", "x", ["a"], [ramps(2)], frames=2)
    (tmp_path / "mouths" / "x.json").write_text('{"fps": 25, "names": ["a", "b"]}')
    with pytest.raises(ValueError, match="names 2 clips"):
        load_mouths(tmp_path, "x")


def test_a_missing_picture_leaves_no_pack(tmp_path):
    with pytest.raises(ValueError, match="zip"):
        pack_mouths(tmp_path / "mouths", "x", ["a", "b"], [ramps(2)], frames=2)
    assert not (tmp_path / "mouths" / "x.npy").exists()
