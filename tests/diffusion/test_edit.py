"""Edits: what is known stays, the start lies between picture and noise, and outside its weight a picture is itself."""

from __future__ import annotations

import pytest
import torch

from synth.diffusion import edit, sampler, schedule
from synth.models.tiny import TinyModel


def pictures(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 1, 64, 64, generator=torch.Generator().manual_seed(count))


def test_an_anchored_sampler_ends_on_the_known_latent_wherever_it_is_known() -> None:
    known = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    unknown = torch.zeros(1, 1, 8, 8)
    unknown[..., 2:5, 2:5] = 1.0
    denoise = edit.anchored(lambda z, sigma: torch.full_like(z, 7.0), known, unknown)
    z = 80.0 * torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    *_, last = sampler.sample("euler", denoise, z, schedule.karras(6), iter(()))
    assert torch.allclose(last.z * (1 - unknown), known * (1 - unknown), atol=1e-4)
    assert torch.allclose(last.z * unknown, 7.0 * unknown, atol=1e-4)


def test_the_start_is_pure_noise_at_strength_one_and_near_the_picture_at_a_small_one() -> None:
    latent, noise, sigmas = torch.ones(1, 4, 8, 8), torch.ones(1, 4, 8, 8), schedule.karras(10)
    z, levels = edit.start(latent, noise, sigmas, 1.0)
    assert torch.equal(levels, sigmas)
    assert torch.allclose(z, torch.tensor(1.0 + schedule.SIGMA_MAX))
    z, levels = edit.start(latent, noise, sigmas, 0.3)
    assert len(levels) == 4
    assert torch.allclose(z, 1.0 + sigmas[7].float())
    assert len(edit.start(latent, noise, sigmas, 0.01)[1]) == 2


def test_the_composite_is_the_picture_itself_where_the_weight_is_0() -> None:
    before, after, weight = pictures(1), pictures(2)[:1], torch.zeros(1, 1, 64, 64)
    weight[..., 10:20, 10:20] = 1.0
    pixels = pictures(3)[:1]
    out = edit.composite(pixels, before, after, weight)
    assert torch.equal(out[weight == 0], pixels[weight == 0])
    assert torch.allclose(out[weight > 0], (pixels + after - before).clamp(0, 1)[weight > 0])
    assert torch.equal(edit.composite(pixels, before, before, torch.ones_like(weight)), pixels)


def test_a_lesion_goes_onto_a_picture_that_is_known_in_full() -> None:
    model, pixels = TinyModel(), pictures(1)
    cond, latent = model.encode_text(["chest x ray, mass"], 64), model.to_latent(pixels)
    lesion = torch.zeros(1, 1, 64, 64)
    lesion[..., 20:30, 20:30] = 1.0
    onto = edit.onto(cond, latent, lesion)
    assert torch.equal(onto.known, latent)
    assert onto.lesion.sum() == 25  # 10 x 10 px in cells of 2 px
    assert bool((onto.lesion_given == 1).all())


def test_what_is_to_heal_is_hidden_and_its_lesion_mask_is_empty() -> None:
    model, pixels = TinyModel(), pictures(1)
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:30, 20:30] = 1.0
    changed = torch.where(hole > 0, 1.0 - pixels, pixels)
    first, second = (edit.healed(model.encode_text(["chest x ray"], 64), model, p, hole) for p in (pixels, changed))
    assert torch.allclose(first.known, second.known)  # nothing of what the hole hides shows through
    assert first.lesion.sum() == 0
    assert bool((first.lesion_given == 1).all())
    assert first.unknown.sum() == 49  # 5 x 5 cells and one around


def test_what_is_magnified_and_reduced_is_in_its_place_again() -> None:
    plane = torch.zeros(1, 1, 64, 64)
    plane[..., 20:28, 30:38] = 1.0
    near = edit.magnified(plane, (16, 24, 32))
    assert 4 * plane.sum() == pytest.approx(float(near.sum()), rel=0.1)
    back = edit.reduced(near, (16, 24, 32))
    assert (back - plane).abs().max() < 0.2
    assert back[..., :16, :].abs().max() == 0 and back[..., 48:, :].abs().max() == 0


def test_the_whole_picture_as_a_close_up_is_itself() -> None:
    assert torch.equal(edit.magnified(pictures(), (0, 0, 64)), pictures())
    assert torch.equal(edit.reduced(pictures(), (0, 0, 64)), pictures())
