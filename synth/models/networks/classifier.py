"""Reads a chest picture: which findings, where, and the patient's sex and age. For measuring and warnings only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE_PX = 128  # at which it reads
CELLS = 16  # of its maps: one cell is 16 px of a 256 px picture
SHARPNESS = 6.0  # of the pooling: 0 is the mean over the map, infinity its maximum
REGIONS = 4  # a side: likeness is compared region by region, 4 x 4 of them


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """Codes that it tells apart, and channels at 1/4, 1/8 and 1/16 of the side."""

    codes: tuple[str, ...]
    channels: tuple[int, ...] = (32, 64, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Raw outputs for B pictures: finding logits (B, F), their maps (B, F, 16, 16), sex logit (B,), age / 100 (B,)."""

    logits: Tensor
    maps: Tensor
    male: Tensor
    age: Tensor


class Classifier(nn.Module):
    """A small residual network whose finding logits are pooled from maps, so that it can be asked where.

    Pooling is log-sum-exp (Wang et al. 2017, ChestX-ray8, eq. 1) between mean and maximum.
    """

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        a, b, c = config.channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, a // 2, 5, 2, 2), nn.BatchNorm2d(a // 2), nn.ReLU(), nn.Conv2d(a // 2, a, 3, 2, 1)
        )
        self.fine = nn.Sequential(Residual(a, a), Residual(a, a))
        self.middle = nn.Sequential(Residual(a, b, 2), Residual(b, b))
        self.coarse = nn.Sequential(Residual(b, c, 2), Residual(c, c))
        self.dropout = nn.Dropout(0.3)
        self.maps = nn.Sequential(nn.Conv2d(b + c, b, 1), nn.ReLU(), nn.Conv2d(b, len(config.codes), 1))
        self.person = nn.Linear(c, 2)

    def forward(self, pixels: Tensor) -> Findings:
        """pixels (B, 1, H, W) in [0, 1], square."""
        middle = self._middle(pixels)
        coarse = self.coarse(middle)
        wide = F.interpolate(coarse, size=middle.shape[-2:], mode="bilinear")
        maps = self.maps(self.dropout(torch.cat((middle, wide), 1)))
        person = self.person(self.dropout(coarse.mean((2, 3))))
        return Findings(pooled(maps), maps, person[:, 0], person[:, 1])

    def likeness(self, pixels: Tensor) -> Tensor:
        """pixels (B, 1, H, W) in [0, 1] to (B, 16 b) of length 1: what is seen in each region, before any verdict.

        These are the middle features as the first layer of the coarse part takes them, with each channel to scale.
        """
        first = self.coarse[0]
        assert isinstance(first, Residual)
        seen = F.adaptive_avg_pool2d(first.body[:2](self._middle(pixels)), REGIONS)
        return F.normalize(seen.flatten(1).float())

    def _middle(self, pixels: Tensor) -> Tensor:
        """(B, 1, H, W) to (B, b, 16, 16)."""
        out: Tensor = self.middle(self.fine(self.stem(standardised(pixels, SIDE_PX))))
        return out


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut (He et al. 2016), the first with `stride`."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        out: Tensor = self.shortcut(x) + self.body(x)
        return out


def standardised(pixels: Tensor, side_px: int) -> Tensor:
    """(B, 1, H, W) to (B, 1, side, side) by area, each picture with mean 0 and standard deviation 1."""
    small = F.interpolate(pixels, size=(side_px, side_px), mode="area")
    mean = small.mean((1, 2, 3), keepdim=True)
    return (small - mean) / small.std((1, 2, 3), keepdim=True).clamp(min=1e-3)


def pooled(maps: Tensor) -> Tensor:
    """(B, F, h, w) to (B, F): log of the mean of exp(r x), over r."""
    cells = maps.shape[-1] * maps.shape[-2]
    flat = (SHARPNESS * maps.float()).flatten(2)
    return (torch.logsumexp(flat, dim=2) - torch.log(torch.tensor(float(cells)))) / SHARPNESS
