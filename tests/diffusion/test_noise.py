from __future__ import annotations

from itertools import islice

import torch

from synth.diffusion import noise

CPU = torch.device("cpu")


def draws(seeds: list[int], count: int) -> list[torch.Tensor]:
    return list(islice(noise.per_seed(seeds, (4, 8, 8), CPU), count))


def test_every_draw_of_a_seed_is_the_same_alone_and_in_a_batch() -> None:
    alone, batch = draws([17], 3), draws([1, 2, 17, 4_294_967_295], 3)
    for one, many in zip(alone, batch, strict=True):
        assert torch.equal(one[0], many[2])


def test_seeds_and_draws_differ() -> None:
    first, second = draws([1, 2], 2)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


def test_noise_is_a_unit_gaussian_in_fp32() -> None:
    (values,) = islice(noise.per_seed([0], (4, 64, 64), CPU), 1)
    assert values.dtype == torch.float32
    assert values.shape == (1, 4, 64, 64)
    assert abs(values.mean().item()) < 0.03
    assert abs(values.std().item() - 1.0) < 0.03
