"""Restoration: estimates of the damage, what is known stays, the prior acts as far as it is supported, tiles join."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synth.diffusion import estimate, restore, shrink, tiles
from synth.diffusion.degrade import Damage, blurred, clipped_mean, degrade, unclipped
from synth.diffusion.kinds import KINDS
from synth.models.tiny import TinyModel
from synth.types import RESTORATIONS
from tests.phantoms import film


def phantom(size_px: int = 256, seed: int = 0) -> torch.Tensor:
    """A smooth film, (1, 1, size, size)."""
    return blurred(torch.from_numpy(film(size_px, seed).astype(np.float32) / 255)[None, None], 1.0)


def noisy(x: torch.Tensor, noise: float) -> torch.Tensor:
    return (x + noise * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def error(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).square().mean().sqrt())


def test_every_kind_has_its_operator_and_its_name() -> None:
    assert tuple(KINDS) == RESTORATIONS


@given(st.integers(1, 700), st.integers(1, 700))
def test_tiles_cover_every_pixel_and_neighbours_overlap(height: int, width: int) -> None:
    spots = tiles.places(max(height, 256), max(width, 256))
    covered = np.zeros((max(height, 256), max(width, 256)), bool)
    for top, left in spots:
        covered[top : top + 256, left : left + 256] = True
    assert covered.all()
    for axis in (0, 1):
        starts = sorted({spot[axis] for spot in spots})
        assert all(later - earlier <= 256 - tiles.OVERLAP_PX for earlier, later in pairwise(starts))
    assert len(spots) == tiles.count(height, width, "gaussian")


def test_laying_the_tiles_of_a_picture_together_gives_the_picture() -> None:
    whole = np.random.default_rng(0).random((389, 611), np.float32)
    out = tiles.Mosaic(*whole.shape)
    for top, left in tiles.places(*whole.shape):
        out.lay((top, left), whole[top : top + 256, left : left + 256])
    assert np.allclose(out.picture(), whole, atol=1e-5)


def test_a_local_operator_by_tiles_is_the_operator_on_the_whole() -> None:
    whole = phantom(400)
    out = tiles.Mosaic(400, 400)
    for top, left in tiles.places(400, 400):
        out.lay((top, left), blurred(whole[..., top : top + 256, left : left + 256], 1.0)[0, 0].numpy())
    assert np.abs(out.picture() - blurred(whole, 1.0)[0, 0].numpy()).max() < 1.0 / 255


@pytest.mark.parametrize("noise", [0.03, 0.08])
def test_the_noise_of_a_picture_is_estimated_from_it(noise: float) -> None:
    assert estimate.noise_level(noisy(phantom(), noise)) == pytest.approx(noise, rel=0.15)
    assert estimate.noise_level(torch.zeros(1, 1, 64, 64)) == 0.0


def test_counting_noise_is_estimated_as_that_of_a_white_pixel() -> None:
    x = phantom()
    counts = torch.from_numpy(np.random.default_rng(0).poisson(200 * x.numpy()).astype(np.float32)) / 200
    assert estimate.noise_level(counts, counting=True) == pytest.approx(200**-0.5, rel=0.15)


@given(st.floats(0.01, 0.2))
def test_what_clipping_does_to_the_mean_of_noise_is_taken_back(noise: float) -> None:
    grey = torch.linspace(0, 1, 64).view(1, 1, 8, 8)
    assert torch.allclose(unclipped(clipped_mean(grey, noise), noise), grey, atol=3e-3)
    draws = (0.02 + noise * torch.randn(40_000, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    assert float(clipped_mean(torch.tensor([0.02]), noise)) == pytest.approx(float(draws.mean()), abs=3e-3)


def test_sliding_cosines_take_most_of_the_noise() -> None:
    x = phantom()
    y = noisy(x, 0.08)
    assert error(shrink.without_clipped_noise(y, 0.08), x) < 0.3 * error(y, x)


def test_deblurring_sharpens_and_back_projection_keeps_the_observed_pixels() -> None:
    x = phantom()
    soft = blurred(x, 1.5)
    assert error(shrink.deblurred(soft, 1.5, 0.0), x) < 0.5 * error(soft, x)
    small = torch.nn.functional.avg_pool2d(x, 4)
    big = shrink.projected(shrink.enlarged(small, 4), small, 4)
    assert error(torch.nn.functional.avg_pool2d(big, 4), small) < 0.5 / 255


def test_a_change_is_supported_only_where_the_picture_asks_for_it() -> None:
    change, misfit = torch.ones(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    misfit[..., :32] = 0.7
    share = shrink.supported(change, misfit, 4.0)
    assert torch.allclose(share[..., :8], torch.tensor(0.7), atol=0.05)
    assert torch.allclose(share[..., -8:], torch.tensor(0.0), atol=0.05)
    assert shrink.supported(change, -misfit, 4.0).max() == 0.0


def test_a_led_denoiser_comes_nearer_to_what_was_observed() -> None:
    aim = torch.full((1, 4, 8, 8), 0.5)
    plain = restore.led(lambda z, sigma: torch.zeros_like(z), lambda z0: (z0 - aim) / 0.1)
    moved = plain(torch.zeros(1, 4, 8, 8), 1.0)
    assert torch.allclose(moved, torch.full_like(moved, 0.5 / (1 + 2 * 0.01)), atol=1e-3)  # the posterior mean
    assert torch.allclose(plain(torch.zeros(1, 4, 8, 8), 1e-3), torch.zeros_like(moved), atol=1e-3)


def test_light_and_haze_are_found_together() -> None:
    x = phantom()
    ramp = torch.linspace(0.02, 0.08, 4).view(1, 1, 1, 4).expand(1, 1, 4, 4).contiguous()
    true = Damage("low_light", 0.0, light=0.3, haze=ramp)
    y = degrade(x, true)
    light, haze = estimate.first_light(y, "DX chest")
    assert 0.15 < light < 0.6
    for _ in range(20):
        light, haze = estimate.light_of(x, y, light, haze)
    found = restore.lit(y, Damage("low_light", 0.0, light=light, haze=haze))
    assert error(found, x) < 0.02


def test_the_mean_stays_within_its_bound() -> None:
    x = phantom()
    damage = Damage("gaussian", 0.05)
    y = noisy(x, 0.05)
    assert abs(restore.mean_shift(x, y, damage)) < 0.001
    for off in (-0.1, 0.1):
        back = restore.bounded((x + off).clamp(0, 1), y, damage)
        assert abs(restore.mean_shift(back, y, damage)) <= restore.MEAN_SHIFT_MAX
    assert restore.bounded(x, y, damage) is x


def test_a_restored_tile_keeps_what_was_not_lost_to_the_last_bit() -> None:
    model, x = TinyModel(), phantom()
    hole = torch.zeros(1, 1, 256, 256)
    hole[..., 100:124, 60:84] = 1.0
    y = torch.where(hole > 0, torch.zeros_like(x), x)
    damage = Damage("blocks", 0.0, hole=hole)
    first = shrink.filled(torch.where(hole > 0, x.mean(), x), hole)
    prior = restore.Prior(model, model.encode_text([""], 256), 4)
    seen: list[int] = []
    with torch.no_grad():
        out = restore.restore_tile(prior, y, first, damage, lambda index, z0: seen.append(index))
    assert seen == [1, 2, 3, 4]
    assert torch.equal(out[hole == 0], y[hole == 0])
    assert error(out[hole > 0], x[hole > 0]) < 0.5 * error(y[hole > 0], x[hole > 0])
