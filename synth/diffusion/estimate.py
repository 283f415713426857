"""What a damaged picture tells of its own damage: the strength of its noise, the light that it had."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.degrade import HAZE_CELLS, spread
from synth.diffusion.greys import ANY, GREYS, SHARES

GAIN_MAX = 12.0  # more would show little but noise
_GREY_SLACK = 0.03
_MEDIAN_OF_NORMAL = 0.6745  # of |n| for a unit Gaussian (Donoho and Johnstone 1994)
_HAZE_RIDGE = 0.05  # pixels' share of evidence that a field of haze must have against it
_LIGHT_RIDGE = 0.02
LIGHT_SPAN = 2.0  # by which the prior may correct the first estimate of the light


def noise_level(y: Tensor, counting: bool = False) -> float:
    """Standard deviation of the noise of (1, 1, H, W) in [0, 1]; with `counting` that of a white pixel.

    Median of the diagonal 2 x 2 Haar details (Donoho and Johnstone 1994), clipped pixels left out; of counting noise,
    whose variance grows with the grey, each is divided by the root of its grey first. 0 where nearly all is clipped.
    """
    y = y[..., : y.shape[-2] // 2 * 2, : y.shape[-1] // 2 * 2]
    a, b, c, d = y[..., ::2, ::2], y[..., ::2, 1::2], y[..., 1::2, ::2], y[..., 1::2, 1::2]
    corners = torch.stack((a, b, c, d))
    mean = corners.mean(0)
    seen = (corners.amin(0) > (0.04 if counting else 0.0)) & (corners.amax(0) < 1.0)
    if seen.float().mean() < 0.01:
        return 0.0
    detail = ((a - b - c + d) / 2).abs()[seen]
    if counting:
        detail = detail / mean[seen].sqrt()
    return float(detail.median()) / _MEDIAN_OF_NORMAL


def first_light(y: Tensor, group: str) -> tuple[float, Tensor]:
    """Light factor and haze (1, 1, 4, 4), even, that bring the greys of y nearest to those usual in its group.

    Weighted least squares over five quantiles; a quantile counts the more, the less it varies among pictures.
    """
    usual, spreads = (torch.tensor(row) for row in GREYS.get(group, ANY))
    found = torch.quantile(y.flatten()[:: 1 + y.numel() // 100_000], torch.tensor(SHARES))
    weight = 1.0 / (spreads**2 + _GREY_SLACK**2)
    weight = weight / weight.sum()
    centre, aim = (weight * found).sum(), (weight * usual).sum()
    covariance = (weight * (found - centre) * (usual - aim)).sum()
    gain = float((covariance / (weight * (found - centre) ** 2).sum().clamp(min=1e-8)).clamp(1.0, GAIN_MAX))
    return 1.0 / gain, torch.full((1, 1, HAZE_CELLS, HAZE_CELLS), float(centre - aim / gain))


def light_of(x: Tensor, y: Tensor, light: float, haze: Tensor) -> tuple[float, Tensor]:
    """Light factor and haze with which (y - haze) / light comes nearest to `x`, both (1, 1, H, W): ridge regression.

    The two are estimated jointly, in closed form, from an estimate `x` of the clean picture; they are held near the
    values given, as a smooth field could explain the picture itself away.
    """
    x, y = F.adaptive_avg_pool2d(x, 64).double(), F.adaptive_avg_pool2d(y, 64).double()
    fields = torch.eye(HAZE_CELLS**2, dtype=torch.float64).view(-1, 1, HAZE_CELLS, HAZE_CELLS)
    lit = (y - spread(haze.double(), y)) / light
    columns = torch.cat((lit.flatten()[:, None], spread(fields, x).flatten(1).T), 1)  # (4096, 17)
    ridge = torch.full((columns.shape[1],), _HAZE_RIDGE * len(columns), dtype=torch.float64)
    ridge[0] = _LIGHT_RIDGE * len(columns)
    step = torch.linalg.solve(columns.T @ columns + ridge.diag(), columns.T @ (x - lit).flatten())
    gain = float((1.0 + step[0]).clamp(1.0 / LIGHT_SPAN, LIGHT_SPAN))
    return light / gain, (haze - light / gain * step[1:].view_as(haze)).float()
