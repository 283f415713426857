"""A picture with a hole: how the unknown area is hidden from the network, in training and in use alike."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.model import Condition

CELL_PX = 8  # pixels of one latent cell
_REACH = (15, 7, 3)  # windows of the local mean in cells, coarse to fine
_ENOUGH = 0.05  # share of a window that must be known


def fill(pixels: Tensor, hole: Tensor) -> Tensor:
    """`pixels` (B, 1, H, W) with its hole (B, 1, H, W) in {0, 1} filled by the local mean of what is around it.

    The known latent is the encoding of this; multiplying a full latent by a mask would leak about 100 px around.
    """
    seen = 1.0 - hole
    weight, total = to_cells(seen), to_cells(pixels * seen)
    estimate = (total.sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp(min=1e-6)).expand_as(total)
    for reach in _REACH:
        near = F.avg_pool2d(weight, reach, 1, reach // 2)
        mean = F.avg_pool2d(total, reach, 1, reach // 2) / near.clamp(min=1e-6)
        estimate = torch.where(near > _ENOUGH, mean, estimate)
    smooth = F.interpolate(estimate, size=pixels.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(hole > 0, smooth, pixels)


def to_cells(mask: Tensor, cell_px: int = CELL_PX) -> Tensor:
    """(B, 1, H, W) to the latent grid (B, 1, H/8, W/8) by area mean: nearest would lose a nodule of 10 px."""
    return F.avg_pool2d(mask, cell_px)


def unknown_cells(hole: Tensor, cell_px: int = CELL_PX) -> Tensor:
    """The unknown-area channel: 1 in every cell that the hole touches and one cell around (8 px)."""
    return F.max_pool2d((to_cells(hole, cell_px) > 0).float(), 3, 1, 1)


def with_known(cond: Condition, known: Tensor, unknown: Tensor) -> Condition:
    """`cond` with a known latent (B, C, h, w) and its unknown-area channel (B, 1, h, w)."""
    return replace(cond, known=known, unknown=unknown)
