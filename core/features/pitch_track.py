"""Where the pitch of a one-voiced sound may lie, frame by frame, to a cent or two.

Autocorrelation of windowed frames, divided by that of the window (Boersma 1993, "Accurate
short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound"), looked up at lags that are spaced as pitches are. Each octave has windows of its own, so
that a bass is resolved and a vibrato is not smeared.

The best few pitches of each octave are kept with their strengths: which of them a note is, only the
notes can tell.
"""

import numpy as np
import torch
from torch import Tensor, nn

SAMPLE_RATE_HZ = 22_050
HOP_SAMPLES = 224  # 10 ms, and a whole number of samples at an eighth of the rate
FRAMES_PER_S = SAMPLE_RATE_HZ / HOP_SAMPLES
LOWEST_PITCH = 22  # of the lowest octave; a bass of five strings goes down to 23
OCTAVES = 7
CANDIDATES = 3  # kept of each octave
MARGIN_SEMITONES = 3.5  # that an octave is searched beyond its own notes
GRID_SEMITONES = 1 / 6  # between lags; a parabola through three of them errs by under a cent
PERIODS = 3  # of an octave's lowest note, in a window
LEAST_WINDOW_SAMPLES = 512  # 23 ms; shorter ones gain nothing but noise
HARMONICS = 8  # of an octave's highest note; the peaks of more are too narrow for the grid
WEAKEST = 0.3  # share of the sound that repeats; what has less has no pitch
QUIETEST_RMS = 3e-5  # -90 dB
CONCERT_A_HZ, CONCERT_A_PITCH = 440.0, 69
_HALVING_TAPS = 23


class PitchTracker(nn.Module):
    """Audio [sample] at 22 050 Hz to candidates [frame, octave, candidate, (pitch, strength)].

    Octave o holds pitches from LOWEST_PITCH + 12 o on. Frame f is centred on sample
    CONTEXT_SAMPLES + f * HOP_SAMPLES; there are as many frames as have that many samples on either
    side. Strength is the share of the sound that repeats, 0..1, best first; 0 is no candidate.
    """

    CONTEXT_SAMPLES = 1792  # eight hops: half the longest window and what halving the rate needs

    def __init__(self) -> None:
        super().__init__()
        self._octaves = [_Octave(number) for number in range(OCTAVES)]
        self._modules_of_octaves = nn.ModuleList(self._octaves)
        self.register_buffer("_taps", _halving_taps(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Return candidates [frame, octave, candidate, (pitch, strength)]."""
        frames = max(0, (len(audio) - 2 * self.CONTEXT_SAMPLES) // HOP_SAMPLES + 1)
        rates = [audio]
        while len(rates) <= _halvings(0):
            rates.append(self._halved(rates[-1]))
        found = [octave(rates[octave.halvings], frames) for octave in self._octaves]
        return torch.stack(found, dim=1)

    def _halved(self, audio: Tensor) -> Tensor:
        """Return every second sample of the audio without what would fold back."""
        padded = nn.functional.pad(audio, (_HALVING_TAPS // 2, _HALVING_TAPS // 2))
        return padded.unfold(0, _HALVING_TAPS, 2) @ self.get_buffer("_taps")


class _Octave(nn.Module):
    """Hears pitches of one octave and MARGIN_SEMITONES around it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.halvings = _halvings(number)
        rate_hz = SAMPLE_RATE_HZ / 2**self.halvings
        first = LOWEST_PITCH + 12 * number
        self._first_pitch = first - MARGIN_SEMITONES
        points = round((12 + 2 * MARGIN_SEMITONES) / GRID_SEMITONES)
        lowest_hz = _hertz(self._first_pitch)
        lags = rate_hz / (lowest_hz * 2 ** (GRID_SEMITONES * np.arange(points) / 12))
        shortest = LEAST_WINDOW_SAMPLES >> self.halvings
        self._window_samples = max(shortest, 2 * round(PERIODS * rate_hz / _hertz(first) / 2))
        self._fft_samples = _fast_length(self._window_samples + int(lags[0]) + 1)
        bins = np.arange(self._fft_samples // 2 + 1)
        bin_hz = bins * rate_hz / self._fft_samples
        heard = (bin_hz > 0.6 * lowest_hz) & (bin_hz < HARMONICS * _hertz(first + 12))
        self._bins = slice(int(bins[heard][0]), int(bins[heard][-1]) + 1)
        window = torch.hann_window(self._window_samples, periodic=False, dtype=torch.float64)
        cosines = np.cos(2 * np.pi * np.outer(bins, lags) / self._fft_samples)
        spectrum = torch.fft.rfft(window, self._fft_samples).abs().numpy() ** 2
        spectrum[1:-1] *= 2
        of_window = spectrum @ cosines / spectrum.sum()
        lookup = torch.from_numpy(cosines[self._bins] / of_window).float()
        self.register_buffer("_window", window.float(), persistent=False)
        self.register_buffer("_lookup", lookup, persistent=False)

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """Return candidates [frame, candidate, (pitch, strength)]."""
        hop = HOP_SAMPLES >> self.halvings
        start = (PitchTracker.CONTEXT_SAMPLES >> self.halvings) - self._window_samples // 2
        windows = audio[start:].unfold(0, self._window_samples, hop)[:frames]
        spectra = torch.fft.rfft(windows * self.get_buffer("_window"), self._fft_samples)[
            :, self._bins
        ]
        power = spectra.real**2 + spectra.imag**2
        total = power.sum(1, keepdim=True)
        least = QUIETEST_RMS**2 * self._fft_samples * self._window_samples / 8
        repeats = power @ self.get_buffer("_lookup") / total.clamp_min(least)
        return self._peaks(repeats)

    def _peaks(self, repeats: Tensor) -> Tensor:
        """Return the highest peaks of the autocorrelation [frame, lag]."""
        before, here, after = repeats[:, :-2], repeats[:, 1:-1], repeats[:, 2:]
        is_peak = (here > before) & (here >= after) & (here > WEAKEST)
        strength, place = torch.where(is_peak, here, 0.0).topk(CANDIDATES, dim=1)
        left, right = before.gather(1, place), after.gather(1, place)
        curve = (left - 2 * strength + right).clamp_max(-1e-9)
        shift = 0.5 * (left - right) / curve
        pitch = self._first_pitch + GRID_SEMITONES * (place + 1 + shift)
        top = (strength - 0.25 * (left - right) * shift).clamp(0, 1)
        return torch.stack([pitch, torch.where(strength > 0, top, 0.0)], dim=2)


def _halvings(octave: int) -> int:
    """Return how often the rate is halved for an octave: its window has as many samples."""
    return max(0, 3 - octave)


def _hertz(pitch: float) -> float:
    return float(CONCERT_A_HZ * 2 ** ((pitch - CONCERT_A_PITCH) / 12))


def _fast_length(samples: int) -> int:
    """Return the next length of the form 2^n or 3 * 2^n or 5 * 2^n."""
    return min(factor << int(np.ceil(np.log2(samples / factor))) for factor in (1, 3, 5))


def _halving_taps() -> Tensor:
    """Return a low-pass that keeps up to 0.15 of the rate and removes from 0.35 on, by 80 dB."""
    at = torch.arange(_HALVING_TAPS, dtype=torch.float64) - _HALVING_TAPS // 2
    taps = (
        torch.sinc(at / 2) / 2 * torch.kaiser_window(_HALVING_TAPS, False, 8.0, dtype=torch.float64)
    )
    return (taps / taps.sum()).float()
