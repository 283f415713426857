"""What the codec saves: one step of the same U-Net on 32 x 32 latents and on 256 x 256 pixels."""

from __future__ import annotations

import time

import torch
from diffusers import UNet2DConditionModel

from synth.models.networks.denoiser import Denoiser, DenoiserConfig

LATENT_CELLS = 32
PIXELS = 256
PIXEL_CHANNELS = 5  # noisy 1, known 1, and the three masks: the latent's 11 with one value for four
SMALL = DenoiserConfig(channels=(32, 32, 32), layers=1, attention=(False, False, True))


def one_step(config: DenoiserConfig, *, pixels: bool, side: int) -> float:
    """Seconds of one warm forward pass of an untrained network for one image of side x side cells."""
    latent = Denoiser(config).unet
    channels = {"in_channels": PIXEL_CHANNELS, "out_channels": 1} if pixels else {}
    unet = UNet2DConditionModel.from_config({**latent.config, **channels}).eval()
    x = torch.randn(1, unet.config.in_channels, side, side)
    text, pooled = torch.randn(1, 48, config.text_width), torch.randn(1, config.text_width)
    with torch.inference_mode():
        unet(x, 500.0, encoder_hidden_states=text, class_labels=pooled)
        began = time.perf_counter()
        unet(x, 500.0, encoder_hidden_states=text, class_labels=pooled)
        return time.perf_counter() - began


def table(*, small: bool) -> str:
    """Both seconds and the ratio, as Markdown. `small` takes narrow networks and a quarter of the side."""
    config = SMALL if small else DenoiserConfig()
    shrink = 4 if small else 1
    latent = one_step(config, pixels=False, side=LATENT_CELLS // shrink)
    pixel = one_step(config, pixels=True, side=PIXELS // shrink)
    widths = ", ".join(map(str, config.channels))
    return (
        f"## Diffusion on latents and on pixels, one step of the same U-Net ({widths}), CPU, fp32\n\n"
        "| latent, s | pixels, s | pixels / latent | time saved by the codec |\n|--:|--:|--:|--:|\n"
        f"| {latent:.3f} | {pixel:.3f} | {pixel / latent:.1f} | {100 * (1 - latent / pixel):.1f} % |\n"
    )
