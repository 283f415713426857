"""One image by our own loop and by the loop of a stock diffusers pipeline, with the same networks and noise."""

from __future__ import annotations

import math

import torch
from diffusers import EDMDPMSolverMultistepScheduler
from torch import Tensor

from synth import prompts
from synth.diffusion import denoiser, noise, sampler, schedule
from synth.diffusion.model import Condition, Model
from synth.types import GenerationRequest


@torch.inference_mode()
def ours(model: Model, request: GenerationRequest) -> Tensor:
    """(1, 1, H, W) in [0, 1]: our DPM-Solver++ 2M with guidance at every step, and nothing but the drawing."""
    cond, empty = _conditions(model, request)
    denoise = denoiser.guided(model, cond, empty, request.guidance, low=0.0, high=math.inf)
    sigmas = schedule.karras(request.steps)
    z = float(sigmas[0]) * next(noise.cooled(model, cond, [request.seed], request.size_px))
    for move in sampler.dpmpp_2m(denoise, z, sigmas):
        z = move.z
    return model.to_pixels(z)


@torch.inference_mode()
def theirs(model: Model, request: GenerationRequest) -> Tensor:
    """(1, 1, H, W) in [0, 1]: the loop of StableDiffusionPipeline.__call__ around an EDM scheduler."""
    cond, empty = _conditions(model, request)
    both = denoiser.stack(cond.unasked(empty), cond)
    scheduler = EDMDPMSolverMultistepScheduler(
        sigma_min=schedule.SIGMA_MIN, sigma_max=schedule.SIGMA_MAX, sigma_data=1.0, prediction_type="v_prediction"
    )
    scheduler.set_timesteps(request.steps, device=model.device)
    z = next(noise.cooled(model, cond, [request.seed], request.size_px)) * schedule.SIGMA_MAX
    for t in scheduler.timesteps:
        guided = request.guidance != 1.0
        pair = torch.cat([z, z]) if guided else z
        scheduler.scale_model_input(pair, t)
        sigma = float(scheduler.sigmas[scheduler.step_index])
        velocity = _velocity(model, pair, sigma, both if guided else cond)
        if guided:
            unconditional, conditional = velocity.chunk(2)
            velocity = unconditional + request.guidance * (conditional - unconditional)
            velocity = denoiser.rescaled(velocity, conditional, denoiser.RESCALE)
        z = scheduler.step(velocity, t, z, return_dict=False)[0]
    return model.to_pixels(z)


def _velocity(model: Model, z: Tensor, sigma: float, cond: Condition) -> Tensor:
    # The scheduler wants v, the protocol gives z0 = c_skip z + c_out v (Karras et al. 2022, eq. 7, sigma_data = 1).
    level = torch.full((z.shape[0],), sigma, device=z.device)
    scale = 1 + sigma**2
    return (z / scale - model.denoise(z, level, cond)) * (math.sqrt(scale) / sigma)


def _conditions(model: Model, request: GenerationRequest) -> tuple[Condition, Condition]:
    return (
        model.encode_text([prompts.render(request)], request.size_px),
        model.encode_text([prompts.render_unasked(request)], request.size_px, [prompts.render(request)]),
    )
