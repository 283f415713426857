"""Any Stable-Diffusion-type checkpoint in the diffusers format behind the protocol `Model`.

Such networks are trained on discrete noise levels t with x_t = sqrt(a_t) x0 + sqrt(1 - a_t) n (DDPM, Ho et al. 2020,
eq. 4) and predict n (epsilon), v = sqrt(a_t) n - sqrt(1 - a_t) x0 (Salimans and Ho 2022, appendix D) or x0 (sample).
The samplers want z = x0 + sigma n and an estimate of x0; `NoiseLevels` translates between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from synth.diffusion.model import Condition
from synth.errors import ModelError, RequestError
from synth.types import ModelCard, Side, Zone

PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True, eq=False)
class NoiseLevels:
    """The discrete noise levels of a checkpoint: log sigma of level t (T,), rising, and what its network predicts."""

    log_sigmas: Tensor
    prediction: str

    @classmethod
    def from_alphas(cls, alphas_cumprod: Tensor, prediction: str) -> NoiseLevels:
        """From the products a_t, (T,) falling in [0, 1]. Raises ModelError for an unknown prediction type."""
        if prediction not in PREDICTIONS:
            raise ModelError(f"The prediction type is {prediction!r}; it must be one of {', '.join(PREDICTIONS)}.")
        # A schedule with zero terminal signal ends at sigma = infinity; 1e-8 stands for it (sigma 1e4).
        alphas = alphas_cumprod.double().clamp(1e-8, 1 - 1e-8)
        return cls((0.5 * torch.log((1 - alphas) / alphas)).float(), prediction)

    def timestep(self, sigma: Tensor) -> Tensor:
        """sigma (B,) to fractional level (B,) in [0, T-1], linear in log sigma; beyond the ends it stays at the end."""
        table = self.log_sigmas.to(sigma.device)
        wanted = sigma.float().clamp(min=1e-10).log().clamp(table[0], table[-1])
        above = torch.searchsorted(table, wanted).clamp(1, len(table) - 1)
        low, high = table[above - 1], table[above]
        return above - 1 + (wanted - low) / (high - low)

    def input(self, z: Tensor, sigma: Tensor) -> Tensor:
        """z = x0 + sigma n to the unit-variance x_t of the network, both (B, C, h, w)."""
        return z / torch.sqrt(1 + sigma.view(-1, 1, 1, 1) ** 2)

    def estimate(self, x: Tensor, output: Tensor, sigma: Tensor) -> Tensor:
        """The network's x0 from its input x and output, (B, C, h, w), at sigma (B,).

        Above the noisiest level the network is taken at that level: it sees pure noise either way.
        """
        known = sigma.float().clamp(max=float(self.log_sigmas[-1].exp())).view(-1, 1, 1, 1)
        signal = 1 / torch.sqrt(1 + known**2)
        noise = known * signal
        if self.prediction == "epsilon":
            return (x - noise * output) / signal
        if self.prediction == "v_prediction":
            return signal * x - noise * output
        return output


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The parts of one checkpoint, in eval mode on one device."""

    unet: UNet2DConditionModel
    codec: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    levels: NoiseLevels


class DiffusersModel:
    """A latent text-to-image checkpoint as `Model`: grey pictures in and out, text as the only condition."""

    def __init__(self, card: ModelCard, networks: Networks, device: torch.device, dtype: torch.dtype) -> None:
        self.card = card
        self.device = device
        self.dtype = dtype
        self.max_batch = 1 if device.type == "cpu" else 8
        self._networks = networks
        codec: Any = networks.codec.config
        shift = codec.latents_mean or codec.shift_factor or 0.0
        scale = torch.tensor(codec.scaling_factor) / torch.tensor(codec.latents_std or 1.0)
        self._shift = torch.as_tensor(shift, device=device, dtype=torch.float32).reshape(1, -1, 1, 1)
        self._scale = scale.to(device, torch.float32).reshape(1, -1, 1, 1)
        self._channels = int(codec.latent_channels)
        self._colours = int(codec.in_channels)
        self._factor = shrink_factor(networks.codec)
        self._grey, self._grey_of_zero = self._brightness()

    def latent_shape(self, size_px: int) -> tuple[int, int, int]:
        """(C, h, w) for a square image of `size_px`."""
        return self._channels, size_px // self._factor, size_px // self._factor

    @torch.no_grad()
    def encode_text(self, captions: list[str], size_px: int, look_of: list[str] | None = None) -> Condition:
        """Captions to CLIP states (B, L, D). Raises RequestError for a caption longer than the encoder reads."""
        tokenizer = self._networks.tokenizer
        longest = int(tokenizer.model_max_length)
        words = tokenizer(captions, padding="max_length", max_length=longest, truncation=False, return_tensors=None)
        count = max(len(ids) for ids in words["input_ids"])
        if count > longest:
            raise RequestError(f"The caption has {count} tokens; the model {self.card.id} reads at most {longest}.")
        output = self._networks.text_encoder(torch.tensor(words["input_ids"], device=self.device))
        _, h, w = self.latent_shape(size_px)
        blank = torch.zeros(len(captions), 1, h, w, device=self.device)
        return Condition(
            text=output.last_hidden_state,
            text_mask=torch.ones(len(captions), longest, dtype=torch.bool, device=self.device),  # padding is attended
            pooled=output.pooler_output,
            known=blank.expand(-1, self._channels, -1, -1).clone(),
            unknown=torch.ones_like(blank),
            lesion=blank,
            lesion_given=blank.clone(),
            kind=torch.zeros(len(captions), dtype=torch.int64, device=self.device),
            features=torch.zeros(len(captions), 0, device=self.device),
        )

    @torch.no_grad()
    def cooled(self, noise: Tensor, cond: Condition) -> Tensor:
        """The noise as it is."""
        return noise

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """z = x0 + sigma n (B, C, h, w), sigma (B,) to the estimate of x0, fp32. Raises ModelError for masks."""
        if any(bool(part.any()) for part in (cond.unknown < 1, cond.known != 0, cond.lesion_given > 0)):
            raise ModelError(
                f"The model {self.card.id} draws from text alone; it cannot use a mask, a picture or a lesion."
            )
        levels = self._networks.levels
        sigma = sigma.to(self.device, torch.float32)
        x = levels.input(z.float(), sigma)
        output = self._networks.unet(
            x.to(self.dtype), levels.timestep(sigma).to(self.dtype), encoder_hidden_states=cond.text.to(self.dtype)
        ).sample
        return levels.estimate(x, output.float(), sigma)

    @torch.no_grad()
    def to_latent(self, pixels: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] to (B, C, h, w): the mode of the posterior, normalised."""
        colour = (pixels.to(self.device, torch.float32) * 2 - 1).expand(-1, self._colours, -1, -1)
        latent: Tensor = self._networks.codec.encode(colour).latent_dist.mode()
        return (latent - self._shift) * self._scale

    @torch.no_grad()
    def to_pixels(self, z: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 1, H, W) in [0, 1]: the mean of the colours."""
        return self.decode(z).clamp(0, 1)

    def decode(self, z: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 1, H, W), not clipped: the mean of the colours."""
        colour: Tensor = self._networks.codec.decode(z.float() / self._scale + self._shift).sample
        return (colour.mean(dim=1, keepdim=True) + 1) / 2

    def lesions(self, pixels: Tensor, modality: str) -> Tensor | None:
        """None: such a checkpoint detects nothing."""
        return None

    def preview(self, z: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 1, h, w) in [0, 1]: the brightness that each latent channel stands for."""
        return ((z.float() * self._grey).sum(dim=1, keepdim=True) + self._grey_of_zero).clamp(0, 1)

    def _brightness(self) -> tuple[Tensor, Tensor]:
        # Central differences on even pictures of 8 x 8 cells: a sixth of the cost of one decoding.
        step = torch.eye(self._channels, device=self.device)
        even = torch.cat([step, -step, torch.zeros_like(step[:1])])[:, :, None, None].expand(-1, -1, 8, 8)
        mean = self.to_pixels(even).mean(dim=(1, 2, 3))
        more, less = mean[: self._channels], mean[self._channels : -1]
        return ((more - less) / 2).view(1, -1, 1, 1), mean[-1]

    def zone_mask(self, side: Side | None, zone: Zone | None, size_px: int, modality: str = "DX") -> Tensor | None:
        """None: such a checkpoint has no lesion channel."""
        return None


def shrink_factor(codec: AutoencoderKL) -> int:
    """How many pixels one latent cell spans along a side (8 for Stable Diffusion)."""
    return 1 << (len(codec.config.block_out_channels) - 1)
