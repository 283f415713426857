"""Outlines lesions: a small U-Net (Ronneberger et al. 2015) from one picture to one probability a pixel."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.models.networks.classifier import standardised

SIDE_PX = 128  # at which it reads
PATCH = 2  # px of a side that one place of its finest level holds


class Segmenter(nn.Module):
    """`channels` of its levels, from fine (64 x 64 places) to coarse."""

    def __init__(self, channels: tuple[int, ...] = (16, 32, 64)) -> None:
        super().__init__()
        self.channels = channels
        self.down = nn.ModuleList(_pair(a, b) for a, b in zip((PATCH**2, *channels[:-1]), channels, strict=True))
        self.up = nn.ModuleList(_pair(fine + coarse, fine) for fine, coarse in pairwise(channels))
        self.dropout = nn.Dropout2d(0.2)
        self.head = nn.Conv2d(channels[0], PATCH**2, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """pixels (B, 1, H, W) in [0, 1], square, to logits (B, 1, 128, 128)."""
        x = F.pixel_unshuffle(standardised(pixels, SIDE_PX), PATCH)
        kept = []
        for level in self.down:
            x = level(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.dropout(kept.pop())
        for level in reversed(self.up):
            finer = kept.pop()
            x = level(torch.cat((finer, F.interpolate(x, size=finer.shape[-2:], mode="nearest")), 1))
        return F.pixel_shuffle(self.head(x), PATCH)


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a in (inputs, outputs):
        layers += [nn.Conv2d(a, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)
