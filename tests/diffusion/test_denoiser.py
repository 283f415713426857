from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synth.diffusion import denoiser, noise
from synth.diffusion.model import Condition
from synth.models.tiny import TinyModel

SIZE_PX = 64


class Counting(TinyModel):
    """The analytic model, noting the batch size of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        self.batches.append(z.shape[0])
        return super().denoise(z, sigma, cond)


@pytest.fixture
def model() -> Counting:
    return Counting()


@pytest.fixture
def cond(model: Counting) -> Condition:
    return model.encode_text(["chest x ray, pneumonia", "chest ct, nodule"], SIZE_PX)


@pytest.fixture
def empty(model: Counting) -> Condition:
    return model.encode_text(["", ""], SIZE_PX)


@pytest.fixture
def z(model: Counting) -> Tensor:
    return 2.0 * next(noise.per_seed([1, 2], model.latent_shape(SIZE_PX), model.device))


def test_guidance_of_one_equals_no_guidance(model: Counting, cond: Condition, empty: Condition, z: Tensor) -> None:
    assert torch.equal(
        denoiser.guided(model, cond, empty, 1.0)(z, 2.0), model.denoise(z, torch.tensor([2.0, 2.0]), cond)
    )


def test_both_halves_go_through_the_network_in_one_call(
    model: Counting, cond: Condition, empty: Condition, z: Tensor
) -> None:
    denoiser.guided(model, cond, empty, 2.0)(z, 2.0)
    assert model.batches == [4]


@pytest.mark.parametrize(("sigma", "batch"), [(80.0, 2), (20.0, 2), (19.9, 4), (0.51, 4), (0.5, 2), (0.02, 2)])
def test_the_unconditional_half_is_left_out_where_guidance_is_off(
    model: Counting, cond: Condition, empty: Condition, z: Tensor, sigma: float, batch: int
) -> None:
    denoiser.guided(model, cond, empty, 2.0)(z, sigma)
    assert model.batches == [batch]


def test_the_unconditional_half_is_left_out_at_scale_one(
    model: Counting, cond: Condition, empty: Condition, z: Tensor
) -> None:
    denoiser.guided(model, cond, empty, 1.0)(z, 2.0)
    assert model.batches == [2]


def test_unscaled_guidance_extrapolates_from_the_unconditional_estimate(
    model: Counting, cond: Condition, empty: Condition, z: Tensor
) -> None:
    level = torch.tensor([2.0, 2.0])
    conditional, unconditional = model.denoise(z, level, cond), model.denoise(z, level, empty)
    drawn = denoiser.guided(model, cond, empty, 3.0, rescale=0.0)(z, 2.0)
    assert torch.allclose(drawn, unconditional + 3.0 * (conditional - unconditional), atol=1e-5)
    assert not torch.allclose(drawn, conditional, atol=1e-2)


def test_the_unasked_half_knows_the_picture_but_neither_text_nor_lesion(cond: Condition, empty: Condition) -> None:
    cond.lesion_given.fill_(1.0)
    cond.lesion.fill_(0.5)
    cond.known.fill_(0.3)
    half = cond.unasked(empty)
    assert float(half.lesion_given.max()) == float(half.lesion.max()) == 0.0
    assert torch.equal(half.known, cond.known) and torch.equal(half.unknown, cond.unknown)
    assert torch.equal(half.pooled, empty.pooled)


def test_full_rescale_gives_each_image_the_contrast_of_its_conditional_estimate() -> None:
    generator = torch.Generator().manual_seed(0)
    conditional = torch.randn(3, 4, 8, 8, generator=generator) * torch.tensor([0.5, 1.0, 2.0])[:, None, None, None]
    wide = 3.0 * conditional
    assert torch.allclose(denoiser.rescaled(wide, conditional, 1.0), conditional, atol=1e-5)
    assert torch.equal(denoiser.rescaled(wide, conditional, 0.0), wide)
    assert torch.allclose(denoiser.rescaled(wide, conditional, 0.5), 2.0 * conditional, atol=1e-5)


def test_stacked_conditions_keep_their_order(cond: Condition, empty: Condition) -> None:
    both = denoiser.stack(cond, empty)
    assert torch.equal(both.pooled[:2], cond.pooled)
    assert torch.equal(both.pooled[2:], empty.pooled)
    assert both.known.shape == (4, 4, 32, 32)
