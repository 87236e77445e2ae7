"""Log-mel spectrogram in step with the pictures: four spectra for each frame of motion.

A hop of 10 ms does not divide a frame of 33.3 ms, so a spectrogram on a fixed hop drifts against
the mouth. Here spectrum k is centred on (k + 0.5) / 120 s; frame i of 30 fps motion, which is
centred on (i + 0.5) / 30 s, lies exactly in the middle of spectra 4 i .. 4 i + 3.

The mel scale and the area normalisation are Slaney's (Auditory Toolbox, 1998), as in librosa; the
filters are computed here because importing librosa costs more than a whole take.
"""

from functools import lru_cache

import numpy as np
import torch

SAMPLE_RATE = 16000  # Hz
PER_FRAME = 4  # spectra a frame of motion
MEL_RATE = 120  # spectra a second = PER_FRAME * 30 fps
WINDOW = 400  # samples = 25 ms
N_FFT = 512
BANDS = 80
F_MIN, F_MAX = 55.0, 7600.0  # Hz
FLOOR = 1e-5  # power added before the logarithm: about 60 dB under speech at -23 dBFS
_CHUNK = 4096  # spectra computed at once: bounds memory for hour-long recordings


def hz_to_mel(hz: np.ndarray) -> np.ndarray:
    """Slaney's mel scale: linear up to 1 kHz (3 mel per 200 Hz), logarithmic above."""
    hz = np.asarray(hz, np.float64)
    log = 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) * (27.0 / np.log(6.4))
    return np.where(hz < 1000.0, hz * 3.0 / 200.0, log)


def mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    return np.where(
        mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0))
    )


@lru_cache(maxsize=64)
def filterbank(warp: float = 1.0, n_fft: int = N_FFT) -> torch.Tensor:
    """Triangular mel filters, (BANDS, n_fft // 2 + 1) float32.

    warp: the filters' frequencies are multiplied by it, which is what another length of vocal
    tract does to a voice's formants (training uses 0.85 .. 1.2; 1.0 is the plain filterbank).
    """
    edges = mel_to_hz(np.linspace(*hz_to_mel(np.array([F_MIN, F_MAX])), BANDS + 2))
    edges = np.minimum(edges * warp, SAMPLE_RATE / 2)
    bins = np.linspace(0.0, SAMPLE_RATE / 2, n_fft // 2 + 1)
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise = (bins - low) / np.maximum(mid - low, 1e-6)
    fall = (high - bins) / np.maximum(high - mid, 1e-6)
    area = 2.0 / np.maximum(high - low, 1e-6)
    return torch.from_numpy((np.maximum(0.0, np.minimum(rise, fall)) * area).astype(np.float32))


def power_spectra(samples: torch.Tensor, frames: int, rate: float = MEL_RATE) -> torch.Tensor:
    """Power spectra of Hann windows, (batch, frames * 4, N_FFT // 2 + 1).

    samples: (batch, n) float32 at 16 kHz; sound missing at either end counts as silence.
    rate: spectra a second, four times the frame rate of the pictures.
    """
    count = frames * PER_FRAME
    window = torch.hann_window(WINDOW, device=samples.device)
    steps = torch.arange(count, device=samples.device) + 0.5
    centres = (steps * (SAMPLE_RATE / rate)).round()
    last = int(centres[-1]) + WINDOW if count else WINDOW
    padded = torch.nn.functional.pad(samples, (WINDOW, max(0, last - samples.shape[1])))
    windows = padded.unfold(1, WINDOW, 1)  # a view: no memory until it is indexed
    blocks = []
    for at in range(0, count, _CHUNK):
        starts = centres[at : at + _CHUNK].long() + WINDOW // 2
        spectrum = torch.fft.rfft(windows[:, starts] * window, n=N_FFT)
        blocks.append(spectrum.real.square() + spectrum.imag.square())
    if not blocks:
        return samples.new_zeros((len(samples), 0, N_FFT // 2 + 1))
    return torch.cat(blocks, dim=1)


def log_mel(samples: torch.Tensor, frames: int, rate: float = MEL_RATE) -> torch.Tensor:
    """Natural logarithm of mel power + FLOOR, shifted and scaled to about -1 .. 1.

    samples: (n,) or (batch, n) float32 at 16 kHz -> (frames * 4, BANDS) or (batch, ...).
    rate: as in `power_spectra`.
    """
    batch = samples[None] if samples.ndim == 1 else samples
    mel = compress(power_spectra(batch, frames, rate) @ filterbank().to(batch.device).T)
    return mel[0] if samples.ndim == 1 else mel


def compress(mel_power: torch.Tensor) -> torch.Tensor:
    """Mel power to the network's input: log, centre between floor and loud speech, scale."""
    return (torch.log(mel_power + FLOOR) + 5.0) / 5.0
