"""The codec: 8x fewer pixels a side, 4 channels, a thumbnail's wavelets plus what a KL autoencoder adds.

The latent of a picture is the Haar transform of its 64 x 64 thumbnail, to which a learnt encoder may add a
residual; the picture is the enlarged thumbnail plus what the decoder adds. Both start as a linear 4x resampling
and learn only the rest, so that a short training on a CPU begins at 34 dB instead of climbing there. Without
the learnt encoder (`encoder=False`, the CPU preset) encoding is two convolutions and costs nothing.
Fully convolutional: any size that 8 divides. After Rombach et al. 2022 (arXiv 2112.10752), KL variant.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import Tensor, nn

from synth.models.networks import grain

FACTOR = 8  # pixels a latent cell
LATENT_CHANNELS = 4
_LOBES = 6  # of the Lanczos kernel: 34.4 dB on unseen films where 3 lobes give 34.0
_TAPS = 8 * _LOBES  # at scale 4
_LOG_SIGMA = (-9.0, 0.0)  # of the grain, pixels in [-1, 1]


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """Sizes of the codec. `gains` bring the four wavelet bands of the thumbnail to about unit variance."""

    channels: tuple[int, ...] = (64, 96)
    layers: int = 2
    groups: int = 16
    encoder: bool = False  # a learnt residual on top of the wavelets
    gains: tuple[float, ...] = (1.0, 8.0, 8.0, 30.0)
    grain: tuple[float, ...] = ()  # amplitude of the drawn texture per band of synth.models.networks.grain; () = none

    def to_json(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CodecConfig:
        """The config back from config.json."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        return cls(**plain)


class Codec(nn.Module):
    """Pixels (B, 1, H, W) in [-1, 1] <-> latent (B, 4, H/8, W/8), not yet normalised."""

    analysis: Tensor
    gains: Tensor

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        blocks = len(config.channels)
        sizes: dict[str, Any] = {
            "block_out_channels": config.channels,
            "layers_per_block": config.layers,
            "norm_num_groups": config.groups,
            "mid_block_add_attention": False,
        }
        self.decoder = Decoder(LATENT_CHANNELS, 16, ("UpDecoderBlock2D",) * blocks, **sizes)
        self.decoder.conv_out = nn.Identity()  # two layers read its features: the picture's residual, its grain
        self.residual = nn.Conv2d(config.channels[0], 16, 3, padding=1)
        self.strength = nn.Conv2d(config.channels[0], grain.CHANNELS, 3, padding=1) if config.grain else None
        down = ("DownEncoderBlock2D",) * blocks
        self.encoder = Encoder(16, LATENT_CHANNELS, down, **sizes) if config.encoder else None
        kernel = _lanczos(4)
        self.register_buffer("analysis", kernel.clone(), persistent=False)  # (48,) separable, sums to 1
        self.synthesis = nn.Parameter(kernel.clone() * 4)
        self.register_buffer("gains", torch.tensor(config.gains).view(1, LATENT_CHANNELS, 1, 1), persistent=False)
        self._start_as_linear()

    def _start_as_linear(self) -> None:
        """Zero the learnt residuals, so that the first output is the enlarged thumbnail."""
        _silence(self.residual, 0.0)
        if self.strength is not None:
            _silence(self.strength, -4.0)  # 2 grey levels of grain
        if self.encoder is not None:
            nn.init.zeros_(self.encoder.conv_out.weight)
            with torch.no_grad():
                self.encoder.conv_out.bias[:LATENT_CHANNELS] = 0.0
                self.encoder.conv_out.bias[LATENT_CHANNELS:] = 2 * math.log(0.05)  # posterior sigma

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log variance of the posterior, each (B, 4, h, w); no variance without a learnt encoder."""
        if self.encoder is None:
            return self.wavelets(x), None
        residual, logvar = self.encoder(F.pixel_unshuffle(x, 4)).chunk(2, dim=1)
        return self.wavelets(x) + residual, logvar.clamp(-20.0, 4.0)

    def encode(self, x: Tensor) -> Tensor:
        """Posterior mean, (B, 4, h, w)."""
        return self.moments(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to (B, 1, H, W), about [-1, 1], not clamped: the mean picture and, where trained, its grain."""
        mean, log_sigma = self.decode_parts(z)
        return mean if log_sigma is None else mean + grain.texture(log_sigma, self.config.grain)

    def decode_parts(self, z: Tensor) -> tuple[Tensor, Tensor | None]:
        """The mean picture (B, 1, H, W) and ln sigma of its grain (B, 12, H/4, W/4), None for a codec without.

        Grain learns from the features of the mean picture and leaves them alone: its gradient ends here.
        """
        features = self.decoder(z)
        mean = _without_combs(self.enlarge(z) + F.pixel_shuffle(self.residual(features), 4))
        if self.strength is None:
            return mean, None
        return mean, self.strength(features.detach()).float().clamp(*_LOG_SIGMA)

    def wavelets(self, x: Tensor) -> Tensor:
        """Haar transform of the 4x reduced picture, times the gains: (B, 4, h, w)."""
        return _haar(_reduce(x, self.analysis)) * self.gains

    def thumbnail(self, z: Tensor) -> Tensor:
        """The 4x reduced picture that the latent contains, (B, 1, H/4, W/4): a preview that costs nothing."""
        return _inverse_haar(z / self.gains)

    def enlarge(self, z: Tensor) -> Tensor:
        """The thumbnail of the latent enlarged 4x, (B, 1, H, W)."""
        return _enlarge(self.thumbnail(z), self.synthesis)


def _without_combs(x: Tensor) -> Tensor:
    """Without lines of period 2 px, which upsampling leaves; 0.25 cycles a pixel keep 94 %. A notch at 0.5."""
    binomial = torch.tensor([1.0, 8, 28, 56, 70, 56, 28, 8, 1], device=x.device, dtype=x.dtype) / 256
    comb = binomial * torch.tensor([1.0, -1, 1, -1, 1, -1, 1, -1, 1], device=x.device, dtype=x.dtype)
    x = x - F.conv2d(F.pad(x, (4, 4, 0, 0), mode="reflect"), comb.view(1, 1, 1, -1))
    return x - F.conv2d(F.pad(x, (0, 0, 4, 4), mode="reflect"), comb.view(1, 1, -1, 1))


@torch.no_grad()
def _silence(layer: nn.Conv2d, bias: float) -> None:
    layer.weight.zero_()
    if layer.bias is not None:
        layer.bias.fill_(bias)


def _lanczos(scale: int) -> Tensor:
    position = (torch.arange(_TAPS) - (_TAPS - 1) / 2) / scale
    kernel = torch.sinc(position) * torch.sinc(position / _LOBES)
    return kernel / kernel.sum()


def _mirror(x: Tensor, n: int) -> Tensor:
    """Half-sample symmetric border of n: with it the films' edges cost 0.7 dB less than with repeated pixels."""
    x = torch.cat((x[..., :n].flip(-1), x, x[..., -n:].flip(-1)), dim=-1)
    return torch.cat((x[..., :n, :].flip(-2), x, x[..., -n:, :].flip(-2)), dim=-2)


def _reduce(x: Tensor, kernel: Tensor) -> Tensor:
    x = _mirror(x, (_TAPS - 4) // 2)
    x = F.conv2d(x, kernel.view(1, 1, 1, -1), stride=(1, 4))
    return F.conv2d(x, kernel.view(1, 1, -1, 1), stride=(4, 1))


def _enlarge(x: Tensor, kernel: Tensor) -> Tensor:
    x = _mirror(x, _LOBES)
    x = F.conv_transpose2d(x, kernel.view(1, 1, 1, -1), stride=(1, 4))
    x = F.conv_transpose2d(x, kernel.view(1, 1, -1, 1), stride=(4, 1))
    cut = _LOBES * 4 + (_TAPS - 4) // 2
    return x[..., cut:-cut, cut:-cut]


def _haar(x: Tensor) -> Tensor:
    a, b, c, d = F.pixel_unshuffle(x, 2).unbind(1)
    return torch.stack((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), 1) / 2


def _inverse_haar(z: Tensor) -> Tensor:
    s, h, v, d = z.unbind(1)
    return F.pixel_shuffle(torch.stack((s + h + v + d, s - h + v - d, s + h - v - d, s - h - v + d), 1) / 2, 2)
