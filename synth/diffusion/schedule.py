"""Noise levels: from pure noise down to the clean latent, in the EDM form z = z0 + sigma * n."""

from __future__ import annotations

import torch
from torch import Tensor

# Latents have unit variance: 80 buries them (terminal SNR 1/6400), 0.02 lies below a grey level of the decoder.
SIGMA_MIN = 0.02
SIGMA_MAX = 80.0
RHO = 7.0  # Karras et al. 2022, table 1


def karras(steps: int, sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX, rho: float = RHO) -> Tensor:
    """The schedule of Karras et al. 2022, eq. 5: steps + 1 falling noise levels, (steps + 1,) float64 on the CPU.

    The first is `sigma_max`, the last but one `sigma_min` (with one step there is only `sigma_max`), the last 0.
    Raises ValueError unless steps >= 1 and 0 < sigma_min < sigma_max.
    """
    if steps < 1 or not 0.0 < sigma_min < sigma_max:
        raise ValueError(f"no schedule for {steps} steps from {sigma_max} to {sigma_min}")
    ramp = torch.linspace(0.0, 1.0, steps, dtype=torch.float64)
    low, high = sigma_min ** (1.0 / rho), sigma_max ** (1.0 / rho)
    sigmas = (high + ramp * (low - high)) ** rho
    sigmas[0] = sigma_max
    return torch.cat([sigmas, sigmas.new_zeros(1)])
