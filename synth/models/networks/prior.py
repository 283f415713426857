"""The Gaussian prior: the best linear denoiser of each kind of picture, on which the network builds.

Chest films lie alike, so a Gaussian fitted to their latents already tells lungs, heart and diaphragm apart from noise.
Its posterior mean is exact for a Gaussian and close to the optimum at high noise (Wang and Vastola 2024,
arXiv 2412.09726); the network learns only the difference, and a short training on a CPU starts from a chest.
Its mean follows the caption by ridge regression on the caption's words, so that man and woman, old and young, normal
and ill differ from the first step on. Form: K principal components (Tipping and Bishop 1999) and, for the rest, one
variance for every number of the latent.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class PriorConfig:
    """Number of kinds of pictures, components of each, latent side, features of a caption (`Vocabulary.features`)."""

    kinds: int = 4
    components: int = 512
    side: int = 32
    features: int = 0


RIDGE = 10.0  # pictures that a feature must outweigh


class GaussianPrior(nn.Module):
    """Per kind: mean (4 h w), effect of each feature (F, 4 h w), basis (K, 4 h w) orthonormal, variances (K), rest.

    All are fitted, none is learnt by gradient.
    """

    mean: Tensor
    effect: Tensor
    basis: Tensor
    variance: Tensor
    rest: Tensor

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        numbers = 4 * config.side**2
        self.register_buffer("mean", torch.zeros(config.kinds, numbers))
        self.register_buffer("effect", torch.zeros(config.kinds, config.features, numbers))
        self.register_buffer("basis", torch.zeros(config.kinds, config.components, numbers))
        self.register_buffer("variance", torch.ones(config.kinds, config.components))
        self.register_buffer("rest", torch.ones(config.kinds, numbers))

    @torch.no_grad()
    def fit(self, kind: int, latents: Tensor, features: Tensor) -> None:
        """Set one kind from latents (N, 4, side, side) and the features (N, F) of their captions."""
        flat = latents.flatten(1).float()
        design = torch.cat((torch.ones(len(flat), 1, device=flat.device), features), dim=1)
        penalty = torch.full((design.shape[1],), RIDGE, device=flat.device)
        penalty[0] = 1e-6  # the mean is free
        weights = torch.linalg.solve(design.T @ design + penalty.diag(), design.T @ flat)
        centred = flat - design @ weights
        count = min(self.config.components, len(flat) - 1)
        _, values, basis = torch.pca_lowrank(centred, q=count, center=False, niter=3)
        variance = values.square() / (len(flat) - 1)
        left = centred.square().sum(0) / (len(flat) - 1) - (basis.square() * variance).sum(1)
        self.mean[kind], self.effect[kind] = weights[0], weights[1:]
        self.basis[kind, :count] = basis.T
        self.basis[kind, count:] = 0.0
        self.variance[kind, :count] = variance
        self.rest[kind] = left.clamp(min=1e-3)

    def forward(self, z: Tensor, sigma: Tensor, kind: Tensor, features: Tensor) -> Tensor:
        """Posterior mean of z0 given z (B, 4, h, w), sigma (B,), kind (B,) int64, features (B, F).

        At sizes that it was not fitted to N(0, 1) is assumed.
        """
        s2 = sigma.view(-1, 1).square()
        if z.shape[-1] != self.config.side or z.shape[-2] != self.config.side:
            return z / (1 + s2.view(-1, 1, 1, 1))
        with torch.autocast(z.device.type, enabled=False):  # bf16 would lose what little a low noise level leaves
            return self._estimate(z.float(), s2, kind, features)

    def cooled(self, noise: Tensor, kind: Tensor, along: float, rest: float) -> Tensor:
        """Unit noise (B, 4, h, w) scaled by `along` in the components of its kind (B,) and by `rest` outside them.

        The probability flow of a Gaussian scales every direction by itself, so a sample varies by the same factors:
        the rest, which this prior takes for white noise, starts cooler and is left to the network.
        """
        if noise.shape[-1] != self.config.side or noise.shape[-2] != self.config.side:
            return noise * along
        flat = noise.flatten(1)
        held = torch.empty_like(flat)
        for one in kind.unique():
            rows = kind == one
            held[rows] = flat[rows] @ self.basis[one].T @ self.basis[one]
        return (along * held + rest * (flat - held)).view_as(noise)

    def _estimate(self, z: Tensor, s2: Tensor, kind: Tensor, features: Tensor) -> Tensor:
        mean = self.mean[kind]
        off = torch.empty_like(mean)  # the latent less its mean
        along = torch.zeros_like(off)  # what the components hold of it, and what is kept of that
        kept = torch.zeros_like(off)
        gain = self.variance[kind] / (self.variance[kind] + s2)
        for one in kind.unique():  # one product a kind: gathering the bases of a batch would copy them
            rows = kind == one
            mean[rows] += features[rows] @ self.effect[one]
            off[rows] = z[rows].flatten(1) - mean[rows]
            coordinates = off[rows] @ self.basis[one].T
            along[rows] = coordinates @ self.basis[one]
            kept[rows] = (coordinates * gain[rows]) @ self.basis[one]
        rest = self.rest[kind]
        return (mean + kept + rest / (rest + s2) * (off - along)).view_as(z)
