"""The oracle of the sampler tests: data that are Gaussian, for which denoiser and flow are known in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MEAN, DEVIATION = 0.7, 0.5


def denoise(z: Tensor, sigma: float) -> Tensor:
    """E[z0 | z] for z0 ~ N(MEAN, DEVIATION^2) and z = z0 + sigma * n."""
    return (DEVIATION**2 * z + sigma**2 * MEAN) / (DEVIATION**2 + sigma**2)


def flow(z: Tensor, sigma: float, after: float) -> Tensor:
    """Where the probability flow takes z from noise level `sigma` to `after`."""
    return MEAN + (z - MEAN) * math.sqrt((DEVIATION**2 + after**2) / (DEVIATION**2 + sigma**2))


def uneven(z: Tensor, sigma: float) -> Tensor:
    """A denoiser that is linear in nothing, so that a wrong weight or noise level shows."""
    return torch.tanh(z / math.sqrt(1.0 + sigma**2)) + 0.1 * torch.sin(3.0 * z + sigma)
