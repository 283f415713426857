"""Gaussian noise that belongs to a seed, not to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from synth.diffusion.model import Condition, Model


def per_seed(seeds: Sequence[int], shape: tuple[int, ...], device: torch.device) -> Iterator[Tensor]:
    """Endless draws of unit Gaussian noise, each (B, *shape) fp32 on `device`; row b comes from seeds[b] alone.

    The first draw starts a picture, the later ones feed the ancestral sampler: seed 17 is the same picture in any
    batch (the stacked generators of EDM's generate.py, Karras et al. 2022). Drawn on the CPU, since generators of
    other devices give other numbers for the same seed.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    while True:
        draws = [torch.randn(shape, generator=generator, dtype=torch.float32) for generator in generators]
        yield torch.stack(draws).to(device)


def cooled(model: Model, cond: Condition, seeds: Sequence[int], size_px: int) -> Iterator[Tensor]:
    """`per_seed` for images of `size_px`, at the temperature at which the model draws `cond` best."""
    unit = per_seed(seeds, model.latent_shape(size_px), model.device)
    return (model.cooled(draw, cond) for draw in unit)
