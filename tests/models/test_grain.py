"""Grain: strength where it is asked for, in the band that it is asked in, and the same again every time."""

from __future__ import annotations

import torch

from synth.models.networks import grain
from synth.models.networks.codec import Codec, CodecConfig

FULL = (1.0, 1.0, 1.0)


def band_power(picture: torch.Tensor, low: float, high: float) -> float:
    """Mean power per frequency of (1, 1, H, W) in a ring of frequencies, cycles a pixel."""
    size = picture.shape[-1]
    frequency = torch.hypot(torch.fft.fftfreq(size)[:, None], torch.fft.fftfreq(size)[None])
    power = torch.fft.fft2(picture[0, 0]).abs().square() / size**2
    return float(power[(frequency >= low) & (frequency < high)].mean())


def test_energies_of_white_noise_are_its_variance() -> None:
    noise = 3.0 * torch.randn(8, 1, 256, 256, generator=torch.Generator().manual_seed(1))
    energies = grain.energies(noise).mean((0, 2, 3))
    assert torch.allclose(energies, torch.full((grain.CHANNELS,), 9.0), rtol=0.05)


def test_texture_of_one_sigma_is_white_in_its_bands_and_leaves_the_thumbnail_alone() -> None:
    texture = 20 * grain.texture(torch.full((1, grain.CHANNELS, 64, 64), 0.05).log(), FULL)
    for low, high in ((0.18, 0.25), (0.25, 0.35), (0.35, 0.40)):
        assert 0.7 < band_power(texture, low, high) < 1.3
    assert band_power(texture, 0.0, 0.06) < 0.1


def test_a_band_with_gain_0_is_left_out() -> None:
    log_sigma = torch.zeros(1, grain.CHANNELS, 64, 64)
    fine = grain.texture(log_sigma, (0.0, 0.0, 1.0))
    assert band_power(fine, 0.13, 0.18) < 0.1 * band_power(fine, 0.36, 0.42)


def test_grain_has_a_ceiling() -> None:
    high, higher = (grain.texture(torch.full((1, grain.CHANNELS, 16, 16), value), FULL) for value in (-2.0, 0.0))
    assert torch.equal(high, higher)


def test_grain_is_strong_where_sigma_is_and_the_same_again() -> None:
    log_sigma = torch.full((1, grain.CHANNELS, 16, 16), -6.0)
    log_sigma[..., 8:] = 0.0
    one, again = grain.texture(log_sigma, FULL), grain.texture(log_sigma.clone(), FULL)
    assert torch.equal(one, again)
    assert one[..., 44:].std() > 20 * one[..., :20].std()


def test_the_likelihood_is_best_at_the_true_sigma() -> None:
    noise = 0.1 * torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(2))
    true = torch.full((4, grain.CHANNELS, 32, 32), 0.1).log()
    losses = [grain.likelihood_loss(true + shift, noise) for shift in (-0.3, 0.0, 0.3)]
    assert losses[1] < min(losses[0], losses[2])


def test_a_codec_with_grain_decodes_any_size_and_the_mean_picture_is_apart() -> None:
    config = CodecConfig(channels=(16, 16), layers=1, groups=4, grain=(0.5, 0.5, 0.5))
    codec = Codec(config).eval()
    assert CodecConfig.from_json(config.to_json()) == config
    for side in (8, 32):
        z = torch.randn(2, 4, side, side, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            mean, log_sigma = codec.decode_parts(z)
            whole = codec.decode(z)
        assert mean.shape == whole.shape == (2, 1, 8 * side, 8 * side)
        assert log_sigma is not None
        assert torch.allclose(whole - mean, grain.texture(log_sigma, config.grain), atol=1e-5)
        assert (whole - mean).std() > 0.005


def test_a_codec_without_grain_gives_the_mean_picture() -> None:
    codec = Codec(CodecConfig(channels=(16, 16), layers=1, groups=4)).eval()
    z = torch.randn(1, 4, 8, 8)
    mean, log_sigma = codec.decode_parts(z)
    assert log_sigma is None
    assert torch.equal(codec.decode(z), mean)
