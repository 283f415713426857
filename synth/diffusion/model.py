"""The seam between the sampler and any network: `Condition` and the protocol `Model`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from synth.types import ModelCard, Side, Zone


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """Everything that steers one batch of B images, at latent size (h, w).

    text: (B, L, D) token states; pooled: (B, D); known: (B, C, h, w) latent of the known picture, 0 where unknown;
    unknown: (B, 1, h, w) in [0, 1], 1 = to be drawn; lesion: (B, 1, h, w) in [0, 1]; lesion_given: (B, 1, h, w) 0 or 1.
    """

    text: Tensor
    text_mask: Tensor  # (B, L) bool, True = a word
    pooled: Tensor
    known: Tensor
    unknown: Tensor
    lesion: Tensor
    lesion_given: Tensor
    kind: Tensor  # (B,) int64: which of the model's kinds of pictures, for models that tell kinds apart; else zeros
    features: Tensor  # (B, F) of the caption, for models with a prior; else F = 0

    def unasked(self, other: Condition) -> Condition:
        """The same picture known, with the text of `other`, a caption that asks for less, and no lesion given.

        The unconditional half of guidance: it forgets the lesion too, so guidance draws what was drawn, where it was.
        """
        text = {"text": other.text, "text_mask": other.text_mask, "pooled": other.pooled, "features": other.features}
        blank = torch.zeros_like(self.lesion)
        return replace(self, **text, lesion=blank, lesion_given=blank)


class Model(Protocol):
    """What `generate` needs of a model. Latents have unit variance per channel."""

    card: ModelCard
    device: torch.device
    dtype: torch.dtype
    max_batch: int  # images drawn together at most; 1 where their number changes the last bits of a replay

    def latent_shape(self, size_px: int) -> tuple[int, int, int]:
        """(C, h, w) for a square image of `size_px`."""
        ...

    def encode_text(self, captions: list[str], size_px: int, look_of: list[str] | None = None) -> Condition:
        """Captions to a condition with nothing known and no lesion given. Unknown words raise RequestError.

        `look_of`: captions whose hospital's look is meant, for models that tell hospitals apart; else their own.
        """
        ...

    def cooled(self, noise: Tensor, cond: Condition) -> Tensor:
        """Unit noise (B, C, h, w) at the temperature at which this model draws best; below 1 is more typical."""
        ...

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """Noisy latent z = z0 + sigma * n, (B, C, h, w), sigma (B,) to the estimate of z0, fp32."""
        ...

    def to_latent(self, pixels: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] to (B, C, h, w), normalised."""
        ...

    def to_pixels(self, z: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 1, H, W) in [0, 1]."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """The mean picture (B, 1, H, W) in about [0, 1], not clipped and without drawn grain; z may need a gradient."""
        ...

    def lesions(self, pixels: Tensor, modality: str) -> Tensor | None:
        """(B, 1, H, W) in [0, 1] to the probability of F findings at each place, (B, F, h, w); None: no detector."""
        ...

    def preview(self, z: Tensor) -> Tensor:
        """(B, C, h, w) to a thumbnail (B, 1, h', w') in [0, 1], so cheap that it may be had after every step."""
        ...

    def zone_mask(self, side: Side | None, zone: Zone | None, size_px: int, modality: str = "DX") -> Tensor | None:
        """(1, 1, h, w) soft mask of a side or zone of the lungs from the model's atlas; None without an atlas."""
        ...
