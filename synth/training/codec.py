"""Training of the codec: reconstruction first; then the encoder is frozen and the decoder meets a discriminator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.models.networks import grain
from synth.models.networks.codec import Codec
from synth.models.precision import autocast
from synth.training.data import Collection
from synth.training.presets import Preset
from synth.training.run import Run
from synth.training.sheets import save_sheet

KL_WEIGHT = 1e-5
GRADIENT_WEIGHT = 0.5
ADVERSARIAL_SHARE = 0.4  # of the reconstruction's gradient at the last layer (Esser et al. 2021, eq. 7)
MATCHING_WEIGHT = 0.02
GRAIN_WEIGHT = 0.01  # small beside the clipped gradient of the picture; Adam gives the grain its full step all the same
FULL_SIZE_FROM = 0.7  # share of the budget after which whole pictures replace crops (GroupNorm sees the same as in use)
VALIDATE_EVERY = 200


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the codec trains on: pixels (N, 256, 256) uint8, sampling weights, fixed validation pictures."""

    pixels: npt.NDArray[np.uint8]
    train: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    validation: Tensor  # (V, 1, 256, 256) in [-1, 1]

    @classmethod
    def of(cls, data: Collection) -> Pictures:
        """Chest films 60 %, chest CT 20 %, everything else 20 % of the draws."""
        train = data.where(split="train")
        group = np.array([_group(data.rows[i]) for i in train])
        share = np.array([0.6, 0.2, 0.2])
        weights = share[group] / np.bincount(group, minlength=3)[group]
        films = data.where(split="val", modality="DX")[:48]
        slices = data.where(split="val", modality="CT")[:16]
        return cls(data.pixels, train, weights / weights.sum(), _tensor(data.pixels[np.concatenate((films, slices))]))

    def crops(self, rng: np.random.Generator, count: int, size: int) -> Tensor:
        """(count, 1, size, size) in [-1, 1], flipped at random: here, and only here, flips do no harm."""
        chosen = rng.choice(self.train, count, p=self.weights)
        out = np.empty((count, size, size), np.uint8)
        for k, index in enumerate(chosen):
            y, x = rng.integers(0, self.pixels.shape[1] - size + 1, 2)
            crop = self.pixels[index, y : y + size, x : x + size]
            out[k] = crop[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        return _tensor(out)


def _group(row: dict[str, Any]) -> int:
    if row["modality"] == "DX":
        return 0
    return 1 if row["modality"] == "CT" and row["body_part"] == "CHEST" else 2


def _tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels[:, None].astype(np.float32) / 127.5 - 1.0)


def train_codec(data: Collection, run: Run, preset: Preset, start: Codec | None = None, *, resume: bool) -> Codec:
    """Stage A: Charbonnier + gradients at three scales + KL + grain; learning rate on a cosine over the budget.

    `start`: weights to begin from; it may lack the grain.
    """
    device = torch.device(preset.device)
    pictures = Pictures.of(data)
    torch.manual_seed(run.seed)
    codec = Codec(preset.codec).to(device)
    if start is not None:
        codec.load_state_dict({**codec.state_dict(), **start.state_dict()})
    codec.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(codec.parameters(), lr=preset.codec_lr, betas=(0.9, 0.95), weight_decay=0.0)
    if resume and (state := run.resume()):
        codec.load_state_dict(state["codec"])
        optimiser.load_state_dict(state["optimiser"])
    while run.progress < 1.0:
        full = run.progress > FULL_SIZE_FROM
        batch = preset.codec_batch // 4 if full else preset.codec_batch
        x = pictures.crops(run.random(), batch, 256 if full else 128).to(device, memory_format=torch.channels_last)
        _set_lr(optimiser, preset.codec_lr * _cosine(run.progress, run.step))
        loss = _codec_loss(codec, x)
        _update(optimiser, loss, codec.parameters())
        run.step += 1
        if run.due(VALIDATE_EVERY):
            run.log(batch, loss=loss.item(), psnr_val=psnr(codec, pictures.validation))
            save_sheet(run.folder / "codec.png", _pairs(codec, pictures.validation))
        run.save_if_due({"codec": codec.state_dict(), "optimiser": optimiser.state_dict()})
    run.save_if_due({"codec": codec.state_dict(), "optimiser": optimiser.state_dict()}, always=True)
    run.log(preset.codec_batch, psnr_val=psnr(codec, pictures.validation))
    return codec


def _codec_loss(codec: Codec, x: Tensor) -> Tensor:
    with autocast(x.device):
        mean, logvar = codec.moments(x)
        z = mean if logvar is None else mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        y, log_sigma = codec.decode_parts(z)
    loss = reconstruction_loss(y.float(), x)
    if log_sigma is not None:
        loss = loss + GRAIN_WEIGHT * grain.likelihood_loss(log_sigma, x - y.float().detach())
    if logvar is not None:
        loss = loss + KL_WEIGHT * kl(mean.float(), logvar.float())
    return loss


def train_decoder(data: Collection, run: Run, preset: Preset, codec: Codec, *, resume: bool) -> Codec:
    """Stage B: the decoder alone, on z + 0.05 noise, with a patch discriminator and feature matching."""
    device = torch.device(preset.device)
    pictures = Pictures.of(data)
    codec = codec.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    codec.requires_grad_(False)
    codec.decoder.requires_grad_(True)
    codec.residual.requires_grad_(True)
    critic = PatchCritic(preset.critic_width).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    paint = torch.optim.AdamW(_painting(codec), lr=1e-4, betas=(0.5, 0.9), weight_decay=0.0)
    judge = torch.optim.AdamW(critic.parameters(), lr=2e-4, betas=(0.5, 0.9), weight_decay=0.0)
    if resume and (state := run.resume()):
        codec.load_state_dict(state["codec"])
        critic.load_state_dict(state["critic"])
        paint.load_state_dict(state["optimiser"])
        judge.load_state_dict(state["judge"])
    while run.progress < 1.0:
        batch = preset.codec_batch // 2
        x = pictures.crops(run.random(), batch, 128).to(device, memory_format=torch.channels_last)
        figures = _duel(codec, critic, x, (paint, judge), run)
        run.step += 1
        if run.due(VALIDATE_EVERY):
            run.log(batch, psnr_val=psnr(codec, pictures.validation), **figures)
            save_sheet(run.folder / "decoder.png", _pairs(codec, pictures.validation))
        state = {"codec": codec.state_dict(), "critic": critic.state_dict()}
        run.save_if_due(state | {"optimiser": paint.state_dict(), "judge": judge.state_dict()})
    state = {"codec": codec.state_dict(), "critic": critic.state_dict()}
    run.save_if_due(state | {"optimiser": paint.state_dict(), "judge": judge.state_dict()}, always=True)
    return codec


def _painting(codec: Codec) -> list[nn.Parameter]:
    return [*codec.decoder.parameters(), *codec.residual.parameters()]


def _duel(
    codec: Codec, critic: PatchCritic, x: Tensor, optimisers: tuple[torch.optim.Optimizer, ...], run: Run
) -> dict[str, float]:
    """One step of decoder and discriminator (hinge loss); for the first share only the discriminator learns."""
    paint, judge = optimisers
    with autocast(x.device):
        with torch.no_grad():
            z = codec.encode(x)
        y = codec.decode_parts(z + 0.05 * torch.randn_like(z))[0].float()
        real, fake = critic(x), critic(y.detach())
        judged = F.relu(1 - real[-1].float()).mean() + F.relu(1 + fake[-1].float()).mean()
    _update(judge, judged, critic.parameters())
    ramp = min(1.0, max(0.0, (run.progress - 0.1) / 0.1))
    with autocast(x.device):
        seen = critic(y)
        target = [feature.detach() for feature in critic(x)[:-1]]
        matching = torch.stack([F.l1_loss(a.float(), b.float()) for a, b in zip(seen[:-1], target, strict=True)]).sum()
        fooled = -seen[-1].float().mean()
    kept = reconstruction_loss(y, x)
    weight = ADVERSARIAL_SHARE * _balance(kept, fooled, codec.residual.weight)
    loss = kept + ramp * (weight * fooled + MATCHING_WEIGHT * matching)
    _update(paint, loss, _painting(codec))
    return {"loss": float(loss.item()), "judged": float(judged.item()), "fooled": float(fooled.item())}


def _balance(kept: Tensor, fooled: Tensor, last: Tensor) -> Tensor:
    """Gradient of the reconstruction over that of the critic at the last layer, so that their shares are known."""
    (a,) = torch.autograd.grad(kept, last, retain_graph=True)
    (b,) = torch.autograd.grad(fooled, last, retain_graph=True)
    ratio: Tensor = a.norm() / (b.norm() + 1e-6)
    return ratio.clamp(max=1e3).detach()


class PatchCritic(nn.Module):
    """Three strided convolutions with spectral norm (Isola et al. 2017); returns its features, the verdict last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        sizes = (1, width, width * 2, width * 4)
        self.blocks = nn.ModuleList(norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairwise(sizes))
        self.verdict = norm(nn.Conv2d(sizes[-1], 1, 3, 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 1, H, W) to three feature maps and a verdict map."""
        features = []
        for block in self.blocks:
            x = F.leaky_relu(block(x), 0.2)
            features.append(x)
        return [*features, self.verdict(x)]


def reconstruction_loss(y: Tensor, x: Tensor) -> Tensor:
    """Charbonnier (eps 1e-3) + 0.5 x L1 of the gradients at scales 1, 2 and 4."""
    loss = ((y - x).square() + 1e-6).sqrt().mean()
    difference = y - x
    for _ in range(3):
        dy, dx = difference.diff(dim=-2), difference.diff(dim=-1)
        loss = loss + GRADIENT_WEIGHT / 3 * (dy.abs().mean() + dx.abs().mean())
        difference = F.avg_pool2d(difference, 2)
    return loss


def kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Mean KL divergence per element from N(0, 1)."""
    return 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean()


@torch.no_grad()
def psnr(codec: Codec, x: Tensor, batch: int = 8) -> float:
    """Mean PSNR in dB of the mean picture, without grain, over (N, 1, H, W) in [-1, 1], outputs clamped."""
    values = []
    device = next(codec.parameters()).device
    for part in x.split(batch):
        part = part.to(device)
        with autocast(device):
            y = codec.decode_parts(codec.encode(part))[0].float().clamp(-1, 1)
        values.append(-10 * torch.log10(((y - part) / 2).square().mean((1, 2, 3))))
    return float(torch.cat(values).mean())


@torch.no_grad()
def _pairs(codec: Codec, x: Tensor) -> Tensor:
    x = x[:6].to(next(codec.parameters()).device)
    y = codec.decode(codec.encode(x)).clamp(-1, 1)
    return (torch.cat((x, y)).cpu() + 1) / 2


def _cosine(progress: float, step: int, floor: float = 0.1) -> float:
    warm = min(1.0, (step + 1) / 100)
    return warm * (floor + (1 - floor) * 0.5 * (1 + float(np.cos(np.pi * progress))))


def _set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = lr


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, parameters: Any) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()
