"""The Gaussian prior: its posterior mean is the known one of a Gaussian."""

from __future__ import annotations

import torch

from synth.models.networks.prior import GaussianPrior, PriorConfig


def latents(count: int) -> torch.Tensor:
    """Pictures of two patterns around a mean, (count, 4, 4, 4), with a little independent noise."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.linalg.qr(torch.randn(64, 2, generator=generator)).Q.T
    weights = torch.randn(count, 2, generator=generator) * torch.tensor([3.0, 2.0])
    noise = 0.2 * torch.randn(count, 64, generator=generator)
    return (1.5 + weights @ patterns + noise).view(count, 4, 4, 4)


def fitted() -> tuple[GaussianPrior, torch.Tensor]:
    prior, data = GaussianPrior(PriorConfig(kinds=2, components=2, side=4)), latents(20_000)
    prior.fit(1, data, torch.zeros(len(data), 0))
    return prior, data


def test_the_estimate_is_the_posterior_mean_of_the_gaussian() -> None:
    prior, data = fitted()
    flat = data.flatten(1)
    centre, covariance = flat.mean(0), torch.cov(flat.T)
    z = data[:5] + 0.7 * torch.randn(5, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    wiener = covariance @ torch.linalg.inv(covariance + 0.7**2 * torch.eye(64))
    exact = (centre + (z.flatten(1) - centre) @ wiener.T).view_as(z)
    estimate = prior(z, torch.full((5,), 0.7), torch.ones(5, dtype=torch.int64), torch.zeros(5, 0))
    assert torch.allclose(estimate, exact, atol=0.05)
    assert (estimate - data[:5]).square().mean() < 0.3 * (z / (1 + 0.7**2) - data[:5]).square().mean()


def test_pure_noise_gives_the_mean_and_no_noise_the_picture_itself() -> None:
    prior, data = fitted()
    kind = torch.ones(3, dtype=torch.int64)
    assert torch.allclose(prior(data[:3], torch.full((3,), 1e-4), kind, torch.zeros(3, 0)), data[:3], atol=1e-3)
    far = prior(data[:3], torch.full((3,), 1e4), kind, torch.zeros(3, 0))
    assert torch.allclose(far, data.mean(0).expand(3, -1, -1, -1), atol=1e-2)


def test_kinds_in_one_batch_do_not_mix_and_one_never_fitted_is_a_unit_gaussian() -> None:
    prior, data = fitted()
    z, sigma = data[:2], torch.tensor([2.0, 2.0])
    both = prior(z, sigma, torch.tensor([0, 1]), torch.zeros(2, 0))
    assert torch.allclose(both[0], z[0] / 5, atol=1e-6)
    assert torch.allclose(both[1:], prior(z[1:], sigma[1:], torch.tensor([1]), torch.zeros(1, 0)), atol=1e-6)


def test_another_size_falls_back_to_a_unit_gaussian() -> None:
    prior, _ = fitted()
    z = torch.randn(1, 4, 8, 8)
    assert torch.allclose(prior(z, torch.tensor([1.0]), torch.tensor([1]), torch.zeros(1, 0)), z / 2)


def test_the_mean_follows_the_features_of_the_caption() -> None:
    prior = GaussianPrior(PriorConfig(kinds=1, components=2, side=4, features=1))
    told = torch.arange(20_000).remainder(2).float()[:, None]
    prior.fit(0, latents(20_000) + 2.0 * told[:, :, None, None], told)
    far, kind = torch.full((2,), 1e4), torch.zeros(2, dtype=torch.int64)
    means = prior(torch.zeros(2, 4, 4, 4), far, kind, torch.tensor([[0.0], [1.0]]))
    assert torch.allclose(means[0], torch.full((4, 4, 4), 1.5), atol=0.1)
    assert torch.allclose(means[1], torch.full((4, 4, 4), 3.5), atol=0.1)


def test_cooling_scales_the_components_and_the_rest_each_by_its_own_factor() -> None:
    prior, _ = fitted()
    kind = torch.ones(4, dtype=torch.int64)
    noise = torch.randn(4, 4, 4, 4, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(prior.cooled(noise, kind, 1.0, 1.0), noise, atol=1e-5)
    basis = prior.basis[1]
    held = noise.flatten(1) @ basis.T
    cooled = prior.cooled(noise, kind, 0.9, 0.3).flatten(1)
    assert torch.allclose(cooled @ basis.T, 0.9 * held, atol=1e-5)
    rest = noise.flatten(1) - held @ basis
    assert torch.allclose(cooled - cooled @ basis.T @ basis, 0.3 * rest, atol=1e-5)
