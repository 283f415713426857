"""From a conditional model to the one function that samplers see: classifier-free guidance in an interval."""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor

from synth.diffusion.model import Condition, Model
from synth.diffusion.sampler import Denoiser

RESCALE = 0.3  # between plain and fully rescaled; Lin et al. 2023 (arXiv 2305.08891) use 0.7 at scale 7.5
# Guidance helps only at middle noise levels (Kynkaanniemi et al. 2024, arXiv 2404.07724), and fewer calls are cheaper.
GUIDED_ABOVE = 0.5
GUIDED_BELOW = 20.0


def stack(*conditions: Condition) -> Condition:
    """Several conditions of one image size as one batch, in order. They must have token states of one length."""
    return Condition(*(torch.cat([getattr(c, f.name) for c in conditions]) for f in fields(Condition)))


def rescaled(guided: Tensor, conditional: Tensor, rescale: float) -> Tensor:
    """Guided estimates (B, C, h, w), contrast drawn back to the conditional one's (Lin et al. 2023, eq. 15-16).

    `rescale` 0 leaves them, 1 gives each image the standard deviation of its conditional estimate.
    """
    dims = tuple(range(1, guided.ndim))
    ratio = conditional.std(dims, keepdim=True) / guided.std(dims, keepdim=True)  # (B, 1, 1, 1)
    return guided * (rescale * ratio + (1.0 - rescale))


def guided(
    model: Model,
    cond: Condition,
    unasked: Condition,
    scale: float,
    rescale: float = RESCALE,
    low: float = GUIDED_ABOVE,
    high: float = GUIDED_BELOW,
) -> Denoiser:
    """D(z, sigma) of `model` under classifier-free guidance (Ho and Salimans 2022) for low < sigma < high.

    `unasked` is a caption without what guidance is to stress, encoded for the same batch; what is known is known in
    both halves, which go through the network in one call. Outside the interval, and everywhere at scale 1, the
    conditional estimate alone is drawn.
    """
    both = stack(cond, cond.unasked(unasked))

    def denoise(z: Tensor, sigma: float) -> Tensor:
        level = torch.full((z.shape[0],), sigma, dtype=torch.float32, device=z.device)
        if scale == 1.0 or not low < sigma < high:
            return model.denoise(z, level, cond)
        conditional, unconditional = model.denoise(torch.cat([z, z]), torch.cat([level, level]), both).chunk(2)
        return rescaled(unconditional + scale * (conditional - unconditional), conditional, rescale)

    return denoise
