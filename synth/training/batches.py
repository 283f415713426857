"""Examples to tensors: augmentation of picture, known picture and masks together, then the latent grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.holes import fill, to_cells, unknown_cells
from synth.models.networks.codec import LATENT_CHANNELS, Codec
from synth.training.data import SIZE_PX
from synth.training.tasks import Example

TURN_DEG = 4.0
ZOOM = (1.0, 1.12)  # inwards only, so that no border is invented
SHIFT = 0.03  # of the side
GAMMA = (0.85, 1.18)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B examples in pixels, (B, 1, 256, 256): stacked as uint8, on a device in [0, 1]; flags (B, 1, 1, 1) 0 or 1."""

    pixels: Tensor
    known: Tensor
    known_given: Tensor
    hole: Tensor
    lesion: Tensor
    lesion_given: Tensor
    kind: Tensor  # (B,) int64, of the Gaussian prior
    captions: list[str]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Batch:
        """Stack examples as uint8; what is not given becomes zeros with its flag at 0."""
        blank = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
        whole = np.full((SIZE_PX, SIZE_PX), 255, np.uint8)
        return cls(
            pixels=_stack([e.pixels for e in examples]),
            known=_stack([blank if e.known is None else e.known for e in examples]),
            known_given=_flags([e.known is not None for e in examples]),
            hole=_stack([whole if e.unknown is None else _grey(e.unknown) for e in examples]),
            lesion=_stack([blank if e.lesion is None else _grey(e.lesion) for e in examples]),
            lesion_given=_flags([e.lesion is not None for e in examples]),
            kind=torch.tensor([e.kind for e in examples]),
            captions=[e.caption for e in examples],
        )

    def on(self, device: torch.device) -> Batch:
        """The stacked batch on `device`, planes as floats in [0, 1]: a quarter of the bytes travel."""
        planes = {name: getattr(self, name).to(device).float() / 255 for name in ("pixels", "known", "hole", "lesion")}
        flags = {name: getattr(self, name).to(device) for name in ("known_given", "lesion_given", "kind")}
        return replace(self, **planes, **flags)

    def augmented(self, rng: np.random.Generator) -> Batch:
        """Turned, enlarged, shifted and gamma-changed at random, picture and masks alike; never flipped."""
        count = len(self.captions)
        turn = torch.from_numpy(np.deg2rad(rng.uniform(-TURN_DEG, TURN_DEG, count))).float()
        zoom = torch.from_numpy(rng.uniform(*ZOOM, count)).float()
        shift = torch.from_numpy(rng.uniform(-2 * SHIFT, 2 * SHIFT, (count, 2))).float()
        cos, sin = torch.cos(turn) / zoom, torch.sin(turn) / zoom
        matrix = torch.stack((torch.stack((cos, -sin, shift[:, 0]), 1), torch.stack((sin, cos, shift[:, 1]), 1)), 1)
        planes = torch.cat((self.pixels, self.known, self.hole, self.lesion), dim=1)
        grid = F.affine_grid(matrix.to(planes), list(planes.shape), align_corners=False)
        planes = F.grid_sample(planes, grid, padding_mode="reflection", align_corners=False)
        pixels, known, hole, lesion = planes.split(1, dim=1)
        gamma = torch.from_numpy(rng.uniform(*GAMMA, count)).float().view(-1, 1, 1, 1).to(planes)
        return Batch(
            pixels.clamp(0, 1) ** gamma,
            known.clamp(0, 1) ** gamma,
            self.known_given,
            (hole > 0.5).float(),
            lesion,
            self.lesion_given,
            self.kind,
            self.captions,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """B examples on the latent grid: target and known (B, 4, h, w) normalised; channels (B, 1, h, w)."""

    target: Tensor
    known: Tensor
    unknown: Tensor
    lesion: Tensor
    lesion_given: Tensor
    kind: Tensor  # (B,) int64
    features: Tensor  # (B, F) of the captions


@torch.no_grad()
def encode(batch: Batch, codec: Codec, mean: Tensor, std: Tensor, features: Tensor) -> Latents:
    """Batch to latents. mean, std: (1, 4, 1, 1) of the raw latent."""
    target = (codec.encode(batch.pixels * 2 - 1) - mean) / std
    known, unknown = torch.zeros_like(target), torch.ones_like(target[:, :1])
    given = batch.known_given.flatten().bool()
    if given.any():
        pictures, hole = batch.known[given], batch.hole[given]
        whole = hole.mean((1, 2, 3), keepdim=True) > 0.999  # the known picture is another modality: nothing is hidden
        hidden = torch.where(whole, pictures, fill(pictures, hole))
        known[given] = (codec.encode(hidden * 2 - 1) - mean) / std
        unknown[given] = unknown_cells(hole)
    lesion = to_cells(batch.lesion)
    lesion_given = batch.lesion_given.expand_as(lesion).contiguous()
    return Latents(target, known, unknown, lesion, lesion_given, batch.kind, features)


@torch.no_grad()
def latent_constants(codec: Codec, pixels: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the raw latent per channel over pictures (N, 1, H, W) in [0, 1]."""
    latents = torch.cat([codec.encode(part * 2 - 1) for part in pixels.split(64)])
    assert latents.shape[1] == LATENT_CHANNELS
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    return tuple(mean.tolist()), tuple(std.tolist())


def _stack(planes: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(planes))[:, None]


def _grey(area: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(area * 255), dtype=np.uint8)


def _flags(values: Sequence[bool]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)
