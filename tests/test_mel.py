"""Log-mel: equal to librosa's filters, in step with the frames, the same in pieces."""

import numpy as np
import pytest
import torch

from l2t.mel import BANDS, FLOOR, MEL_RATE, PER_FRAME, WINDOW, filterbank, log_mel, power_spectra


@pytest.fixture(scope="module")
def noise():
    return torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32))


def test_filters_equal_librosa():
    import librosa

    theirs = librosa.filters.mel(sr=16000, n_fft=512, n_mels=BANDS, fmin=55.0, fmax=7600.0)
    np.testing.assert_allclose(filterbank().numpy(), theirs, atol=1e-7)


def test_warped_filters_move_up_in_frequency():
    plain, warped = filterbank().numpy(), filterbank(1.1).numpy()
    bins = np.linspace(0, 8000, 257)
    middle = (plain[40] @ bins) / plain[40].sum()
    assert (warped[40] @ bins) / warped[40].sum() == pytest.approx(1.1 * middle, rel=0.02)


def test_spectra_equal_a_naive_loop(noise):
    frames = 7
    ours = power_spectra(noise[None], frames)[0].numpy()
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    for k in range(frames * PER_FRAME):
        centre = round((k + 0.5) * 16000 / MEL_RATE)
        at = np.arange(WINDOW) + centre - WINDOW // 2
        inside = (at >= 0) & (at < len(noise))
        piece = np.where(inside, noise.numpy()[np.clip(at, 0, len(noise) - 1)], 0.0)
        naive = np.abs(np.fft.rfft(piece * window, 512)) ** 2
        np.testing.assert_allclose(ours[k], naive, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("frame", [0, 10, 29])
def test_a_click_in_a_frame_is_heard_in_its_four_spectra(frame):
    samples = torch.zeros(16000)
    samples[round((frame + 0.5) / 30 * 16000)] = 1.0
    power = power_spectra(samples[None], 30)[0].sum(-1).reshape(30, PER_FRAME).sum(-1)
    assert int(power.argmax()) == frame


def test_silence_is_the_floor_and_missing_sound_is_silence(noise):
    silent = log_mel(torch.zeros(1600), 3)
    np.testing.assert_allclose(silent.numpy(), (np.log(FLOOR) + 5) / 5, rtol=1e-5)
    longer = log_mel(noise, 40)
    assert longer.shape == (160, BANDS)
    np.testing.assert_allclose(longer[140:].numpy(), (np.log(FLOOR) + 5) / 5, rtol=1e-5)


def test_no_frames_and_no_sound():
    assert log_mel(torch.zeros(100), 0).shape == (0, BANDS)
    assert torch.isfinite(log_mel(torch.zeros(0), 2)).all()


def test_a_batch_equals_its_members(noise):
    both = log_mel(torch.stack([noise, noise * 0.5]), 30)
    torch.testing.assert_close(both[1], log_mel(noise * 0.5, 30))


def test_long_sound_in_blocks_equals_a_part_of_it():
    long = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, 16000 * 40).astype(np.float32))
    whole, tail = log_mel(long, 1200), log_mel(long[30 * 16000 :], 300)
    torch.testing.assert_close(whole[-1180:], tail[-1180:], rtol=1e-4, atol=1e-4)
