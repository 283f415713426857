"""Restoration without training: the estimate of the observed picture, corrected by the prior as far as it is supported.

After GDP (Fei et al. 2023, arXiv 2304.01247, alg. 2) and UniMIE: at every step the estimate of the clean latent is led
towards pictures whose damaged version is the observed one, and what is unknown of the damage is estimated on the way.
Two things differ, both better on pictures of the val split: the start is no noise but the latent of a first
estimate, so nothing is drawn at random and 25 steps are enough; and of the decoded result only the change is taken, so
what the codec loses is in both and cancels. All pictures are (1, 1, H, W) in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion import sampler, schedule, shrink
from synth.diffusion.degrade import Damage, clipped_mean, degrade, deviation, spread
from synth.diffusion.edit import anchored, touched_cells
from synth.diffusion.estimate import light_of
from synth.diffusion.kinds import KINDS
from synth.diffusion.model import Condition, Model
from synth.diffusion.sampler import Denoiser

MEAN_SHIFT_MAX = 2.0 / 255  # two grey levels
DRAFT_FACTOR = 4  # the codec's latent is a picture reduced so far, and its decoder was trained to undo that
_NOISE_MIN = 1.0 / 255  # of 8-bit pictures

OnMove = Callable[[int, Tensor], None]  # step from 1, estimate (1, 1, H, W)


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """The model with the condition that stands for any picture of the kind, and how many steps it takes."""

    model: Model
    cond: Condition
    steps: int

    def denoise(self, z: Tensor, sigma: float) -> Tensor:
        """The estimate of z0, without guidance."""
        return self.model.denoise(z, torch.full((len(z),), sigma, device=z.device), self.cond)


def led(denoise: Denoiser, misfit: Callable[[Tensor], Tensor]) -> Denoiser:
    """The denoiser, its estimate moved against the gradient of |misfit(z0)|^2 / 2 + |z0 - estimate|^2 / (2 r^2).

    r^2 = s^2 / (1 + s^2) is the variance of a unit Gaussian's z0 at level s (Song et al. 2023, PiGDM, eq. 9); the step
    length is the minimum along the gradient, so there is no rate to tune. `misfit` is in noise deviations.
    """

    def moved(z: Tensor, sigma: float) -> Tensor:
        estimate, weight = denoise(z, sigma), (1.0 + sigma**2) / sigma**2
        with torch.enable_grad():
            at = estimate.detach().requires_grad_(True)
            off = misfit(at)
            (slope,) = torch.autograd.grad(0.5 * off.square().sum(), at)
        size = slope.abs().max()
        if float(size) == 0.0:
            return estimate
        with torch.no_grad():
            small = 1e-2 / size
            along = (misfit(estimate + small * slope) - off) / small
            length = slope.square().sum() / (along.square().sum() + weight * slope.square().sum())
        return estimate - length * slope

    return moved


def restore_tile(prior: Prior, y: Tensor, first: Tensor, damage: Damage, on_move: OnMove) -> Tensor:
    """One tile y of any kind but low light, restored: (1, 1, f H, f W), its sides multiples of 8.

    `first` is the estimate without the prior, see `first_estimate`. `on_move` may raise Cancelled.
    """
    model, kind = prior.model, KINDS[damage.kind]
    latent = model.to_latent(first)
    known = model.decode(latent)
    seen = 1.0 if damage.hole is None else 1.0 - damage.hole
    spoilt = degrade(first, damage)
    noise = torch.as_tensor(deviation(spoilt, damage)).clamp(min=_NOISE_MIN)

    def misfit(z0: Tensor) -> Tensor:
        return seen * (degrade(first + model.decode(z0) - known, damage) - y) / noise

    denoise = led(prior.denoise, misfit)
    if damage.hole is not None:
        denoise = anchored(denoise, latent, touched_cells(damage.hole, latent))
    z = latent
    for move in sampler.euler(denoise, latent, schedule.karras(prior.steps, sigma_max=kind.sigma)):
        on_move(move.index, move.z0)
        z = move.z
    change = model.decode(z) - known
    if damage.hole is not None:
        rim = shrink.filled(change * seen, damage.hole)  # so that the change ends at the border of the hole
        return torch.where(damage.hole > 0, (first + (kind.weight or 0.0) * (change - rim)).clamp(0.0, 1.0), y)
    if kind.weight is not None:
        return shrink.projected(first + kind.weight * change, y, kind.factor).clamp(0.0, 1.0)
    there = degrade(first + change, damage) - spoilt
    return (first + shrink.supported(there, y - _expected(spoilt, damage)) * change).clamp(0.0, 1.0)


def first_estimate(model: Model, y: Tensor, damage: Damage, filled: Tensor | None) -> Tensor:
    """What the observed tile y alone tells, (1, 1, f H, f W); `filled` is the picture whose holes were interpolated."""
    if damage.kind == "gaussian":
        return shrink.without_clipped_noise(y, damage.noise) if damage.noise > 0 else y
    if damage.kind == "poisson":
        if damage.noise <= 0:
            return y
        even, noise = shrink.stabilised(y, damage.noise)
        return shrink.unstabilised(shrink.denoised(even, noise), damage.noise)
    if damage.kind == "blur":
        return shrink.deblurred(y, damage.blur_px, damage.noise)
    if (factor := KINDS[damage.kind].factor) > 1:
        smooth = shrink.projected(shrink.enlarged(y, DRAFT_FACTOR), y, DRAFT_FACTOR)
        sharp = model.decode(model.to_latent(smooth))
        return shrink.projected(F.avg_pool2d(sharp, DRAFT_FACTOR // factor), y, factor).clamp(0.0, 1.0)
    assert filled is not None
    return filled


def relit(prior: Prior, y: Tensor, damage: Damage, on_move: OnMove) -> Damage:
    """Low light: the light factor and the mask of the whole picture y, (1, 1, 256, 256), estimated jointly.

    At every step they are those that explain y best by the estimate of the clean picture, which is then led towards
    pictures that explain y with them. `damage` holds the values to begin with.
    """
    model = prior.model
    assert damage.haze is not None
    light, haze = damage.light, damage.haze
    noise = max(damage.noise, _NOISE_MIN)

    def fitted(x: Tensor) -> Damage:
        found = light_of(x.detach(), y, light, haze)
        return replace(damage, light=found[0], haze=found[1])

    def misfit(z0: Tensor) -> Tensor:
        x = model.decode(z0)
        return (degrade(x, fitted(x)) - y) / noise

    z = latent = model.to_latent(lit(y, damage))
    sigmas = schedule.karras(prior.steps, sigma_max=KINDS[damage.kind].sigma)
    for move in sampler.euler(led(prior.denoise, misfit), latent, sigmas):
        on_move(move.index, move.z0)
        z = move.z
    return fitted(model.decode(z))


def lit(y: Tensor, damage: Damage) -> Tensor:
    """The picture of any size under full light, by the light factor and mask of `damage`; its noise is taken off."""
    assert damage.haze is not None
    bright = (y - spread(damage.haze, y)) / damage.light
    noise = damage.noise / damage.light
    return (shrink.denoised(bright, noise) if noise > _NOISE_MIN else bright).clamp(0.0, 1.0)


def mean_shift(x: Tensor, y: Tensor, damage: Damage) -> float:
    """How much brighter, in [0, 1] grey, x is than y allows: the mean of what x would look like damaged, less y's.

    Pixels of holes are left out, low light is taken back first, and so is what clipping does to the mean of noise.
    """
    seen = torch.ones_like(y) if damage.hole is None else 1.0 - damage.hole
    off = seen * (_expected(degrade(x, damage), damage) - y)
    return float(off.sum() / seen.sum().clamp(min=1.0)) / damage.light


def bounded(x: Tensor, y: Tensor, damage: Damage) -> Tensor:
    """x with its mean brought back until the shift is within MEAN_SHIFT_MAX; x itself where it is."""
    if damage.hole is not None:
        return x
    for _ in range(8):
        shift = mean_shift(x, y, damage)
        excess = abs(shift) - MEAN_SHIFT_MAX
        if excess <= 0.0:
            break
        x = (x - (excess + 1e-4) * (1.0 if shift > 0 else -1.0)).clamp(0.0, 1.0)
    return x


def _expected(spoilt: Tensor, damage: Damage) -> Tensor:
    """The mean of many noisy pictures of `spoilt`."""
    return clipped_mean(spoilt, damage.noise) if damage.kind == "gaussian" else spoilt
