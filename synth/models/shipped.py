"""The model that this repository trains and ships: codec, text encoder and denoiser behind the protocol `Model`."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from synth.diffusion.model import Condition
from synth.diffusion.zones import Atlas, zone_mask
from synth.errors import RequestError
from synth.models.networks.codec import FACTOR, LATENT_CHANNELS, Codec, CodecConfig
from synth.models.networks.denoiser import Denoiser, DenoiserConfig
from synth.models.networks.text import TextConfig, TextEncoder, Vocabulary
from synth.models.precision import autocast, fast_dtype
from synth.models.readers import Readers
from synth.types import Modality, ModelCard, Side, Zone

CHEST = (Modality.DX, Modality.CT)  # what the readers were trained on


@dataclass(frozen=True, slots=True, eq=False)
class Constants:
    """What the networks need beside their weights; stored in config.json.

    mean, std: of the raw latent per channel, over training pictures. origins: (regular expression, token) pairs; the
    first that is found in a caption names the hospital whose look is drawn. kinds: the same for the Gaussian prior.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    origins: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    temperature: tuple[float, float] = (1.0, 1.0)  # of the noise, in the prior's components and outside them


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The three trained networks and the words of the text encoder."""

    codec: Codec
    denoiser: Denoiser
    text: TextEncoder
    vocabulary: Vocabulary


class ShippedModel:
    """Implements `synth.diffusion.model.Model`; inference only, no state beyond the weights."""

    def __init__(
        self, card: ModelCard, networks: Networks, constants: Constants, atlas: Atlas | None, device: torch.device
    ) -> None:
        self.card = card
        self.device = device
        self.dtype = fast_dtype(device)  # with bf16 results stay within 2 grey levels of fp32
        # a replay is the same picture bit for bit: on a CPU the last bits depend on how many are drawn together
        self.max_batch = 1 if device.type == "cpu" else 8
        self.networks = networks
        self._temperature = constants.temperature
        self.atlas = atlas
        self.readers: Readers | None = None  # attached by the loader where they are there
        self._kinds = [(re.compile(pattern), kind) for pattern, kind in constants.kinds]
        self._origins = [(re.compile(pattern), token) for pattern, token in constants.origins]
        shape = (1, LATENT_CHANNELS, 1, 1)
        self._mean = torch.tensor(constants.mean, device=device).view(shape)
        self._std = torch.tensor(constants.std, device=device).view(shape)
        for network in (networks.codec, networks.denoiser, networks.text):
            network.to(device).eval().requires_grad_(False)

    @classmethod
    def from_folder(cls, folder: Path, card: ModelCard, device: torch.device) -> ShippedModel:
        """The model of a folder whose files were checked against `card` (see synth.models.weights)."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        words = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        weights: dict[str, Tensor] = {}
        for name in sorted(card.files):
            if name.endswith(".safetensors"):
                weights |= load_file(folder / name)
        networks = Networks(
            Codec(CodecConfig.from_json(config["codec"])),
            Denoiser(DenoiserConfig.from_json(config["denoiser"])),
            TextEncoder(TextConfig(**config["text"]), len(words)),
            Vocabulary(words),
        )
        for prefix, network in (("codec", networks.codec), ("denoiser", networks.denoiser), ("text", networks.text)):
            network.load_state_dict(_under(weights, prefix))
        atlas = Atlas.from_arrays({name: value.float().numpy() for name, value in _under(weights, "atlas").items()})
        constants = Constants(
            tuple(config["latent_mean"]),
            tuple(config["latent_std"]),
            tuple((pattern, token) for pattern, token in config["origins"]),
            tuple((pattern, kind) for pattern, kind in config["kinds"]),
            (float(config["temperature"][0]), float(config["temperature"][1])),
        )
        return cls(card, networks, constants, atlas, device)

    def of_origin(self, token: str) -> ShippedModel:
        """The same model that draws every caption in the look of one origin, as measures within one origin need."""
        other = copy.copy(self)
        other._origins = [(re.compile("."), token)]
        return other

    def latent_shape(self, size_px: int) -> tuple[int, int, int]:
        """(4, size/8, size/8)."""
        return LATENT_CHANNELS, size_px // FACTOR, size_px // FACTOR

    def encode_text(self, captions: list[str], size_px: int, look_of: list[str] | None = None) -> Condition:
        """Captions to a condition with nothing known and no lesion given. Raises RequestError naming unknown words."""
        text = self.networks.text
        plain = [self._without_unknown_negations(caption) for caption in captions]
        told = [self._with_origin(a, b) for a, b in zip(plain, look_of or plain, strict=True)]
        for caption in told:
            if unknown := self.networks.vocabulary.unknown(caption):
                raise RequestError(f"The model has no word {unknown[0]!r}; leave it out or use another word for it.")
        ids = self.networks.vocabulary.encode(told, text.config.length).to(self.device)
        with torch.no_grad():
            states, mask, pooled = text(ids)
        _, h, w = self.latent_shape(size_px)
        empty = torch.zeros(len(captions), 1, h, w, device=self.device)
        known = torch.zeros(len(captions), LATENT_CHANNELS, h, w, device=self.device)
        kind = torch.tensor([self._kind(caption) for caption in captions], device=self.device)
        features = self.networks.vocabulary.features(told).to(self.device)
        return Condition(states, mask, pooled, known, torch.ones_like(empty), empty, empty, kind, features)

    def cooled(self, noise: Tensor, cond: Condition) -> Tensor:
        """The noise at the model's temperatures, see `GaussianPrior.cooled`."""
        return self.networks.denoiser.prior.cooled(noise, cond.kind, *self._temperature)

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """Estimate of z0, (B, 4, h, w) fp32."""
        with torch.no_grad(), autocast(self.device):
            z0: Tensor = self.networks.denoiser(z, sigma, cond)
        return z0.float()

    def to_latent(self, pixels: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] to the normalised latent (B, 4, H/8, W/8)."""
        with torch.no_grad():
            return (self.networks.codec.encode(pixels.to(self.device) * 2 - 1) - self._mean) / self._std

    def to_pixels(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to (B, 1, H, W) in [0, 1]."""
        with torch.no_grad(), autocast(self.device):
            pictures = self.networks.codec.decode(self._raw(z))
        return (pictures.float().clamp(-1, 1) + 1) / 2

    def decode(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to the mean picture (B, 1, H, W), about [0, 1], without grain; in fp32, differentiable in z."""
        return (self.networks.codec.decode_parts(self._raw(z))[0] + 1) / 2

    def lesions(self, pixels: Tensor, modality: str) -> Tensor | None:
        """What the readers see of a chest, (B, F, 16, 16); None of other pictures and without readers."""
        if self.readers is None or modality not in CHEST:
            return None
        return self.readers.read(pixels.to(self.device)).maps.sigmoid()

    def preview(self, z: Tensor) -> Tensor:
        """The thumbnail that the latent contains, (B, 1, 2h, 2w) in [0, 1]."""
        with torch.no_grad():
            return (self.networks.codec.thumbnail(self._raw(z)).clamp(-1, 1) + 1) / 2

    def zone_mask(self, side: Side | None, zone: Zone | None, size_px: int, modality: str = "DX") -> Tensor | None:
        """(1, 1, h, w) soft mask of a side or zone of the lungs of a film or a CT slice; None without an atlas."""
        if self.atlas is None:
            return None
        mask = torch.from_numpy(zone_mask(self.atlas, side, zone, modality)).to(self.device)[None, None]
        return F.adaptive_avg_pool2d(mask, size_px // FACTOR)

    def _raw(self, z: Tensor) -> Tensor:
        return z * self._std + self._mean

    def _kind(self, caption: str) -> int:
        return next((kind for pattern, kind in self._kinds if pattern.search(caption)), 0)

    def _without_unknown_negations(self, caption: str) -> str:
        """What the model has no word for it will not draw: "no fracture" needs no saying."""
        unknown = self.networks.vocabulary.unknown
        parts = caption.split(", ")
        return ", ".join(part for part in parts if not (part.startswith("no ") and unknown(part)))

    def _with_origin(self, caption: str, look_of: str) -> str:
        if not caption or caption.startswith("origin_"):
            return caption
        for pattern, token in self._origins:
            if pattern.search(look_of):
                return f"origin_{token}, {caption}"
        return caption


def _under(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors named "prefix.*" without the prefix, as fp32."""
    start = len(prefix) + 1
    return {name[start:]: value.float() for name, value in weights.items() if name.startswith(prefix + ".")}
