"""A user's Wav2Lip checkpoint: published sizes and names, its mel, its mouth in our frame."""

import numpy as np
import pytest
import torch

from training.teacher.protocol import Teacher, TeacherError
from training.teacher.wav2lip import (
    FacePoints,
    Wav2LipTeacher,
    load_wav2lip,
    mel_windows,
    mouth_crop,
    wav2lip_mel,
)
from training.teacher.wav2lip_net import Wav2Lip

POINTS = FacePoints((40, 60), (90, 60), (65, 110))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Wav2Lip().eval()


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    """As published: under "state_dict", names as DataParallel leaves them."""
    path = tmp_path_factory.mktemp("w2l") / "wav2lip.pth"
    tensors = {f"module.{k}": v for k, v in model.state_dict().items()}
    torch.save({"state_dict": tensors, "optimizer": None, "global_step": 7}, path)
    return path


def test_the_published_number_of_parameters(model):
    assert sum(p.numel() for p in model.parameters()) == 36_298_035


def test_published_names_and_sizes(model):
    tensors = model.state_dict()
    published = {
        "face_encoder_blocks.0.0.conv_block.0.weight": (16, 6, 7, 7),
        "face_encoder_blocks.2.3.conv_block.1.running_var": (64,),
        "face_encoder_blocks.6.1.conv_block.0.weight": (512, 512, 1, 1),
        "audio_encoder.0.conv_block.0.weight": (32, 1, 3, 3),
        "audio_encoder.12.conv_block.0.bias": (512,),
        "face_decoder_blocks.1.0.conv_block.0.weight": (1024, 512, 3, 3),
        "face_decoder_blocks.6.0.conv_block.0.weight": (160, 64, 3, 3),
        "face_decoder_blocks.6.2.conv_block.0.weight": (64, 64, 3, 3),
        "output_block.0.conv_block.0.weight": (32, 80, 3, 3),
        "output_block.1.weight": (3, 32, 1, 1),
    }
    for name, shape in published.items():
        assert tuple(tensors[name].shape) == shape, name


def test_faces_come_out(model):
    with torch.inference_mode():
        made = model(torch.zeros(1, 1, 80, 16), torch.rand(1, 6, 96, 96))
    assert made.shape == (1, 3, 96, 96)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_a_checkpoint_is_read_as_published(checkpoint, model):
    back = load_wav2lip(checkpoint)
    mine = model.state_dict()
    assert all(torch.equal(v, mine[k]) for k, v in back.state_dict().items())
    assert not any(p.requires_grad for p in back.parameters())


class Trap:
    def __reduce__(self):
        return print, ("a checkpoint must not run code",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a checkpoint", "holds no plain PyTorch tensors"),
        ({"state_dict": {"weight": torch.zeros(2)}}, "1 parameters that are not Wav2Lip's"),
        ({"state_dict": {}}, "no parameters by name"),
        (torch.zeros(3), "no parameters by name"),
        ({"state_dict": Trap()}, "holds no plain PyTorch tensors"),
        (None, "no checkpoint other.pth"),
    ],
)
def test_a_wrong_file_costs_one_sentence(tmp_path, content, sentence, capsys):
    path = tmp_path / "other.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(TeacherError, match=sentence) as caught:
        load_wav2lip(path)
    assert "accepted is a checkpoint of the published 96-pixel generator" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not capsys.readouterr().out


def test_the_mel_equals_a_slow_one():
    sound = np.random.default_rng(0).normal(size=4000).astype(np.float32) * 0.1
    sharp = sound - 0.97 * np.concatenate([[0], sound[:-1]])
    padded = np.pad(sharp, 400, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 800)
    mel = wav2lip_mel(sound).numpy()
    assert mel.shape == (80, 4000 // 200 + 1)
    librosa = pytest.importorskip("librosa")
    bands = librosa.filters.mel(sr=16000, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    for step in (0, 7, 20):
        power = np.abs(np.fft.rfft(padded[200 * step :][:800] * window))
        decibel = 20 * np.log10(np.maximum(1e-5, bands @ power)) - 20
        naive = np.clip(8 * (decibel + 100) / 100 - 4, -4, 4)
        np.testing.assert_allclose(mel[:, step], naive, atol=1e-3)


def test_silence_is_the_lowest_value_and_short_sound_is_no_error():
    assert float(wav2lip_mel(np.zeros(1600)).max()) == -4
    assert mel_windows(np.zeros(10, np.float32), 1).shape == (1, 1, 80, 16)


def test_a_picture_hears_from_one_frame_before_it():
    sound = np.random.default_rng(1).normal(size=32000).astype(np.float32)
    mel, windows = wav2lip_mel(sound), mel_windows(sound, 50)
    for frame in (1, 2, 10, 33):
        start = int((frame - 1) * 3.2)
        torch.testing.assert_close(windows[frame, 0], mel[:, start : start + 16])
    torch.testing.assert_close(windows[0], windows[1])
    torch.testing.assert_close(windows[49, 0], mel[:, -16:])


def test_the_crop_is_centred_on_the_lips_and_1_6_eye_distances_wide():
    face = torch.zeros(1, 3, 160, 130)
    face[:, :, 110, 65] = 1.0  # lips
    crop = mouth_crop(face, POINTS)[0]
    row, column = divmod(int(crop.argmax()), 96)
    assert (row, column) == (pytest.approx(47.5, abs=1), pytest.approx(47.5, abs=1))
    mark = torch.zeros(1, 3, 160, 130)
    mark[:, :, 108:113, 80:83] = 1.0  # 16 pixels right of the lips = 0.2 of the side of 80
    seen = mouth_crop(mark, POINTS)[0].nonzero().float().mean(0)
    assert float(seen[1]) == pytest.approx(47.5 + 0.2 * 96, abs=1.5)


def test_a_tilted_head_is_put_upright():
    tilted = FacePoints((40, 50), (80, 80), (45, 105))  # eyes 50 apart, lips below their middle
    face = torch.zeros(1, 3, 160, 130)
    face[:, :, 50 - 1 : 52, 40 - 1 : 42] = 1.0
    # The left eye lies 42.7 above and 25 left of the lips along the head's own axes.
    crop = mouth_crop(face, FacePoints(tilted.left_eye, tilted.right_eye, (55, 80)))[0]
    along = np.array([0.8, 0.6])
    across = np.array([-0.6, 0.8])
    off = np.array([40, 50]) - np.array([55, 80])
    expected = 47.5 + np.array([off @ across, off @ along]) * 96 / 80
    seen = crop.nonzero().float().mean(0).numpy()
    np.testing.assert_allclose(seen, expected, atol=1.5)


def test_a_photo_speaks(model):
    face = np.random.default_rng(0).integers(0, 256, (160, 130, 3), np.uint8)
    teacher = Wav2LipTeacher(model, face, POINTS)
    film = teacher.mouths(np.zeros(1280, np.float32))
    assert isinstance(teacher, Teacher)
    assert film.shape == (2, 96, 96)
    assert film.dtype == np.uint8
    assert float(teacher.face[:, :3, 48:].abs().max()) == 0  # lower half masked
    with pytest.raises(TeacherError, match=r"float64 \(9, 9\); need uint8"):
        Wav2LipTeacher(model, np.zeros((9, 9)), POINTS)
