"""Grain: the fine texture that 4,096 numbers cannot hold, drawn at random with the strength that belongs to its place.

A decoder trained on distances gives the mean of all pictures that share a latent: right on average, and as smooth as
wax. What is missing is modelled as Gaussian noise in oriented bands whose standard deviation the decoder predicts per
place (the film grain synthesis of video codecs, Norkin and Birkbeck 2018, with the bands of the steerable pyramid,
Simoncelli and Freeman 1995). The noise is one fixed field: equal latents give equal pixels, bit for bit.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

CENTRES = (0.17, 0.25, 0.38)  # of the bands, cycles a pixel; the thumbnail itself ends at 0.125
ORIENTATIONS = 4
CHANNELS = len(CENTRES) * ORIENTATIONS
_OUTSIDE = (0.125, 0.60)  # where the first band begins and the last one ends
_TAPS = 15
_SEED = 0
_CEILING = math.log(0.09)  # 11 grey levels: what is missing at the border of the body is its sharpness, not grain


def energies(residual: Tensor) -> Tensor:
    """Mean square of the bands over 4 x 4 pixels, scaled so that white noise gives its variance: (B, 12, H/4, W/4)."""
    kernels = _kernels().to(residual)
    unit = kernels / kernels.square().sum((2, 3), keepdim=True).sqrt()
    return F.avg_pool2d(F.conv2d(_padded(residual), unit).square(), 4)


def likelihood_loss(log_sigma: Tensor, residual: Tensor) -> Tensor:
    """Mean negative log-likelihood of the bands of `residual` (B, 1, H, W) under N(0, sigma^2), less a constant."""
    return (0.5 * energies(residual) * (-2 * log_sigma).exp() + log_sigma).mean()


def texture(log_sigma: Tensor, gains: tuple[float, ...]) -> Tensor:
    """Grain (B, 1, H, W) from ln sigma (B, 12, H/4, W/4); `gains`: amplitude per band, 1 = all that is missing."""
    _, _, h, w = log_sigma.shape
    sigma = F.interpolate(log_sigma.float().clamp(max=_CEILING).exp(), scale_factor=4.0, mode="bilinear")
    sigma = sigma * torch.tensor(gains, device=sigma.device).repeat_interleave(ORIENTATIONS).view(1, -1, 1, 1)
    field = sigma * _field(4 * h, 4 * w).to(sigma)
    return F.conv2d(_padded(field), _kernels().to(sigma).transpose(0, 1))


def _padded(x: Tensor) -> Tensor:
    return F.pad(x, (_TAPS // 2,) * 4, mode="reflect")


@cache
def _field(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    return torch.randn(1, CHANNELS, height, width, generator=generator)


@cache
def _kernels() -> Tensor:
    """(12, 1, 15, 15), even; their squared spectra sum to about 1 between the first and the last centre."""
    n = 64
    fy, fx = torch.fft.fftfreq(n)[:, None], torch.fft.fftfreq(n)[None]
    octave, angle = torch.hypot(fy, fx).clamp(min=1e-4).log2(), torch.atan2(fy, fx)
    borders = [math.log2(f) for f in (_OUTSIDE[0], *CENTRES, _OUTSIDE[1])]
    window = torch.hann_window(_TAPS + 2, periodic=False)[1:-1]
    at = slice(n // 2 - _TAPS // 2, n // 2 + _TAPS // 2 + 1)
    kernels = []
    for low, middle, high in zip(borders, borders[1:], borders[2:], strict=False):
        rise, fall = (octave - low) / (middle - low), (high - octave) / (high - middle)
        radial = torch.sin(math.pi / 2 * torch.minimum(rise, fall).clamp(0, 1))
        for k in range(ORIENTATIONS):
            # the cubes of 4 turned cosines: their squares sum to 1.25 at any angle
            oriented = radial * torch.cos(angle - math.pi * k / ORIENTATIONS).abs().pow(3) / math.sqrt(1.25)
            kernel = torch.fft.fftshift(torch.fft.ifft2(oriented).real)[at, at]
            kernels.append(kernel * window[:, None] * window[None])
    spectra = torch.fft.fft2(torch.stack(kernels), s=(n, n)).abs().square().sum(0)
    covered = (octave >= borders[1]) & (octave <= borders[-2])
    kernel_bank: Tensor = torch.stack(kernels)[:, None] / spectra[covered].mean().sqrt()
    return kernel_bank
