"""Gaussian noise that belongs to a seed, not to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


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
