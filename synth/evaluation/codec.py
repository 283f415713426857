"""How well the codec keeps a picture: PSNR beside a thumbnail of equal size, the spectrum, traces of its grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from synth.models.shipped import ShippedModel

BANDS = ((0.05, 0.10), (0.10, 0.15), (0.15, 0.20), (0.20, 0.25), (0.25, 0.30), (0.30, 0.35), (0.35, 0.40))
GRID_PERIODS_PX = (8, 4, 2)


@dataclass(frozen=True, slots=True)
class CodecFigures:
    """PSNR in dB of codec and 64 x 64 thumbnail; decoded / real power per band in dB; grid peaks."""

    pictures: int
    psnr: float
    mean_psnr: float  # of the mean picture, before its grain
    thumbnail: float
    bands_db: tuple[float, ...]
    grid_peaks: tuple[float, ...]  # power at periods 8, 4, 2 px over their neighbours, decoded / real


def measure(model: ShippedModel, pixels: Tensor, batch: int = 16) -> CodecFigures:
    """Figures over pictures (N, 1, 256, 256) in [0, 1]."""
    codec, mean, small = [], [], []
    network = model.networks.codec
    decoded_power, real_power = torch.zeros(256, 129), torch.zeros(256, 129)
    for real in pixels.split(batch):
        back = model.to_pixels(model.to_latent(real)).cpu()
        codec.append(psnr(back, real))
        with torch.no_grad():
            smooth = network.decode_parts(network.encode(real.to(model.device) * 2 - 1))[0].cpu()
        mean.append(psnr((smooth + 1) / 2, real))
        small.append(psnr(thumbnail(real), real))
        decoded_power += power(back)
        real_power += power(real)
    return CodecFigures(
        len(pixels),
        float(torch.cat(codec).mean()),
        float(torch.cat(mean).mean()),
        float(torch.cat(small).mean()),
        tuple(_ratio_db(decoded_power, real_power, low, high) for low, high in BANDS),
        tuple(grid_peak(decoded_power, p) / grid_peak(real_power, p) for p in GRID_PERIODS_PX),
    )


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Per picture, dB, for values in [0, 1]."""
    return -10 * torch.log10((a.clamp(0, 1) - b).square().mean((1, 2, 3)).clamp(min=1e-10))


def thumbnail(pixels: Tensor) -> Tensor:
    """Bicubic to a quarter of the side and back: as many numbers as the latent."""
    small = F.interpolate(pixels, scale_factor=0.25, mode="bicubic", antialias=True)
    return F.interpolate(small, scale_factor=4.0, mode="bicubic")


def power(pixels: Tensor) -> Tensor:
    """Summed power spectrum (256, 129) of pictures (N, 1, 256, 256), mean removed, Hann window."""
    centred = (pixels - pixels.mean((2, 3), keepdim=True))[:, 0]
    window = torch.hann_window(256)[:, None] * torch.hann_window(256)[None]
    total: Tensor = torch.fft.rfft2(centred * window).abs().square().sum(0)
    return total


def _frequency() -> Tensor:
    return torch.hypot(torch.fft.fftfreq(256)[:, None], torch.fft.rfftfreq(256)[None])


def _ratio_db(a: Tensor, b: Tensor, low: float, high: float) -> float:
    band = (_frequency() >= low) & (_frequency() < high)
    return float(10 * torch.log10(a[band].mean() / b[band].mean()))


def grid_peak(spectrum: Tensor, period_px: int) -> float:
    """Power on the two axes at one period over the geometric mean of the bins 2 to 5 away, which forgives a slope."""
    at = 256 // period_px
    around = [k for k in range(at - 5, at + 6) if abs(k - at) >= 2 and k <= 128]
    rows, columns = spectrum[:129, :3].mean(1), spectrum[:3].mean(0)
    return float(np.mean([axis[at] / axis[around].log().mean().exp() for axis in (rows, columns)]))


def table(figures: dict[str, CodecFigures]) -> str:
    """Markdown, one line a group of pictures."""
    heads = " | ".join(f"{low:.2f}-{high:.2f}" for low, high in BANDS)
    lines = [f"| group | n | codec dB | without grain dB | thumbnail dB | {heads} | grid 8/4/2 px |"]
    lines.append("|" + "---|" * (6 + len(BANDS)))
    for name, f in figures.items():
        bands = " | ".join(f"{value:+.1f}" for value in f.bands_db)
        peaks = "/".join(f"{value:.2f}" for value in f.grid_peaks)
        decibels = " | ".join(f"{value:.2f}" for value in (f.psnr, f.mean_psnr, f.thumbnail))
        lines.append(f"| {name} | {f.pictures} | {decibels} | {bands} | {peaks} |")
    return "\n".join(lines)


def as_tensor(pixels: np.ndarray) -> Tensor:
    """(N, 256, 256) uint8 to (N, 1, 256, 256) in [0, 1]."""
    return torch.from_numpy(pixels[:, None].astype(np.float32) / 255)
