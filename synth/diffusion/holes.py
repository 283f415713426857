"""A picture with a hole: how the unknown area is hidden from the network, in training and in use alike."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.model import Condition

CELL_PX = 8  # pixels of one latent cell
_REACH_PX = (127, 63, 31)  # windows of the local mean, coarse to fine


def fill(pixels: Tensor, hole: Tensor) -> Tensor:
    """`pixels` (B, 1, H, W) with its hole (B, 1, H, W) in {0, 1} filled by the local mean of what is around it.

    The known latent is the encoding of this; multiplying a full latent by a mask would leak about 100 px around.
    """
    seen = 1.0 - hole
    count = seen.sum((2, 3), keepdim=True).clamp(min=1.0)
    estimate = ((pixels * seen).sum((2, 3), keepdim=True) / count).expand_as(pixels)
    for reach in _REACH_PX:
        weight = F.avg_pool2d(seen, reach, 1, reach // 2)
        mean = F.avg_pool2d(pixels * seen, reach, 1, reach // 2) / weight.clamp(min=1e-6)
        estimate = torch.where(weight > 0.05, mean, estimate)
    return torch.where(hole > 0, estimate, pixels)


def to_cells(mask: Tensor) -> Tensor:
    """(B, 1, H, W) to the latent grid (B, 1, H/8, W/8) by area mean: nearest would lose a nodule of 10 px."""
    return F.avg_pool2d(mask, CELL_PX)


def unknown_cells(hole: Tensor) -> Tensor:
    """The unknown-area channel: 1 in every cell that the hole touches and one cell around (8 px)."""
    return F.max_pool2d((to_cells(hole) > 0).float(), 3, 1, 1)


def with_known(cond: Condition, known: Tensor, unknown: Tensor) -> Condition:
    """`cond` with a known latent (B, C, h, w) and its unknown-area channel (B, 1, h, w)."""
    return Condition(cond.text, cond.text_mask, cond.pooled, known, unknown, cond.lesion, cond.lesion_given)
