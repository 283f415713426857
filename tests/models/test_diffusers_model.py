from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from synth.errors import ModelError, RequestError, WeightsCorrupt
from synth.models.cards import write_card
from synth.models.checkpoint import open_checkpoint
from synth.models.diffusers_model import DiffusersModel, NoiseLevels

CPU = torch.device("cpu")
ALPHAS = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
SIGMAS = ((1 - ALPHAS) / ALPHAS).sqrt()


@pytest.fixture
def model(save_checkpoint: Callable[..., Path]) -> DiffusersModel:
    return open_checkpoint(save_checkpoint(), "tiny/sd", CPU)


@pytest.mark.parametrize("level", [0, 1, 250, 998, 999])
def test_the_sigma_of_a_level_leads_back_to_it(level: int) -> None:
    levels = NoiseLevels.from_alphas(ALPHAS, "epsilon")
    assert levels.timestep(SIGMAS[level : level + 1]).item() == pytest.approx(level, abs=0.01)


def test_a_sigma_between_two_levels_is_a_fraction_in_log_sigma() -> None:
    levels = NoiseLevels.from_alphas(ALPHAS, "epsilon")
    between = (SIGMAS[500] * SIGMAS[501]).sqrt()
    assert levels.timestep(between[None]).item() == pytest.approx(500.5, abs=0.01)


def test_sigmas_beyond_the_ends_stay_at_the_ends() -> None:
    levels = NoiseLevels.from_alphas(ALPHAS, "epsilon")
    assert levels.timestep(torch.tensor([0.0, 1e-4, 80.0])).tolist() == pytest.approx([0.0, 0.0, 999.0])


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_a_perfect_network_gives_back_the_clean_latent(prediction: str) -> None:
    levels = NoiseLevels.from_alphas(ALPHAS, prediction)
    level = torch.tensor([3, 400, 999])
    clean, noise = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    a = ALPHAS[level].view(-1, 1, 1, 1)
    x = levels.input(clean + SIGMAS[level].view(-1, 1, 1, 1) * noise, SIGMAS[level])
    torch.testing.assert_close(x, a.sqrt() * clean + (1 - a).sqrt() * noise, rtol=1e-4, atol=1e-5)
    answer = {"epsilon": noise, "v_prediction": a.sqrt() * noise - (1 - a).sqrt() * clean, "sample": clean}[prediction]
    torch.testing.assert_close(levels.estimate(x, answer, SIGMAS[level]), clean, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_estimate_equals_that_of_the_diffusers_scheduler(prediction: str) -> None:
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction, clip_sample=False
    )
    scheduler.set_timesteps(1000)
    x, output = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    expected = scheduler.step(output, 400, x).pred_original_sample
    levels = NoiseLevels.from_alphas(ALPHAS, prediction)
    torch.testing.assert_close(levels.estimate(x, output, SIGMAS[400:401]), expected, rtol=1e-4, atol=1e-4)


def test_above_the_noisiest_level_the_estimate_stays_bounded() -> None:
    levels = NoiseLevels.from_alphas(ALPHAS, "epsilon")
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    sigma = torch.tensor([80.0])
    x = levels.input(80 * noise, sigma)
    assert levels.estimate(x, torch.zeros_like(x), sigma).std().item() < float(SIGMAS[-1]) * 1.3


def test_an_unknown_prediction_type_is_named() -> None:
    with pytest.raises(ModelError, match="prediction type is 'flow'"):
        NoiseLevels.from_alphas(ALPHAS, "flow")


def test_a_zero_terminal_signal_gives_finite_levels() -> None:
    levels = NoiseLevels.from_alphas(torch.tensor([0.99, 0.5, 0.0]), "v_prediction")
    assert torch.isfinite(levels.log_sigmas).all()


def test_shapes_and_ranges_follow_the_protocol(model: DiffusersModel) -> None:
    assert model.latent_shape(16) == (4, 8, 8)
    cond = model.encode_text(["chest x ray", ""], 16)
    assert cond.text.shape == (2, 12, 8) and cond.pooled.shape == (2, 8) and cond.text_mask.shape == (2, 12)
    assert cond.known.shape == (2, 4, 8, 8) and cond.unknown.min() == 1 and cond.lesion_given.max() == 0
    z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    z0 = model.denoise(z, torch.tensor([1.0, 5.0]), cond)
    assert z0.shape == z.shape and z0.dtype == torch.float32
    pixels = model.to_pixels(z0)
    assert pixels.shape == (2, 1, 16, 16) and pixels.min() >= 0 and pixels.max() <= 1
    assert model.to_latent(pixels).shape == (2, 4, 8, 8)
    assert model.preview(z0).shape == (2, 1, 8, 8)
    assert model.zone_mask("left", "lower", 16) is None


def test_one_image_alone_equals_the_same_in_a_batch(model: DiffusersModel) -> None:
    captions = ["no finding", "pneumonia", "chest"]
    z = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.5, 2.0, 9.0])
    batch = model.denoise(z, sigma, model.encode_text(captions, 16))
    alone = model.denoise(z[1:2], sigma[1:2], model.encode_text(captions[1:2], 16))
    torch.testing.assert_close(alone, batch[1:2], rtol=1e-4, atol=1e-4)


def test_the_text_changes_the_estimate(model: DiffusersModel) -> None:
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([2.0])
    one = model.denoise(z, sigma, model.encode_text(["pneumonia"], 16))
    other = model.denoise(z, sigma, model.encode_text(["no finding"], 16))
    assert (one - other).abs().max() > 1e-4


def test_latents_carry_the_scaling_factor_of_the_codec(model: DiffusersModel, tmp_path: Path) -> None:
    from diffusers import AutoencoderKL

    pixels = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    codec = AutoencoderKL.from_pretrained(tmp_path / "sd" / "vae")
    raw = codec.encode((pixels * 2 - 1).expand(-1, 3, -1, -1)).latent_dist.mean
    torch.testing.assert_close(model.to_latent(pixels), raw.detach() * 0.5)
    decoded = codec.decode(raw).sample.mean(dim=1, keepdim=True)
    torch.testing.assert_close(model.to_pixels(raw * 0.5), ((decoded + 1) / 2).clamp(0, 1).detach())


def test_the_preview_of_an_even_latent_is_near_its_brightness(model: DiffusersModel) -> None:
    z = torch.tensor([0.5, -0.3, 0.2, 0.4]).view(1, 4, 1, 1).expand(-1, -1, 8, 8)
    assert model.preview(z).mean().item() == pytest.approx(model.to_pixels(z).mean().item(), abs=0.05)


def test_a_caption_that_is_too_long_is_refused(model: DiffusersModel) -> None:
    with pytest.raises(RequestError, match=r"The caption has \d+ tokens; the model tiny/sd reads at most 12"):
        model.encode_text(["pneumonia and more words"], 16)


@pytest.mark.parametrize("mask", ["unknown", "lesion_given", "known"])
def test_masks_are_refused_rather_than_ignored(model: DiffusersModel, mask: str) -> None:
    cond = model.encode_text(["chest"], 16)
    half = torch.full((1, 4 if mask == "known" else 1, 8, 8), 0.5)
    with pytest.raises(ModelError, match="cannot use a mask"):
        model.denoise(torch.zeros(1, 4, 8, 8), torch.tensor([1.0]), replace(cond, **{mask: half}))


def test_the_card_hashes_every_weight_file(model: DiffusersModel) -> None:
    assert sorted(model.card.files) == [
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    assert (model.card.id, model.card.native_px, model.card.revision) == ("tiny/sd", 16, "local")


def test_a_card_in_the_folder_is_believed_and_checked(
    model: DiffusersModel, tmp_path: Path, save_checkpoint: Callable[..., Path]
) -> None:
    card = replace(model.card, title="Mine", text_findings=("mass",))
    write_card(tmp_path / "sd", card, "")
    assert open_checkpoint(tmp_path / "sd", "tiny/sd", CPU).card == card
    write_card(tmp_path / "sd", replace(card, files={name: "0" * 64 for name in card.files}), "")
    with pytest.raises(WeightsCorrupt, match="text_encoder"):
        open_checkpoint(tmp_path / "sd", "tiny/sd", CPU)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_part_without_safetensors_is_named(save_checkpoint: Callable[..., Path], part: str) -> None:
    folder = save_checkpoint()
    weights = next((folder / part).glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match=f"The part {part} of the checkpoint x cannot be opened"):
        open_checkpoint(folder, "x", CPU)


def test_a_damaged_part_is_named(save_checkpoint: Callable[..., Path]) -> None:
    folder = save_checkpoint()
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x10" * 100)
    with pytest.raises(ModelError, match="The part unet of the checkpoint x cannot be opened"):
        open_checkpoint(folder, "x", CPU)


def test_a_checkpoint_without_tokenizer_is_named(save_checkpoint: Callable[..., Path]) -> None:
    folder = save_checkpoint()
    for path in (folder / "tokenizer").iterdir():
        path.unlink()
    with pytest.raises(ModelError, match="The part tokenizer of the checkpoint x cannot be opened"):
        open_checkpoint(folder, "x", CPU)


def test_a_checkpoint_without_noise_levels_is_refused(save_checkpoint: Callable[..., Path]) -> None:
    folder = save_checkpoint()
    (folder / "scheduler" / "scheduler_config.json").unlink()
    with pytest.raises(ModelError, match=r"no readable scheduler/scheduler_config\.json"):
        open_checkpoint(folder, "x", CPU)


def test_an_inpainting_checkpoint_is_refused(save_checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="takes 9 channels and its codec makes 4"):
        open_checkpoint(save_checkpoint(in_channels=9), "x", CPU)


def test_a_text_encoder_of_another_width_is_refused(save_checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="wants text of width 8, its encoder gives 16"):
        open_checkpoint(save_checkpoint(text_width=16), "x", CPU)
