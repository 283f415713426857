"""Training of denoiser and text encoder together: v-loss in the EDM form, EMA, validation, sample sheets."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from synth.diffusion import noise, sampler, schedule
from synth.diffusion.denoiser import guided
from synth.diffusion.model import Condition
from synth.models.networks.codec import Codec
from synth.models.networks.denoiser import Denoiser
from synth.models.networks.prior import GaussianPrior
from synth.models.networks.text import TextEncoder, Vocabulary
from synth.models.precision import autocast
from synth.models.shipped import Constants, Networks, ShippedModel
from synth.training.batches import Batch, Latents, encode
from synth.training.presets import Preset
from synth.training.run import Run
from synth.training.sheets import save_sheet
from synth.training.tasks import Examples
from synth.training.team import Team
from synth.types import ModelCard

LOG_SIGMA = (-0.2, 1.3)  # mean and spread of ln sigma in 90 % of the draws; EDM, table 1: (-0.5, 1.2)
SIGMA_RANGE = (0.01, 80.0)  # uniform in ln sigma in the rest
LESION_WEIGHT = 4.0  # a nodule is one cell of 1,024: unweighted, its loss drowns in that of the chest
DECAY_SHARE = 0.3  # of the budget, linear to 0
WARM_UP = 200  # steps
PRIOR_BATCH = 50  # pictures
ENDLESS = 10**9  # steps
VALIDATION_SIGMAS = (0.3, 1.0, 3.0, 10.0)
SHEET = (
    "chest x ray, pa view, 45 year old man, no finding",
    "chest x ray, pa view, 30 year old woman, no finding",
    "chest x ray, ap view, 65 year old man, pneumonia",
    "chest x ray, pa view, 60 year old woman, pleural effusion",
    "chest x ray, ap view, 3 year old child, no finding",
    "chest x ray, ap view, 3 year old child, bacterial pneumonia",
    "chest x ray, pa view, 70 year old man, covid 19",
    "chest x ray, ap view, 55 year old woman, edema",
    "chest ct, no finding",
    "chest ct, covid 19",
    "chest ct, lung cancer",
    "brain mr",
)


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """What the denoiser trains on top of: the codec, its constants, the vocabulary and the atlas."""

    codec: Codec
    constants: Constants
    vocabulary: Vocabulary
    card: ModelCard
    atlas: Any


class Learner(nn.Module):
    """Denoiser and text encoder as one module, so that EMA and checkpoints hold both."""

    def __init__(self, preset: Preset, vocabulary: Vocabulary) -> None:
        super().__init__()
        prior = replace(preset.denoiser.prior, features=vocabulary.feature_count)
        self.denoiser = Denoiser(replace(preset.denoiser, prior=prior))
        self.text = TextEncoder(preset.text, len(vocabulary.words))

    def velocity(self, z: Tensor, sigma: Tensor, ids: Tensor, latents: Latents) -> Tensor:
        """The raw network output for noisy latents and word numbers."""
        states, mask, pooled = self.text(ids)
        x = latents
        masks = (x.unknown, x.lesion, x.lesion_given)
        cond = Condition(states, mask, pooled, x.known, *masks, x.kind, x.features)
        return self.denoiser.velocity(z, sigma, cond)


def train_denoiser(
    examples: Examples,
    validation: Examples,
    frozen: Frozen,
    run: Run,
    preset: Preset,
    start: Learner | None = None,
    *,
    resume: bool,
) -> Learner:
    """Train for the run's budget, from `start` where given; returns the EMA weights. `validation`: unseen patients."""
    device = torch.device(preset.device)
    torch.manual_seed(run.seed)
    state = run.resume() if resume else None
    source = Source(examples, frozen, preset, run, device)
    learner = (start or Learner(preset, frozen.vocabulary)).to(device)
    if start is None and state is None:
        source.fit_prior(learner.denoiser.prior)
    learner.denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average: Learner = copy.deepcopy(learner).requires_grad_(False)
    optimiser = _optimiser(learner, preset.lr)
    if state is not None:
        for name, part in (("learner", learner), ("average", average), ("optimiser", optimiser)):
            part.load_state_dict(state[name])
    if preset.compile:
        learner.denoiser.unet.compile(dynamic=False)
    fixed = {"val": source.fixed(validation), "train": source.fixed(examples)}
    for latents, ids in source.batches():
        if (progress := run.team.agree(run.progress, device)) >= 1.0:
            break
        loss = v_loss(learner.velocity, latents, ids, log_normal_sigmas(len(ids), device))
        _step(optimiser, loss, learner, preset.lr * _shape(progress, run.step), run.team)
        _follow(average, learner, preset.ema, run.step)
        run.step += 1
        if run.due(preset.report_every):
            run.log(preset.batch, loss=loss.item(), **{name: validate(average, *kept) for name, kept in fixed.items()})
            save_sheet(run.folder / f"sheet-{run.step:06d}.png", sample_sheet(average, frozen, device))
        run.save_if_due(_state(learner, average, optimiser))
    run.save_if_due(_state(learner, average, optimiser), always=True)
    return average


class Steps(Dataset[Batch]):
    """Stacked examples of step number k: a function of seed and k alone, whoever makes them."""

    def __init__(self, examples: Examples, batch: int, seed: int) -> None:
        self.examples, self.batch, self.seed = examples, batch, seed

    def __getitem__(self, step: int) -> Batch:
        """The batch of one step, uint8."""
        rng = np.random.default_rng((self.seed, step))
        return Batch.of([self.examples.draw(rng) for _ in range(self.batch)])


class Source:
    """Batches of the run's steps, drawn ahead by worker processes, augmented and encoded on the device."""

    def __init__(self, examples: Examples, frozen: Frozen, preset: Preset, run: Run, device: torch.device) -> None:
        self._seed = run.team.seed(run.seed)
        self._examples, self._frozen, self._preset, self._run = examples, frozen, preset, run
        self._device = device
        shape = (1, -1, 1, 1)
        self._mean = torch.tensor(frozen.constants.mean, device=device).view(shape)
        self._std = torch.tensor(frozen.constants.std, device=device).view(shape)

    def batches(self) -> Iterator[tuple[Latents, Tensor]]:
        """Latents and word numbers of the run's current step and all after it."""
        steps = range(self._run.step, ENDLESS)
        loader = DataLoader(
            Steps(self._examples, self._preset.batch, self._seed),
            sampler=steps,
            batch_size=None,
            num_workers=self._preset.workers,
            multiprocessing_context="fork" if self._preset.workers else None,
        )
        for step, batch in zip(steps, loader, strict=False):
            rng = np.random.default_rng((self._seed, step, 1))
            torch.manual_seed((self._seed << 32) + step)  # noise and dropout of this step
            yield self._encoded(batch.on(self._device).augmented(rng))

    def fixed(self, examples: Examples, count: int = 64) -> tuple[Latents, Tensor]:
        """`count` fixed examples for validation, not augmented."""
        rng = np.random.default_rng(12345)
        return self._encoded(Batch.of([examples.draw(rng) for _ in range(count)]).on(self._device))

    def fit_prior(self, prior: GaussianPrior) -> None:
        """Fit every kind of picture to augmented training pictures, drawn by the weights of the examples."""
        rng = np.random.default_rng(self._run.seed)
        for kind in range(prior.config.kinds):
            seen = []
            for _ in range(0, self._preset.prior_pictures, PRIOR_BATCH):
                if some := self._examples.of_kind(kind, PRIOR_BATCH, rng):
                    seen.append(self._encoded(Batch.of(some).on(self._device).augmented(rng))[0])
            if seen:
                prior.fit(kind, torch.cat([x.target for x in seen]), torch.cat([x.features for x in seen]))

    def _encoded(self, batch: Batch) -> tuple[Latents, Tensor]:
        ids = self._frozen.vocabulary.encode(batch.captions, self._preset.text.length).to(self._device)
        features = self._frozen.vocabulary.features(batch.captions).to(self._device)
        return encode(batch, self._frozen.codec, self._mean, self._std, features), ids


def v_loss(velocity: Any, latents: Latents, ids: Tensor, sigma: Tensor) -> Tensor:
    """Mean squared error of the raw output against (z0 - c_skip z) / c_out, of unit variance.

    Every noise level weighs 1; the cells of a given lesion weigh `LESION_WEIGHT` more than the rest of their picture.
    """
    s = sigma.view(-1, 1, 1, 1)
    z0 = latents.target
    eps = torch.randn_like(z0)
    z = z0 + s * eps
    target = (s * z0 - eps) / (1 + s * s).sqrt()
    with autocast(z.device):
        out = velocity(z, sigma, ids, latents)
    weight = 1.0 + LESION_WEIGHT * latents.lesion * latents.lesion_given  # (B, 1, h, w)
    error = (out.float() - target).square() * (weight / weight.mean((2, 3), keepdim=True))
    loss: Tensor = error.mean()
    return loss


def log_normal_sigmas(count: int, device: torch.device) -> Tensor:
    """90 % ln sigma ~ N(-0.2, 1.3), 10 % uniform in ln sigma over [0.01, 80]; (count,)."""
    normal = torch.randn(count, device=device) * LOG_SIGMA[1] + LOG_SIGMA[0]
    low, high = (math.log(s) for s in SIGMA_RANGE)
    even = torch.rand(count, device=device) * (high - low) + low
    return torch.where(torch.rand(count, device=device) < 0.1, even, normal).exp()


@torch.no_grad()
def validate(learner: Learner, latents: Latents, ids: Tensor) -> float:
    """Mean v-loss over fixed examples, noise and four noise levels."""
    keep = torch.get_rng_state()
    learner.eval()
    losses = []
    for k in range(0, len(ids), 32):
        part = Latents(*(getattr(latents, f.name)[k : k + 32] for f in fields(Latents)))
        for sigma in VALIDATION_SIGMAS:
            torch.manual_seed(k)
            level = torch.full((len(part.target),), sigma, device=part.target.device)
            losses.append(v_loss(learner.velocity, part, ids[k : k + 32], level))
    torch.set_rng_state(keep)
    return float(torch.stack(losses).mean())


@torch.no_grad()
def sample_sheet(learner: Learner, frozen: Frozen, device: torch.device) -> Tensor:
    """Twelve fixed captions with fixed seeds, 20 steps, guidance 1.5: (12, 1, 256, 256) in [0, 1]."""
    keep = torch.get_rng_state()
    networks = Networks(frozen.codec, learner.denoiser, learner.text, frozen.vocabulary)
    model = ShippedModel(frozen.card, networks, frozen.constants, frozen.atlas, device)
    known = [caption for caption in SHEET if not frozen.vocabulary.unknown(caption)]
    cond, empty = model.encode_text(known, 256), model.encode_text([""] * len(known), 256)
    draws = noise.cooled(model, cond, range(len(known)), 256)
    sigmas = schedule.karras(20)
    z = next(draws) * float(sigmas[0])
    for move in sampler.sample("ddpm", guided(model, cond, empty, 1.5), z, sigmas, draws):
        z = move.z
    torch.set_rng_state(keep)
    return model.to_pixels(z).cpu()


def _shape(progress: float, step: int) -> float:
    """Warm-up, flat, then linear to 0 over the last share of the budget: the decay is where quality comes."""
    return min(1.0, (step + 1) / WARM_UP) * min(1.0, (1.0 - progress) / DECAY_SHARE)


def _optimiser(learner: Learner, lr: float) -> torch.optim.AdamW:
    """AdamW; the text encoder learns at half the rate."""
    groups = [
        {"params": learner.denoiser.parameters(), "lr": lr},
        {"params": learner.text.parameters(), "lr": lr / 2},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.01, fused=True)


def _step(optimiser: torch.optim.Optimizer, loss: Tensor, learner: Learner, lr: float, team: Team) -> None:
    optimiser.param_groups[0]["lr"] = lr
    optimiser.param_groups[1]["lr"] = lr / 2
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    team.average(learner.parameters())
    nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    optimiser.step()


@torch.no_grad()
def _follow(average: Learner, learner: Learner, decay: float, step: int) -> None:
    weight = 1.0 - min(decay, (1 + step) / (10 + step))
    mine: list[Tensor] = list(average.parameters())
    theirs: list[Tensor] = list(learner.parameters())
    torch._foreach_lerp_(mine, theirs, weight)


def _state(learner: Learner, average: Learner, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    return {"learner": learner.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
