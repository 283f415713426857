"""The denoiser: diffusers' conditional U-Net in the EDM form with sigma_data 1 (Karras et al. 2022, arXiv 2206.00364).

Eleven input channels: noisy latent 4, known latent 4, unknown area 1, lesion mask 1, "lesion mask is given" 1;
with them goes the linear estimate of the Gaussian prior, 4. Text to image is the case "everything unknown, no lesion
mask given".
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from synth.diffusion.model import Condition
from synth.models.networks.prior import GaussianPrior, PriorConfig

INPUT_CHANNELS = 11 + 4


@dataclass(frozen=True, slots=True)
class DenoiserConfig:
    """Sizes of the denoiser. `patch` 2 joins 2 x 2 latent cells to one, for CPUs."""

    channels: tuple[int, ...] = (96, 160, 256)
    layers: int = 2
    attention: tuple[bool, ...] = (False, True, True)
    patch: int = 1
    text_width: int = 256
    dropout: float = 0.1
    place: int = 8  # learnt channels that tell the network where it is; films are alike in their layout
    place_px: int = 16  # side of the learnt map, resized to the latent
    prior: PriorConfig = field(default_factory=PriorConfig)

    def to_json(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DenoiserConfig:
        """The config back from config.json."""
        return cls(
            **{
                **data,
                "channels": tuple(data["channels"]),
                "attention": tuple(data["attention"]),
                "prior": PriorConfig(**data["prior"]),
            }
        )


class Denoiser(nn.Module):
    """Estimates the clean latent: z, sigma and a condition to z0, all (B, 4, h, w)."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = GaussianPrior(config.prior)
        area = config.patch**2
        self.unet = UNet2DConditionModel(
            in_channels=INPUT_CHANNELS * area + config.place,
            out_channels=4 * area,
            block_out_channels=config.channels,
            layers_per_block=config.layers,
            down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in config.attention),
            up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(config.attention)),
            cross_attention_dim=config.text_width,
            attention_head_dim=tuple(c // 32 for c in config.channels),  # this class reads it as the number of heads
            class_embed_type="projection",
            projection_class_embeddings_input_dim=config.text_width,
            dropout=config.dropout,
        )
        self.place = nn.Parameter(0.1 * torch.randn(1, config.place, config.place_px, config.place_px))
        nn.init.zeros_(self.unet.conv_out.weight)
        nn.init.zeros_(self.unet.conv_out.bias)

    def forward(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """The estimate of z0 (eq. 7): c_skip z + c_out F(c_in z, sigma)."""
        s = sigma.view(-1, 1, 1, 1)
        return z / (1 + s * s) + self.velocity(z, sigma, cond) * s / (1 + s * s).sqrt()

    def velocity(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """F, what the prior's velocity and the network add up to; its target is -v, of unit variance at every sigma."""
        s = sigma.view(-1, 1, 1, 1)
        root = (1 + s * s).sqrt()
        linear = self.prior(z, sigma, cond.kind, cond.features)
        x = torch.cat((z / root, linear, cond.known, cond.unknown, cond.lesion, cond.lesion_given), dim=1)
        patch = self.config.patch
        x = F.pixel_unshuffle(x, patch)
        place = F.interpolate(self.place, size=x.shape[-2:], mode="bilinear", align_corners=False)
        x = torch.cat((x, place.expand(x.shape[0], -1, -1, -1).to(x.dtype)), dim=1)
        out = self.unet(
            x,
            timestep_of(sigma),
            encoder_hidden_states=cond.text,
            encoder_attention_mask=cond.text_mask,
            class_labels=cond.pooled,
        ).sample
        own: Tensor = F.pixel_shuffle(out, patch).float()
        velocity: Tensor = own + (linear - z / (root * root)) * root / s
        return velocity


def timestep_of(sigma: Tensor) -> Tensor:
    """Noise level to the sinusoidal embedding's input: 1000 * 2/pi * atan(sigma), in (0, 1000)."""
    return 1000 * 2 / math.pi * torch.atan(sigma)
