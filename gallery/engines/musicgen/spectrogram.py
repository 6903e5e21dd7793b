"""The spectrogram that audiocraft takes from torchaudio, where torchaudio is absent or broken."""

from __future__ import annotations

import torch
from torch import nn


class Spectrogram(nn.Module):
    """Power spectrogram of a waveform, as ``torchaudio.transforms.Spectrogram`` defines it."""

    window: torch.Tensor

    def __init__(
        self,
        n_fft: int,
        win_length: int,
        hop_length: int,
        power: float = 2,
        center: bool = True,
        pad: int = 0,
        normalized: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.power = power
        self.center = center
        self.pad = pad
        self.normalized = normalized
        self.register_buffer("window", torch.hann_window(win_length))

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        """[..., samples] to [..., frequencies, frames]."""
        *lead, samples = wave.shape
        wave = nn.functional.pad(wave.reshape(-1, samples), (self.pad, self.pad))
        spectrum = torch.stft(
            wave,
            self.n_fft,
            self.hop_length,
            self.window.numel(),
            self.window,
            center=self.center,
            return_complex=True,
        )
        if self.normalized:
            spectrum = spectrum / self.window.square().sum().sqrt()
        return spectrum.abs().pow(self.power).reshape(*lead, *spectrum.shape[-2:])
