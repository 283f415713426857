"""Editing: a known picture around a hole, a drawn lesion in it, and a start between picture and noise.

After RadEdit (Perez-Garcia et al. 2024, arXiv 2312.12865; edit and keep masks) and SDEdit (Meng et al. 2022,
arXiv 2108.01073). All pictures are (B, 1, H, W) in [0, 1], all areas (B, 1, H, W) in {0, 1}.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from synth.diffusion.holes import fill, to_cells, unknown_cells, with_known
from synth.diffusion.model import Condition, Model
from synth.diffusion.sampler import Denoiser


def onto(cond: Condition, latent: Tensor, lesion: Tensor) -> Condition:
    """`cond` with a lesion drawn onto the picture of `latent` (B, C, h, w), which is known in full, also under it."""
    cells = to_cells(lesion, lesion.shape[-1] // latent.shape[-1])
    return replace(cond, known=latent, lesion=cells, lesion_given=torch.ones_like(cells))


def healed(cond: Condition, model: Model, pixels: Tensor, hole: Tensor) -> Condition:
    """`cond` with the picture known outside the hole, and told that no lesion lies in it."""
    known = model.to_latent(fill(pixels, hole))
    blank = torch.zeros_like(cond.lesion)
    told = replace(cond, lesion=blank, lesion_given=torch.ones_like(blank))
    return with_known(told, known, touched_cells(hole, known))


def beside(cond: Condition, known: Tensor) -> Condition:
    """`cond` with the same slice in another modality known in full, (B, C, h, w); all of the picture is drawn."""
    return with_known(cond, known, torch.ones_like(cond.unknown))


def touched_cells(area: Tensor, latent: Tensor) -> Tensor:
    """(B, 1, h, w): 1 in the cells of `latent` that the area touches and one cell around."""
    return unknown_cells(area, area.shape[-1] // latent.shape[-1])


def anchored(denoise: Denoiser, known: Tensor, unknown: Tensor) -> Denoiser:
    """The denoiser, held to the latent `known` (B, C, h, w) wherever `unknown` (B, 1, h, w) is 0, at every step."""

    def held(z: Tensor, sigma: float) -> Tensor:
        return unknown * denoise(z, sigma) + (1.0 - unknown) * known

    return held


def start(latent: Tensor, noise: Tensor, sigmas: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """SDEdit: the latent under the noise of the last `strength` (0, 1] of the steps, and the levels that remain.

    `noise` (B, C, h, w) is of unit variance, `sigmas` (steps + 1,) ends in 0. At least one step is taken.
    """
    steps = len(sigmas) - 1
    skipped = steps - max(1, round(strength * steps))
    return latent + float(sigmas[skipped]) * noise, sigmas[skipped:]


def magnified(plane: Tensor, square: tuple[int, int, int]) -> Tensor:
    """The square (top, left, side in px) of a plane (B, 1, H, W) in [0, 1], enlarged to (B, 1, H, W)."""
    top, left, side = square
    part = plane[..., top : top + side, left : left + side]
    return F.interpolate(part, size=plane.shape[-2:], mode="bicubic", align_corners=False).clamp(0.0, 1.0)


def reduced(plane: Tensor, square: tuple[int, int, int]) -> Tensor:
    """What `magnified` enlarged, back at its size and in its place, (B, 1, H, W); zero around it."""
    top, left, side = square
    canvas = torch.zeros_like(plane)
    canvas[..., top : top + side, left : left + side] = F.interpolate(plane, size=(side, side), mode="area")
    return canvas


def composite(pixels: Tensor, before: Tensor, after: Tensor, weight: Tensor) -> Tensor:
    """The picture plus what the edit changed, by `weight` (B, 1, H, W) in [0, 1]; exactly the picture where it is 0.

    `before` and `after` are the decoded latents without and with the edit: what the codec loses is in both, so it
    cancels, and the picture's own texture stays.
    """
    return torch.where(weight > 0, (pixels + weight * (after - before)).clamp(0.0, 1.0), pixels)
