"""What spoils a picture: the forward operator of each kind of damage, and what its noise does to a mean.

All pictures are (B, 1, H, W) in [0, 1]. `Damage` is what is known or was estimated of one picture's damage; the ground
truth of a test is never part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.kinds import KINDS

HAZE_CELLS = 4  # the mask of low light is a smooth field of so many supports a side


@dataclass(frozen=True, slots=True, eq=False)
class Damage:
    """What is known of the damage of one picture y = D(x) + noise.

    noise: standard deviation at white (Poisson) or everywhere, in [0, 1] grey; hole: (1, 1, H, W) in {0, 1}, 1 = lost;
    light, haze: y = light * x + haze, haze (1, 1, 4, 4) stretched smoothly over the picture.
    """

    kind: str
    noise: float
    blur_px: float = 0.0
    hole: Tensor | None = None
    light: float = 1.0
    haze: Tensor | None = None


def degrade(x: Tensor, damage: Damage) -> Tensor:
    """D(x), without its noise; differentiable in x. Enlarging kinds give (B, 1, H/f, W/f)."""
    kind = KINDS[damage.kind]
    if damage.kind == "blur":
        return blurred(x, damage.blur_px)
    if kind.factor > 1:
        return F.avg_pool2d(x, kind.factor)
    if kind.light:
        return damage.light * x + (0.0 if damage.haze is None else spread(damage.haze, x))
    return x


def deviation(x: Tensor, damage: Damage) -> Tensor | float:
    """Standard deviation of the noise at each pixel of D(x) = `x`, of counting statistics where the noise is."""
    if damage.kind == "poisson":
        return damage.noise * x.clamp(min=0.02).sqrt()
    return damage.noise


def blurred(x: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur of standard deviation `sigma_px` in px, 0 = none; the border is mirrored."""
    if sigma_px <= 0.0:
        return x
    reach = min(math.ceil(4 * sigma_px), x.shape[-1] - 1, x.shape[-2] - 1)
    at = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (at / sigma_px) ** 2)
    kernel = kernel / kernel.sum()
    x = torch.cat((x[..., :reach].flip(-1), x, x[..., -reach:].flip(-1)), -1)
    x = torch.cat((x[..., :reach, :].flip(-2), x, x[..., -reach:, :].flip(-2)), -2)
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def spread(field: Tensor, like: Tensor) -> Tensor:
    """A coarse field (1, 1, 4, 4) as a smooth one of the size of `like`."""
    return F.interpolate(field, size=like.shape[-2:], mode="bicubic", align_corners=True)


def clipped_mean(x: Tensor, noise: float) -> Tensor:
    """E[clip(x + n, 0, 1)] for Gaussian n of standard deviation `noise`: noise lifts what is black, dims what is white.

    x + s phi(x/s) - x Phi(-x/s), and the same from above (Foi 2009, "Clipped noisy images", eq. 7).
    """
    if noise <= 0.0:
        return x.clamp(0.0, 1.0)
    return x + _excess(x, noise) - _excess(1.0 - x, noise)


def unclipped(mean: Tensor, noise: float) -> Tensor:
    """The inverse of `clipped_mean`: the grey whose clipped noisy mean is `mean`, both (B, 1, H, W)."""
    if noise <= 0.0:
        return mean.clamp(0.0, 1.0)
    grey = torch.linspace(0.0, 1.0, 1025, device=mean.device)
    table = clipped_mean(grey, noise)
    above = torch.searchsorted(table, mean.contiguous()).clamp(1, 1024)
    low, high = table[above - 1], table[above]
    share = ((mean - low) / (high - low)).clamp(0.0, 1.0)
    return (above - 1 + share) / 1024


def _excess(x: Tensor, noise: float) -> Tensor:
    t = x / noise
    density = torch.exp(-0.5 * t**2) / math.sqrt(2 * math.pi)
    return noise * density - x * 0.5 * torch.erfc(t / math.sqrt(2.0))
