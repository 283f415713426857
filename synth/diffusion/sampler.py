"""Samplers: generators that walk a noisy latent down a list of noise levels and yield after every step.

Each sees only the denoiser D(z, sigma) -> z0 and keeps no state beyond its own frame, so that several may run at once.
In the EDM form (z = z0 + sigma * n) the probability flow is dz/dsigma = (z - D(z, sigma)) / sigma
(Karras et al. 2022, eq. 4 with s(t) = 1 and sigma(t) = t).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]  # (B, C, h, w) at noise level sigma -> estimate of z0, same shape


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Where a sampler stands after step `index` (from 1): `z` carries noise of `sigma`, `z0` is the estimate used."""

    index: int
    sigma: float
    z: Tensor
    z0: Tensor


def euler(denoise: Denoiser, z: Tensor, sigmas: Tensor) -> Iterator[Move]:
    """Euler steps along the flow, order 1. In this form the same as DDIM with eta 0 (Song et al. 2021, eq. 12)."""
    for index, (sigma, after) in enumerate(pairwise(sigmas.tolist()), start=1):
        z0 = denoise(z, sigma)
        z = z0 + (after / sigma) * (z - z0)  # exact at after = 0
        yield Move(index, after, z, z0)


def heun(denoise: Denoiser, z: Tensor, sigmas: Tensor) -> Iterator[Move]:
    """Heun's trapezoid, order 2, two denoiser calls a step but one in the last (Karras et al. 2022, alg. 1)."""
    for index, (sigma, after) in enumerate(pairwise(sigmas.tolist()), start=1):
        z0 = denoise(z, sigma)
        slope = (z - z0) / sigma
        ahead = z0 + (after / sigma) * (z - z0)
        if after > 0.0:
            slope_ahead = (ahead - denoise(ahead, after)) / after
            z = z + (after - sigma) * 0.5 * (slope + slope_ahead)
        else:
            z = ahead
        yield Move(index, after, z, z0)


def dpmpp_2m(denoise: Denoiser, z: Tensor, sigmas: Tensor) -> Iterator[Move]:
    """DPM-Solver++(2M), order 2, one denoiser call a step (Lu et al. 2022b, alg. 2, with alpha = 1).

    The first step and the one to sigma 0 are of order 1, as lambda = -log(sigma) has no second point or no end there.
    """
    previous: Tensor | None = None
    h_previous = 0.0
    for index, (sigma, after) in enumerate(pairwise(sigmas.tolist()), start=1):
        z0 = denoise(z, sigma)
        h = math.log(sigma / after) if after > 0.0 else math.inf  # step in lambda
        target = z0
        if previous is not None and after > 0.0:
            target = z0 + 0.5 * (h / h_previous) * (z0 - previous)
        z = target + (after / sigma) * (z - target)
        previous, h_previous = z0, h
        yield Move(index, after, z, z0)


def ddpm(denoise: Denoiser, z: Tensor, sigmas: Tensor, noise: Iterator[Tensor]) -> Iterator[Move]:
    """DDPM ancestral sampling: draw from the posterior of the next level (Ho et al. 2020, eq. 6-7, small variance).

    With z = x / sqrt(alpha-bar) the posterior has mean z0 + (t/s)^2 (z - z0) and variance t^2 (1 - (t/s)^2) for a step
    from s to t. `noise` yields (B, C, h, w) unit Gaussians; none is drawn for the step to 0.
    """
    for index, (sigma, after) in enumerate(pairwise(sigmas.tolist()), start=1):
        z0 = denoise(z, sigma)
        kept = (after / sigma) ** 2
        z = z0 + kept * (z - z0)
        if after > 0.0:
            z = z + after * math.sqrt(1.0 - kept) * next(noise)
        yield Move(index, after, z, z0)


DETERMINISTIC: dict[str, Callable[[Denoiser, Tensor, Tensor], Iterator[Move]]] = {
    "dpmpp_2m": dpmpp_2m,
    "euler": euler,
    "heun": heun,
}


def sample(name: str, denoise: Denoiser, z: Tensor, sigmas: Tensor, noise: Iterator[Tensor]) -> Iterator[Move]:
    """The sampler called `name`, one of synth.types.SAMPLERS (else KeyError); only "ddpm" draws from `noise`."""
    if name == "ddpm":
        return ddpm(denoise, z, sigmas, noise)
    return DETERMINISTIC[name](denoise, z, sigmas)
