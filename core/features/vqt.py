"""Dual-window variable-Q transform: what the pitch network hears.

Three bins per semitone over 102 semitones from A0, twice: long windows resolve pitch, short windows
keep onsets sharp in the bass. Levels are decibels scaled to about 0..2.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

SAMPLE_RATE_HZ = 22_050
HOP_SAMPLES = 441
FRAMES_PER_S = SAMPLE_RATE_HZ / HOP_SAMPLES
BINS_PER_SEMITONE = 3
SEMITONES = 102
BINS = SEMITONES * BINS_PER_SEMITONE
LOWEST_PITCH_HZ = 27.5
CONTEXT_SAMPLES = 4096  # half the longest window: what a frame hears on either side of its centre
QUIETEST = 1e-4  # amplitude that becomes level 0; -80 dB


@dataclass(frozen=True, slots=True)
class WindowSet:
    """How long the windows are: a share of constant Q, shortened in the bass by `gamma_hz`."""

    q_share: float
    gamma_hz: float


LONG_WINDOWS = WindowSet(q_share=1.0, gamma_hz=2.8)  # at most 0.30 s
SHORT_WINDOWS = WindowSet(q_share=0.5, gamma_hz=12.0)  # at most 0.08 s
WINDOW_SETS = (LONG_WINDOWS, SHORT_WINDOWS)


@dataclass(frozen=True, slots=True)
class _KernelGroup:
    """The bins of one window set that share a transform length."""

    window_set: int
    fft_samples: int
    first_bin: int
    end_bin: int
    first_row: int
    end_row: int


class DualWindowVqt(nn.Module):
    """Audio [batch, sample] at 22 050 Hz to levels [batch, window, frame, bin].

    Frame f is centred on sample f * HOP_SAMPLES; audio is taken to be silent beyond its ends, and
    there are as many frames as whole hops. With `tuning_cents` all bins lie that much higher, for
    music that was tuned so.
    """

    def __init__(self, tuning_cents: float = 0.0) -> None:
        super().__init__()
        self._groups: list[_KernelGroup] = []
        bins = np.arange(BINS) - BINS_PER_SEMITONE // 2
        bin_hz = LOWEST_PITCH_HZ * 2 ** (bins / (12 * BINS_PER_SEMITONE) + tuning_cents / 1200)
        for window_set in range(len(WINDOW_SETS)):
            lengths = _window_samples(bin_hz, WINDOW_SETS[window_set])
            sizes = 2 ** np.ceil(np.log2(np.maximum(lengths, 256))).astype(int)
            for fft_samples in sorted({int(size) for size in sizes}):
                members = np.flatnonzero(sizes == fft_samples)
                kernel = _spectral_kernel(bin_hz[members], lengths[members], fft_samples)
                self._add_group(kernel, window_set, fft_samples, members)

    def forward(self, audio: Tensor) -> Tensor:
        """Return levels [batch, window, frame, bin]."""
        frames = audio.shape[1] // HOP_SAMPLES
        padded = nn.functional.pad(audio, (CONTEXT_SAMPLES, CONTEXT_SAMPLES + HOP_SAMPLES))
        return self.levels_of_padded(padded, frames)

    def levels_of_padded(self, padded: Tensor, frames: int) -> Tensor:
        """Return levels [batch, window, frame, bin] of audio that brings its own context.

        `padded` [batch, sample] starts CONTEXT_SAMPLES before the centre of the first frame and
        reaches as far past the centre of the last.
        """
        levels = padded.new_zeros(padded.shape[0], len(WINDOW_SETS), frames, BINS)
        spectra: dict[int, Tensor] = {}
        for number, group in enumerate(self._groups):
            size = group.fft_samples
            if size not in spectra:
                windows = padded[:, CONTEXT_SAMPLES - size // 2 :].unfold(1, size, HOP_SAMPLES)
                spectra[size] = torch.fft.rfft(windows[:, :frames])
            rows = spectra[size][..., group.first_row : group.end_row]
            real, imaginary = rows.real.contiguous(), rows.imag.contiguous()
            kernel_real = self.get_buffer(f"kernel_real_{number}")
            kernel_imaginary = self.get_buffer(f"kernel_imaginary_{number}")
            power = (real @ kernel_real - imaginary @ kernel_imaginary) ** 2
            power += (real @ kernel_imaginary + imaginary @ kernel_real) ** 2
            part = levels[:, group.window_set, :, group.first_bin : group.end_bin]
            part.copy_(torch.sqrt(power + 1e-12))
        return (20 * torch.log10(levels + QUIETEST) + 80) / 40

    def _add_group(
        self,
        kernel: npt.NDArray[np.complex128],
        window_set: int,
        fft_samples: int,
        members: npt.NDArray[np.intp],
    ) -> None:
        """Keep the rows of a kernel [row, bin] that matter; the rest is below -74 dB."""
        strength = np.abs(kernel).max(1)
        rows = np.flatnonzero(strength > strength.max() * 2e-4)
        first_row, end_row = int(rows[0]), int(rows[-1]) + 1
        number = len(self._groups)
        self._groups.append(
            _KernelGroup(
                window_set=window_set,
                fft_samples=fft_samples,
                first_bin=int(members[0]),
                end_bin=int(members[-1]) + 1,
                first_row=first_row,
                end_row=end_row,
            )
        )
        kept = kernel[first_row:end_row]
        for name, part in (("real", kept.real), ("imaginary", kept.imag)):
            values = torch.tensor(part, dtype=torch.float32)
            # Computed, never loaded: the transform is no part of the weights.
            self.register_buffer(f"kernel_{name}_{number}", values, persistent=False)


def _window_samples(
    bin_hz: npt.NDArray[np.float64], window_set: WindowSet
) -> npt.NDArray[np.float64]:
    q = window_set.q_share / (2 ** (1 / 36) - 1)
    return np.asarray(SAMPLE_RATE_HZ / (bin_hz / q + window_set.gamma_hz), np.float64)


def _spectral_kernel(
    bin_hz: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64], fft_samples: int
) -> npt.NDArray[np.complex128]:
    """Return the conjugate spectrum of each bin's windowed sinusoid [row, bin]."""
    kernel = np.zeros((fft_samples, len(bin_hz)), np.complex128)
    for column, (frequency_hz, length) in enumerate(zip(bin_hz, lengths, strict=True)):
        odd_length = int(length) | 1
        offsets = np.arange(odd_length) - odd_length // 2
        window = np.hanning(odd_length + 2)[1:-1]
        window /= window.sum()
        turns = 2j * np.pi * frequency_hz / SAMPLE_RATE_HZ * offsets
        kernel[fft_samples // 2 + offsets, column] = window * np.exp(turns)
    spectrum = np.fft.fft(kernel, axis=0)[: fft_samples // 2 + 1]
    return np.asarray(spectrum.conj() / fft_samples * 2, np.complex128)
