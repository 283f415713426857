"""Estimates from the observed picture alone: sliding cosine transforms, deconvolution, back-projection, soft fill.

They carry the picture's own detail, which no latent of 4,096 numbers can hold; the prior only corrects them. All
pictures are (1, 1, H, W) in [0, 1], not clipped on the way.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.degrade import blurred, unclipped

PATCH_PX, STRIDE_PX = 8, 2
THRESHOLD = 2.7  # noise deviations, of hard thresholding (Dabov et al. 2007, table 1)
ROUNDS = 8  # of deconvolution
FILL_ROUNDS = 200


def denoised(y: Tensor, noise: Tensor | float, pilot: Tensor | None = None) -> Tensor:
    """The picture without white noise of standard deviation `noise` (a number, or one a pixel).

    Sliding 8 x 8 cosine transforms: hard thresholds first unless a `pilot` is given, then twice the empirical Wiener
    filter of the estimate before (Dabov et al. 2007, "BM3D", eq. 21, without its grouping).
    """
    coefficients, variance = _patches(y), _variance(y, noise)
    if pilot is None:
        kept = (coefficients.square() > THRESHOLD**2 * variance).float()
        kept[:, 0] = 1.0
        pilot = _joined(coefficients * kept, 1.0 / kept.sum(1, keepdim=True), y)
    for _ in range(2):
        energy = _patches(pilot).square()
        gain = energy / (energy + variance).clamp(min=1e-12)
        pilot = _joined(gain * coefficients, 1.0 / gain.square().sum(1, keepdim=True).clamp(min=1e-3), y)
    return pilot


def without_clipped_noise(y: Tensor, noise: float, pilot: Tensor | None = None) -> Tensor:
    """`denoised`, then what clipping at black and white did to the mean of the noise is taken back."""
    return unclipped(denoised(y, noise, pilot), noise)


def stabilised(y: Tensor, noise: float) -> tuple[Tensor, float]:
    """Counts y of deviation `noise` at white to a picture of even noise, in [0, 1], and that noise (Anscombe 1948)."""
    peak = 1.0 / noise**2
    top = 2.0 * math.sqrt(peak + 0.375)
    return 2.0 * (peak * y + 0.375).clamp(min=0.0).sqrt() / top, 1.0 / top


def unstabilised(t: Tensor, noise: float) -> Tensor:
    """The unbiased inverse of `stabilised` (Makitalo and Foi 2011, closed form of eq. 11)."""
    peak = 1.0 / noise**2
    d = (t * 2.0 * math.sqrt(peak + 0.375)).clamp(min=2.0 * math.sqrt(0.375))
    counts = d**2 / 4 + 0.25 * math.sqrt(1.5) / d - 1.375 / d**2 + 0.625 * math.sqrt(1.5) / d**3 - 0.125
    return (counts / peak).clamp(0.0, 1.0)


def deblurred(y: Tensor, blur_px: float, noise: float) -> Tensor:
    """The picture before a Gaussian blur of `blur_px`: half-quadratic splitting with `denoised` as the denoiser.

    Zhang et al. 2021 (DPIR, eq. 6a-6b): exact deconvolution and denoising in turn, at falling noise levels.
    """
    noise = max(noise, 1.0 / 255 / math.sqrt(12.0))  # 8 bit
    transfer = _transfer(y, blur_px)
    observed = _cosines(y)
    x = y
    for level in torch.logspace(math.log10(0.12), math.log10(max(2 * noise, 0.006)), ROUNDS).tolist():
        trust = 0.25 * (noise / level) ** 2
        solved = (transfer * observed + trust * _cosines(x)) / (transfer**2 + trust)
        x = denoised(_uncosines(solved, y), level)
    return x.clamp(0.0, 1.0)


def projected(x: Tensor, y: Tensor, factor: int, rounds: int = 10) -> Tensor:
    """`x` corrected until its mean over each factor x factor block is `y` (back-projection, Irani and Peleg 1991)."""
    for _ in range(rounds):
        x = x + enlarged(y - F.avg_pool2d(x, factor), factor)
    return x


def enlarged(y: Tensor, factor: int) -> Tensor:
    """Bicubic enlargement; pixel areas stay where they are."""
    return F.interpolate(y, scale_factor=float(factor), mode="bicubic", align_corners=False)


def filled(x: Tensor, hole: Tensor) -> Tensor:
    """`x` with its hole filled by relaxation towards the mean of four neighbours, from what it holds there."""
    for _ in range(FILL_ROUNDS):
        near = F.pad(x, (1, 1, 1, 1), mode="replicate")
        mean = (near[..., 1:-1, :-2] + near[..., 1:-1, 2:] + near[..., :-2, 1:-1] + near[..., 2:, 1:-1]) / 4
        x = torch.where(hole > 0, mean, x)
    return x


def supported(change: Tensor, misfit: Tensor, window_px: float = 16.0) -> Tensor:
    """Share (1, 1, h, w) in [0, 1] of `change` that the `misfit` of the observed picture asks for around each place.

    Least squares in a Gaussian window: <misfit, change> / <change, change>. Where the prior is wrong it is 0.
    """
    asked, size = blurred(misfit * change, window_px), blurred(change**2, window_px)
    return (asked / size.clamp(min=1e-8)).clamp(0.0, 1.0)


@cache
def _basis() -> Tensor:
    k, i = torch.arange(PATCH_PX)[:, None], torch.arange(PATCH_PX)[None]
    rows = torch.cos(math.pi * (2 * i + 1) * k / (2 * PATCH_PX)) * math.sqrt(2 / PATCH_PX)
    rows[0] /= math.sqrt(2.0)
    return torch.kron(rows, rows)  # (64, 64), orthonormal


def _bordered(x: Tensor) -> Tensor:
    return F.pad(x, (PATCH_PX,) * 4, mode="reflect")


def _patches(x: Tensor) -> Tensor:
    """Cosine coefficients (1, 64, P) of all patches."""
    return _basis().to(x) @ F.unfold(_bordered(x), PATCH_PX, stride=STRIDE_PX)


def _variance(x: Tensor, noise: Tensor | float) -> Tensor:
    level = noise if isinstance(noise, Tensor) else x.new_full(x.shape, noise)
    return F.unfold(_bordered(level**2), PATCH_PX, stride=STRIDE_PX).mean(1, keepdim=True)


def _joined(coefficients: Tensor, weight: Tensor, like: Tensor) -> Tensor:
    """The picture as the weighted mean of overlapping patches."""
    patches = _basis().to(like).T @ coefficients
    size = (like.shape[-2] + 2 * PATCH_PX, like.shape[-1] + 2 * PATCH_PX)
    total = F.fold(patches * weight, size, PATCH_PX, stride=STRIDE_PX)
    weights = F.fold(weight.expand_as(patches), size, PATCH_PX, stride=STRIDE_PX)
    return (total / weights.clamp(min=1e-12))[..., PATCH_PX:-PATCH_PX, PATCH_PX:-PATCH_PX]


def _cosines(x: Tensor) -> Tensor:
    """Spectrum of the picture mirrored at its border, where a symmetric blur is a product."""
    wide = torch.cat((x, x.flip(-1)), -1)
    spectrum: Tensor = torch.fft.rfft2(torch.cat((wide, wide.flip(-2)), -2))
    return spectrum


def _uncosines(spectrum: Tensor, like: Tensor) -> Tensor:
    h, w = like.shape[-2:]
    picture: Tensor = torch.fft.irfft2(spectrum, s=(2 * h, 2 * w))
    return picture[..., :h, :w]


def _transfer(like: Tensor, blur_px: float) -> Tensor:
    h, w = like.shape[-2:]
    fy, fx = torch.fft.fftfreq(2 * h)[:, None], torch.fft.rfftfreq(2 * w)[None]
    return torch.exp(-2 * (math.pi * blur_px) ** 2 * (fy**2 + fx**2)).to(like.device)
