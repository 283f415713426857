from __future__ import annotations

import torch

from synth.diffusion import noise, sampler, schedule
from synth.diffusion.model import Condition, Model
from synth.models.tiny import TinyModel
from synth.types import Side, Zone

SIZE_PX = 64
MODEL = TinyModel()


def encode(*captions: str) -> Condition:
    return MODEL.encode_text(list(captions), SIZE_PX)


def mean_picture(caption: str) -> torch.Tensor:
    return MODEL.mean(encode(caption))[0, 0]


def test_it_keeps_the_protocol() -> None:
    model: Model = MODEL
    assert model.card.id == "tiny"
    assert model.latent_shape(256) == (4, 128, 128)


def test_pixels_come_back_from_the_latent() -> None:
    pixels = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(MODEL.to_pixels(MODEL.to_latent(pixels)), pixels, atol=1e-6)


def test_the_codec_is_orthonormal_up_to_its_grey_scale() -> None:
    pixels = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    energy = ((pixels - 0.5) / 0.5).square().sum()
    assert torch.allclose(MODEL.to_latent(pixels).square().sum(), energy, rtol=1e-5)


def test_the_preview_is_the_picture_at_half_size() -> None:
    pixels = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    small = torch.nn.functional.avg_pool2d(pixels, 2)
    assert torch.allclose(MODEL.preview(MODEL.to_latent(pixels)), small, atol=1e-6)


def test_the_denoiser_is_the_posterior_mean_of_its_prior() -> None:
    # For the best estimate the error is uncorrelated with every function of the input (orthogonality principle).
    cond = encode(*["chest x ray, pneumonia"] * 64)

    def estimated(z: torch.Tensor, sigma: float) -> torch.Tensor:
        return MODEL.denoise(z, torch.full((64,), sigma), cond)

    draws = noise.per_seed(list(range(64)), MODEL.latent_shape(SIZE_PX), MODEL.device)
    *_, last = sampler.heun(estimated, 80.0 * next(draws), schedule.karras(30))
    truth = last.z
    for sigma in (0.1, 1.0, 10.0):
        z = truth + sigma * next(draws)
        estimate = estimated(z, sigma)
        error, signal = truth - estimate, z - estimate.mean(0)
        correlation = (error * signal).mean() / (error.std() * signal.std())
        assert abs(correlation.item()) < 0.03
        assert error.square().mean() < 0.9 * (truth - z).square().mean()


def test_at_no_noise_the_estimate_is_the_input_and_at_all_noise_the_mean() -> None:
    cond = encode("chest x ray, no finding")
    z = next(noise.per_seed([0], MODEL.latent_shape(SIZE_PX), MODEL.device))
    assert torch.allclose(MODEL.denoise(z, torch.tensor([1e-6]), cond), z, atol=2e-2)
    blind = MODEL.to_pixels(MODEL.denoise(z, torch.tensor([1e6]), cond))
    assert torch.allclose(blind[0, 0], (0.5 + 0.5 * mean_picture("no finding")).clamp(0, 1), atol=1e-3)


def test_findings_and_modalities_differ_and_negated_findings_do_not_appear() -> None:
    normal = mean_picture("chest x ray, pa view, no finding")
    pictures = [mean_picture(f"chest x ray, {word}") for word in ("pneumonia", "pleural effusion", "nodule", "edema")]
    pictures += [normal, mean_picture("chest ct, axial view, no finding")]
    for index, picture in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (picture - other).abs().max() > 0.1
    assert torch.equal(mean_picture("chest x ray, pa view, no finding, no pneumonia"), normal)


def test_the_heart_lies_on_the_patients_left() -> None:
    film = mean_picture("chest x ray, pa view, no finding")
    row = film[40]  # below the hilum
    assert row[33:52].mean() > row[12:31].mean() + 0.3


def test_zone_masks_lie_where_they_say() -> None:
    right = MODEL.zone_mask(Side.RIGHT, None, SIZE_PX)
    left = MODEL.zone_mask(Side.LEFT, None, SIZE_PX)
    both = MODEL.zone_mask(Side.BOTH, None, SIZE_PX)
    upper = MODEL.zone_mask(Side.RIGHT, Zone.UPPER, SIZE_PX)
    lower = MODEL.zone_mask(Side.RIGHT, Zone.LOWER, SIZE_PX)
    assert right.shape == (1, 1, 32, 32)
    assert right[..., :16].sum() > 20 * right[..., 16:].sum()  # the patient's right is left in the picture
    assert left[..., 16:].sum() > 20 * left[..., :16].sum()
    assert torch.equal(both, torch.maximum(right, left))
    assert upper[..., :16, :].sum() > 10 * upper[..., 16:, :].sum()
    assert lower[..., 16:, :].sum() > 10 * lower[..., :16, :].sum()


def test_a_lesion_mask_moves_the_finding() -> None:
    cond = encode("chest x ray, pneumonia", "chest x ray, no finding")
    cond.lesion[0] = MODEL.zone_mask("left", "lower", SIZE_PX)[0]
    cond.lesion_given[0] = 1.0
    drawn, normal = MODEL.mean(cond)[:, 0]
    change = (drawn - normal).abs()
    assert change[:, 32:].max() > 0.2
    assert change[:, :28].max() < 0.01


def test_what_is_known_stays() -> None:
    cond = encode("chest x ray, no finding")
    cond.known.fill_(0.3)
    cond.unknown[..., :16] = 0.0
    z0 = MODEL.denoise(torch.zeros(1, 4, 32, 32), torch.tensor([1.0]), cond)
    assert torch.equal(z0[..., :16], cond.known[..., :16])
    assert not torch.equal(z0[..., 16:], cond.known[..., 16:])
