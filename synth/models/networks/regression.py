"""A small U-Net that maps a slice straight to its partner: the honest rival of translation by diffusion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 4  # pixels of a side that become channels: a quarter of the side is quick on a CPU
WIDTHS = (32, 64, 96)


class RegressionUNet(nn.Module):
    """(B, 1, H, W) in [0, 1] to the same; H and W divisible by 16. Ronneberger et al. 2015, with group norm."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.down = nn.ModuleList([_block(PATCH**2, first), _block(first, second), _block(second, third)])
        self.up = nn.ModuleList([_block(third + second, second), _block(second + first, first)])
        self.out = nn.Conv2d(first, PATCH**2, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """The partner's estimate, (B, 1, H, W) in [0, 1]."""
        fine = self.down[0](F.pixel_unshuffle(pixels, PATCH))
        middle = self.down[1](F.avg_pool2d(fine, 2))
        coarse = self.down[2](F.avg_pool2d(middle, 2))
        middle = self.up[0](torch.cat((F.interpolate(coarse, scale_factor=2.0), middle), dim=1))
        fine = self.up[1](torch.cat((F.interpolate(middle, scale_factor=2.0), fine), dim=1))
        return torch.sigmoid(F.pixel_shuffle(self.out(fine), PATCH))


def _block(into: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (into, out):
        layers += [nn.Conv2d(width, out, 3, padding=1), nn.GroupNorm(8, out), nn.SiLU()]
    return nn.Sequential(*layers)
