"""Samplers against the exact flow of a Gaussian and against the schedulers of diffusers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import repeat

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EDMDPMSolverMultistepScheduler, EDMEulerScheduler
from torch import Tensor

from synth.diffusion import noise, sampler, schedule
from synth.types import SAMPLERS
from tests.diffusion import gaussian

SHAPE = (4, 6, 6)
CPU = torch.device("cpu")


def start(dtype: torch.dtype = torch.float32) -> Tensor:
    return 80.0 * next(noise.per_seed([3, 4], SHAPE, CPU)).to(dtype)


def silence() -> Iterator[Tensor]:
    return repeat(torch.zeros(2, *SHAPE, dtype=torch.float64))


def last(moves: Iterator[sampler.Move]) -> Tensor:
    return list(moves)[-1].z


def error(name: str, steps: int) -> float:
    """Largest distance from the exact flow at sigma_min: the step from there to 0 has an error of its own."""
    z = start(torch.float64)
    drawn = last(sampler.sample(name, gaussian.denoise, z, schedule.karras(steps + 1)[:-1], silence()))
    return float((drawn - gaussian.flow(z, schedule.SIGMA_MAX, schedule.SIGMA_MIN)).abs().max())


@pytest.mark.parametrize(("name", "ratio"), [("euler", 2.0), ("heun", 4.0), ("dpmpp_2m", 4.0)])
def test_error_falls_with_the_order_of_the_sampler_when_steps_double(name: str, ratio: float) -> None:
    assert error(name, 128) / error(name, 256) == pytest.approx(ratio, rel=0.1)


def test_second_order_beats_first_at_the_default_number_of_steps() -> None:
    assert error("dpmpp_2m", 12) < 0.5 * error("euler", 12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_ends_on_samples_of_the_gaussian(name: str) -> None:
    draws = noise.per_seed([0], (1, 96, 96), CPU)
    z = last(sampler.sample(name, gaussian.denoise, 80.0 * next(draws), schedule.karras(400), draws))
    assert z.mean().item() == pytest.approx(gaussian.MEAN, abs=0.03)
    assert z.std().item() == pytest.approx(gaussian.DEVIATION, rel=0.03)


@pytest.mark.parametrize("name", SAMPLERS)
def test_moves_count_from_one_and_the_last_is_the_clean_estimate(name: str) -> None:
    sigmas = schedule.karras(5)
    draws = noise.per_seed([3, 4], SHAPE, CPU)
    moves = list(sampler.sample(name, gaussian.uneven, start(), sigmas, draws))
    assert [move.index for move in moves] == [1, 2, 3, 4, 5]
    assert [move.sigma for move in moves] == sigmas[1:].tolist()
    assert torch.equal(moves[-1].z, moves[-1].z0)


def test_a_perfect_estimate_is_reached_exactly() -> None:
    truth = torch.full((2, *SHAPE), 0.25)
    for name in ("euler", "heun", "dpmpp_2m"):
        z = last(sampler.sample(name, lambda z, sigma: truth, start(), schedule.karras(7), silence()))
        assert torch.equal(z, truth)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_seed_alone_is_the_seed_in_a_batch_of_eight(name: str) -> None:
    def draw(seeds: list[int]) -> Tensor:
        draws = noise.per_seed(seeds, SHAPE, CPU)
        return last(sampler.sample(name, gaussian.uneven, 80.0 * next(draws), schedule.karras(12), draws))

    batch = draw([11, 12, 13, 14, 15, 16, 17, 18])
    assert (draw([17])[0] - batch[6]).abs().max().item() < 1e-4
    assert (batch[6] - batch[5]).abs().max().item() > 0.1


@pytest.mark.parametrize(
    ("name", "scheduler"),
    [
        ("euler", EDMEulerScheduler(sigma_min=0.02, sigma_max=80.0, sigma_data=1.0, prediction_type="v_prediction")),
        (
            "dpmpp_2m",
            EDMDPMSolverMultistepScheduler(
                sigma_min=0.02, sigma_max=80.0, sigma_data=1.0, prediction_type="v_prediction"
            ),
        ),
    ],
)
@pytest.mark.parametrize("steps", [3, 12, 20])
def test_samplers_equal_the_edm_schedulers_of_diffusers(
    name: str, scheduler: EDMEulerScheduler | EDMDPMSolverMultistepScheduler, steps: int
) -> None:
    theirs = start()
    scheduler.set_timesteps(steps)
    for timestep, sigma in zip(scheduler.timesteps, scheduler.sigmas.tolist(), strict=False):
        scheduler.scale_model_input(theirs, timestep)
        v = (theirs / (sigma**2 + 1.0) - gaussian.uneven(theirs, sigma)) * math.sqrt(sigma**2 + 1.0) / sigma
        theirs = scheduler.step(v, timestep, theirs).prev_sample
    ours = last(sampler.sample(name, gaussian.uneven, start(), schedule.karras(steps), silence()))
    assert (ours - theirs).abs().max().item() < 1e-4


def discrete(scheduler: DDIMScheduler | DDPMScheduler, steps: int) -> Tensor:
    """The noise levels of a scheduler over alphas: sigma = sqrt((1 - alpha-bar) / alpha-bar), then 0."""
    scheduler.set_timesteps(steps)
    alphas = scheduler.alphas_cumprod.double()[scheduler.timesteps]
    return torch.cat([((1.0 - alphas) / alphas).sqrt(), torch.zeros(1, dtype=torch.float64)])


@pytest.mark.parametrize("prediction", ["sample", "v_prediction"])
def test_euler_equals_ddim_without_noise(prediction: str) -> None:
    scheduler = DDIMScheduler(clip_sample=False, prediction_type=prediction)
    sigmas = discrete(scheduler, 20)
    unit = next(noise.per_seed([3, 4], SHAPE, CPU))
    x = unit * float(sigmas[0] / (1 + sigmas[0] ** 2).sqrt())  # x = sqrt(alpha-bar) * z
    for timestep, sigma in zip(scheduler.timesteps, sigmas.tolist(), strict=False):
        scale = math.sqrt(1.0 + sigma**2)
        z0 = gaussian.uneven(x * scale, sigma)
        output = z0 if prediction == "sample" else (x / scale - z0) * scale / sigma
        x = scheduler.step(output, timestep, x).prev_sample
    ours = last(sampler.euler(gaussian.uneven, unit * float(sigmas[0]), sigmas))
    assert (ours - x).abs().max().item() < 1e-4


def test_ddpm_equals_the_scheduler_of_diffusers_on_the_same_noise() -> None:
    scheduler = DDPMScheduler(clip_sample=False, prediction_type="sample", variance_type="fixed_small")
    sigmas = discrete(scheduler, 25)
    generator = torch.Generator().manual_seed(17)
    x = torch.randn(1, *SHAPE, generator=generator) * float(sigmas[0] / (1 + sigmas[0] ** 2).sqrt())
    for timestep, sigma in zip(scheduler.timesteps, sigmas.tolist(), strict=False):
        z0 = gaussian.uneven(x * math.sqrt(1.0 + sigma**2), sigma)
        x = scheduler.step(z0, timestep, x, generator=generator).prev_sample
    draws = noise.per_seed([17], SHAPE, CPU)
    ours = last(sampler.ddpm(gaussian.uneven, next(draws) * float(sigmas[0]), sigmas, draws))
    assert (ours - x).abs().max().item() < 1e-4


def test_two_samplers_may_be_walked_in_turn() -> None:
    first = sampler.dpmpp_2m(gaussian.uneven, start(), schedule.karras(6))
    second = sampler.dpmpp_2m(gaussian.uneven, start() * 0.5, schedule.karras(6))
    in_turn = [(a.z, b.z) for a, b in zip(first, second, strict=True)][-1]
    assert torch.equal(in_turn[0], last(sampler.dpmpp_2m(gaussian.uneven, start(), schedule.karras(6))))
    assert torch.equal(in_turn[1], last(sampler.dpmpp_2m(gaussian.uneven, start() * 0.5, schedule.karras(6))))


def test_an_unknown_sampler_is_refused() -> None:
    with pytest.raises(KeyError, match="plms"):
        sampler.sample("plms", gaussian.denoise, start(), schedule.karras(2), silence())
