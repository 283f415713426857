"""A model without weights: a Gaussian prior whose best denoiser is known in closed form. It is what tests run on.

The prior is N(mean picture, S): the mean is a drawn phantom that follows the caption, S a stationary covariance. For it
E[z0 | z0 + sigma * n] is one Wiener filter, so every sampler can be judged against the truth, in milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from synth.diffusion.model import Condition
from synth.types import ModelCard, Side, Zone

CARD = ModelCard(
    id="tiny",
    title="Analytic phantom",
    revision="1",
    files={},
    licence="Apache-2.0",
    training_data="None: the picture is drawn by formulas.",
    native_px=256,
    intended_use="Tests and demonstrations of the software, never a picture of a disease.",
    limits="Draws phantoms, not radiographs.",
    text_findings=(
        "pneumonia",
        "bacterial_pneumonia",
        "viral_pneumonia",
        "covid_19",
        "pleural_effusion",
        "infiltration",
        "nodule",
        "lung_opacity",
        "edema",
    ),
    drawn_findings=("consolidation", "mass", "pneumothorax"),
)


@dataclass(frozen=True, slots=True)
class _Look:
    """A caption word and its mark on the mean: an ellipse (x, y in -1..1, y down), brighter by `tone` grey units."""

    word: str
    x: float
    y: float
    rx: float
    ry: float
    tone: float


LOOKS = (
    _Look("pneumonia", -0.42, 0.25, 0.24, 0.20, 0.22),
    _Look("bacterial", -0.40, 0.30, 0.16, 0.14, 0.14),
    _Look("viral", 0.44, 0.00, 0.24, 0.40, 0.10),
    _Look("covid", 0.46, 0.18, 0.18, 0.30, 0.18),
    _Look("effusion", 0.62, 0.46, 0.26, 0.16, 0.22),
    _Look("infiltration", -0.30, 0.05, 0.18, 0.26, 0.15),
    _Look("nodule", -0.50, -0.25, 0.07, 0.07, 0.28),
    _Look("mass", 0.50, -0.20, 0.15, 0.15, 0.30),
    _Look("opacity", 0.42, 0.30, 0.20, 0.20, 0.16),
    _Look("edema", 0.00, 0.00, 0.55, 0.30, 0.14),
    _Look("consolidation", -0.42, 0.20, 0.20, 0.24, 0.26),
    _Look("pneumothorax", -0.55, -0.45, 0.20, 0.28, -0.14),
)
HALF_RANGE = (
    0.5  # grey units per latent unit: pixels = 0.5 + 0.5 * picture, so the Haar average has about unit variance
)
FIELDS = ((0.10, 12.0), (0.04, 1.0))  # (standard deviation in picture units, correlation length in px): shape, grain


class TinyModel:
    """The analytic Model. Latents are the 2 x 2 Haar transform of the picture: (4, size/2, size/2), orthonormal."""

    def __init__(self, device: str = "cpu") -> None:
        self.card = CARD
        self.device = torch.device(device)
        self.dtype = torch.float32
        self.max_batch = 8

    def latent_shape(self, size_px: int) -> tuple[int, int, int]:
        """(4, size_px / 2, size_px / 2)."""
        return 4, size_px // 2, size_px // 2

    def encode_text(self, captions: list[str], size_px: int, look_of: list[str] | None = None) -> Condition:
        """One token a caption: (B, 1, 13), the first number 1 for CT, the others 1 where a word of LOOKS is affirmed.

        Reads the words it knows and passes over the rest, so nothing is raised.
        """
        features = torch.tensor([_features(caption) for caption in captions], device=self.device)
        batch, (channels, height, width) = len(captions), self.latent_shape(size_px)
        plane = torch.zeros(batch, 1, height, width, device=self.device)
        return Condition(
            text=features[:, None],
            text_mask=torch.ones(batch, 1, dtype=torch.bool, device=self.device),
            pooled=features,
            known=plane.repeat(1, channels, 1, 1),
            unknown=plane + 1.0,
            lesion=plane.clone(),
            lesion_given=plane.clone(),
            kind=torch.zeros(batch, dtype=torch.int64, device=self.device),
            features=torch.zeros(batch, 0, device=self.device),
        )

    def mean(self, cond: Condition) -> Tensor:
        """The prior's mean (B, 1, H, W) in picture units, -1..1 and a little beyond."""
        size = 2 * cond.unknown.shape[-1]
        film, slice_, patterns = (part.to(self.device) for part in _anatomy(size))  # (H, W), (H, W), (F, H, W)
        is_ct, present = cond.pooled[:, 0, None, None], cond.pooled[:, 1:]
        tones = present @ torch.tensor([look.tone for look in LOOKS], device=self.device)  # (B,)
        at_home = torch.einsum("bf,fhw->bhw", present, patterns)
        drawn, given = (
            part[:, 0].repeat_interleave(2, 1).repeat_interleave(2, 2) for part in (cond.lesion, cond.lesion_given)
        )
        lesions = (1.0 - given) * at_home + given * drawn * tones[:, None, None]
        return (film + is_ct * (slice_ - film) + lesions / HALF_RANGE)[:, None]

    def cooled(self, noise: Tensor, cond: Condition) -> Tensor:
        """The noise as it is."""
        return noise

    def denoise(self, z: Tensor, sigma: Tensor, cond: Condition) -> Tensor:
        """E[z0 | z] (B, 4, h, w): the mean, and the rest through the Wiener filter S / (S + sigma^2). sigma is (B,)."""
        mean = self.mean(cond)
        spectrum = _spectrum(mean.shape[-1]).to(self.device)  # (H, W/2+1)
        gain = spectrum / (spectrum + sigma[:, None, None, None] ** 2)
        rest = torch.fft.rfft2(_unhaar(z) - mean, norm="ortho")
        z0 = _haar(mean + torch.fft.irfft2(gain * rest, s=mean.shape[-2:], norm="ortho"))
        return cond.unknown * z0 + (1.0 - cond.unknown) * cond.known

    def to_latent(self, pixels: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] to (B, 4, H/2, W/2); H and W even."""
        return _haar((pixels - 0.5) / HALF_RANGE)

    def to_pixels(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to (B, 1, 2h, 2w), clipped to [0, 1]; the inverse of `to_latent`."""
        return (0.5 + HALF_RANGE * _unhaar(z)).clamp(0.0, 1.0)

    def decode(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to (B, 1, 2h, 2w), not clipped."""
        return 0.5 + HALF_RANGE * _unhaar(z)

    def lesions(self, pixels: Tensor, modality: str) -> Tensor | None:
        """None: it detects nothing."""
        return None

    def preview(self, z: Tensor) -> Tensor:
        """(B, 4, h, w) to the block averages (B, 1, h, w) in [0, 1]."""
        return (0.5 + HALF_RANGE * 0.5 * z[:, :1]).clamp(0.0, 1.0)

    def zone_mask(self, side: Side | None, zone: Zone | None, size_px: int, modality: str = "DX") -> Tensor:
        """(1, 1, h, w) in [0, 1]: the lungs, cut to the patient's side (right lies left in the picture) and third."""
        x, y = _grid(size_px // 2)
        right, left = _lungs(x, y)
        mask = {"right": right, "left": left}.get(side or "", torch.maximum(right, left))
        if zone is not None:
            centre = {"upper": -0.5, "middle": -0.05, "lower": 0.4}[zone]
            mask = mask * torch.exp(-(((y - centre) / 0.25) ** 2))
        return mask[None, None].to(self.device)


def _features(caption: str) -> list[float]:
    """1 for CT, then 1 for each look whose word stands in a part of the caption that begins with no negation."""
    parts = re.split(r"[,.;]", caption.lower())
    said = " ".join(part for part in parts if not re.match(r"\s*(no|without|free of)\b", part))
    words = set(re.findall(r"[a-z]+", said))
    return [float("ct" in words), *(float(look.word in words) for look in LOOKS)]


def _haar(picture: Tensor) -> Tensor:
    """(B, 1, 2h, 2w) to (B, 4, h, w): average and three details; orthonormal, so white noise stays white."""
    a, b, c, d = picture[..., ::2, ::2], picture[..., ::2, 1::2], picture[..., 1::2, ::2], picture[..., 1::2, 1::2]
    return 0.5 * torch.cat([a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d], dim=1)


def _unhaar(z: Tensor) -> Tensor:
    """The inverse (and transpose) of `_haar`."""
    s, x, y, d = z.chunk(4, dim=1)
    corners = 0.5 * torch.cat([s + x + y + d, s - x + y - d, s + x - y - d, s - x - y + d], dim=1)
    return torch.nn.functional.pixel_shuffle(corners, 2)


@lru_cache(maxsize=4)
def _spectrum(size: int) -> Tensor:
    """Variance (H, W/2+1) of the prior per frequency of an orthonormal transform: a sum of Gaussian-shaped fields."""
    fy, fx = torch.fft.fftfreq(size)[:, None], torch.fft.fftfreq(size)[None, :]
    total = torch.zeros(size, size)
    for deviation, length in FIELDS:
        shape = torch.exp(-((2 * torch.pi * length) ** 2) * (fx**2 + fy**2) / 2)
        total += deviation**2 * shape / shape.mean()  # mean over frequencies = variance of a pixel
    return total[:, : size // 2 + 1].contiguous()


def _grid(size: int) -> tuple[Tensor, Tensor]:
    """x to the right and y downwards, (size, size) each, pixel centres in -1..1."""
    axis = (torch.arange(size) + 0.5) * (2.0 / size) - 1.0
    return axis[None, :].expand(size, size), axis[:, None].expand(size, size)


def _ellipse(x: Tensor, y: Tensor, cx: float, cy: float, rx: float, ry: float, edge: float = 0.05) -> Tensor:
    """1 inside, 0 outside, a soft border of relative width `edge`."""
    radius = torch.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
    return torch.sigmoid((1.0 - radius) / edge)


def _lungs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The patient's right and left lung, each cut off below by its dome of the diaphragm."""
    fields = []
    for centre, floor in ((-0.42, 0.48), (0.44, 0.56)):
        dome = torch.sigmoid((floor + 0.9 * (x - centre) ** 2 - y) / 0.02)
        fields.append(_ellipse(x, y, centre, 0.0, 0.34, 0.80) * dome)
    return fields[0], fields[1]


@lru_cache(maxsize=4)
def _anatomy(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean film and mean slice (H, W) in picture units, and the looks' patterns (F, H, W) in grey units."""
    x, y = _grid(size)
    lungs = sum(_lungs(x, y), torch.zeros(size, size))
    body = _ellipse(x, y, 0.0, 0.75, 0.95, 1.75)
    heart = torch.maximum(_ellipse(x, y, 0.16, 0.26, 0.34, 0.30), _ellipse(x, y, 0.02, -0.3, 0.13, 0.9))
    course = y + 0.12 * y**2 - 0.5 * x**2  # ribs lie wider apart below, so their spectrum is no comb
    ribs = torch.exp(2.5 * (torch.cos(2 * torch.pi * course / 0.24) - 1.0))
    spine = torch.exp(-((x / 0.09) ** 2))
    film = 0.04 + 0.60 * body - 0.42 * lungs * (1.0 - heart) + 0.16 * heart * body + 0.08 * ribs * lungs
    film = film + 0.06 * spine * body
    torso, wall = _ellipse(x, y, 0.0, 0.05, 0.93, 0.68, 0.02), _ellipse(x, y, 0.0, 0.03, 0.80, 0.54, 0.03)
    airy = wall * (1.0 - _ellipse(x, y, 0.10, -0.05, 0.36, 0.34)) * (1.0 - _ellipse(x, y, 0.0, 0.42, 0.16, 0.22))
    bone = _ellipse(x, y, 0.0, 0.44, 0.12, 0.12) + _ellipse(x, y, 0.0, -0.52, 0.12, 0.04)
    slice_ = 0.02 + 0.72 * torso - 0.58 * airy + 0.22 * bone
    patterns = torch.stack([k.tone * _ellipse(x, y, k.x, k.y, k.rx, k.ry, 0.15) for k in LOOKS])
    return (film - 0.5) / HALF_RANGE, (slice_ - 0.5) / HALF_RANGE, patterns
