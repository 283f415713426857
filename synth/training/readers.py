"""Training of the readers: a classifier on real chest pictures, segmenters on real masks and on simulated lesions.

They measure what the denoiser draws and must not learn from it: real pictures of the train split only, and the one
segmenter that sees simulated lesions is named so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.captions import MAGNIFIED
from synth.models.networks.classifier import Classifier, ClassifierConfig
from synth.models.networks.segmenter import Segmenter
from synth.models.readers import Readers
from synth.training.bank import Simulated
from synth.training.data import Collection
from synth.training.labels import labels_of
from synth.training.reader_targets import CODES, Targets, small
from synth.training.run import Budget

LR = 2e-3
CLASSIFIER_BATCH, SEGMENTER_BATCH = 48, 8
MAP_WEIGHT, PERSON_WEIGHT = 1.0, 0.3
LESION_WEIGHT = 3.0  # of a lesion's pixels: they are few
TURN_DEG, ZOOM, SHIFT, GAMMA = 6.0, (0.94, 1.12), 0.06, (0.8, 1.25)
NOISE, BLUR_SHARE = 0.03, 0.3  # so that neither a generator's grain nor its softness decides

Areas = npt.NDArray[np.uint8]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """N pictures (N, 128, 128) uint8 with lesion areas of the same shape, 0 or 255; empty ones are lessons too."""

    pixels: npt.NDArray[np.uint8]
    areas: Areas


def train_classifier(
    targets: Targets, budget: Budget, seed: int, report: Report, start: Classifier | None = None
) -> Classifier:
    """Rare groups of origin and label are drawn more often: by the root of their size. Adam on a cosine."""
    torch.manual_seed(seed)
    network = start or Classifier(ClassifierConfig(CODES))
    counts = np.bincount(targets.group)
    weights = counts[targets.group] ** -0.5
    chosen = _Draws(len(targets.rows), weights / weights.sum(), CLASSIFIER_BATCH, seed)

    def loss(indices: npt.NDArray[np.int64]) -> Tensor:
        maps = torch.from_numpy(targets.maps[indices])
        given = maps.isfinite().all(-1).all(-1).any(1)
        pixels, maps = augmented(_planes(targets.pixels[indices]), maps)
        found = network(pixels)
        total: Tensor = _known_bce(found.logits, torch.from_numpy(targets.findings[indices]))
        if given.any():
            total = total + MAP_WEIGHT * _known_bce(found.maps[given], maps[given], torch.tensor(4.0))
        person = _known_bce(found.male, torch.from_numpy(targets.male[indices]))
        age = torch.from_numpy(targets.age[indices])
        known = age.isfinite()
        age_error = (found.age[known] - age[known]).abs().sum() / len(age)
        whole: Tensor = total + PERSON_WEIGHT * (person + 5 * age_error)
        return whole

    _fit(network, chosen, loss, budget, report)
    return network.eval()


def train_segmenter(
    outlined: Outlined, budget: Budget, seed: int, report: Report, start: Segmenter | None = None
) -> Segmenter:
    """Cross-entropy plus soft Dice (Milletari et al. 2016, eq. 1), over the whole batch. Adam on a cosine."""
    torch.manual_seed(seed)
    network = start or Segmenter()
    chosen = _Draws(len(outlined.pixels), None, SEGMENTER_BATCH, seed)

    def loss(indices: npt.NDArray[np.int64]) -> Tensor:
        pixels, area = augmented(_planes(outlined.pixels[indices]), _planes(outlined.areas[indices]))
        logits = network(pixels)
        inside = logits.sigmoid()
        dice = 1 - (2 * (inside * area).sum() + 1) / (inside.sum() + area.sum() + 1)
        total: Tensor = F.binary_cross_entropy_with_logits(logits, area, pos_weight=torch.tensor(LESION_WEIGHT)) + dice
        return total

    _fit(network, chosen, loss, budget, report)
    return network.eval()


def whole_slices(data: Collection, split: str) -> Outlined:
    """Whole chest slices with a COVID-19 lesion mask, manual or of a network, empty ones included."""
    rows = [i for i in data.where(split=split, modality="CT", body_part="CHEST") if i in data.masks and _whole(data, i)]
    return _outlined(data.pixels[rows], np.stack([data.masks[i] for i in rows]))


def nodule_crops(data: Collection, split: str) -> Outlined:
    """Magnified crops with the nodule that most of up to four radiologists outlined; half have no such consensus."""
    crops = [i for i in data.where(split=split, modality="CT") if i in data.masks and not _whole(data, i)]
    rows = [i for i in crops if data.masks[i].any()]
    return _outlined(data.pixels[rows], np.stack([data.masks[i] for i in rows]))


def simulated(bank: list[Simulated], data: Collection, modality: str) -> Outlined:
    """The pictures of one modality in a bank of simulated lesions, and as many untouched ones as every eighth of it."""
    cases = [case for case in bank if data.rows[case.index]["modality"] == modality]
    plain = [data.pixels[case.index] for case in cases[::8]]
    pixels = np.stack([case.pixels for case in cases] + plain)
    areas = np.stack([case.area() > 0.5 for case in cases] + [np.zeros(pixels.shape[1:], bool)] * len(plain))
    return _outlined(pixels, areas)


def augmented(pixels: Tensor, areas: Tensor) -> tuple[Tensor, Tensor]:
    """Turned, enlarged and shifted together, areas of any size; pixels also in gamma, softness and noise. No flips.

    pixels (B, 1, H, W) in [0, 1], areas (B, K, h, w) with nan where nothing is known.
    """
    count = len(pixels)
    turn = torch.deg2rad((torch.rand(count) * 2 - 1) * TURN_DEG)
    zoom = ZOOM[0] + torch.rand(count) * (ZOOM[1] - ZOOM[0])
    shift = (torch.rand(count, 2) * 2 - 1) * 2 * SHIFT
    cos, sin = torch.cos(turn) / zoom, torch.sin(turn) / zoom
    matrix = torch.stack((torch.stack((cos, -sin, shift[:, 0]), 1), torch.stack((sin, cos, shift[:, 1]), 1)), 1)
    moved = [
        F.grid_sample(
            plane, F.affine_grid(matrix, list(plane.shape), align_corners=False), mode=mode, align_corners=False
        )
        for plane, mode in ((pixels, "bilinear"), (areas, "nearest"))
    ]
    low, high = torch.log(torch.tensor(GAMMA))
    bright = moved[0].clamp(1e-4, 1) ** torch.exp(low + torch.rand(count, 1, 1, 1) * (high - low))
    soft = F.avg_pool2d(F.pad(bright, (1, 1, 1, 1), mode="replicate"), 3, 1)
    bright = torch.where(torch.rand(count, 1, 1, 1) < BLUR_SHARE, soft, bright)
    return bright + NOISE * torch.rand(count, 1, 1, 1) * torch.randn_like(bright), moved[1]


class _Draws:
    """Batches of row numbers, drawn with replacement."""

    def __init__(self, count: int, weights: npt.NDArray[np.float64] | None, batch: int, seed: int) -> None:
        self._rng, self._count, self._weights, self._batch = np.random.default_rng(seed), count, weights, batch

    def next(self) -> npt.NDArray[np.int64]:
        return self._rng.choice(self._count, self._batch, p=self._weights)


def _fit(
    network: nn.Module, draws: _Draws, loss: Callable[[npt.NDArray[np.int64]], Tensor], budget: Budget, report: Report
) -> None:
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), LR, weight_decay=1e-3)
    started, step, smooth = time.monotonic(), 0, 0.0
    while (progress := budget.progress(step, time.monotonic() - started)) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = LR * min(1.0, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * progress))
        value = loss(draws.next())
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        smooth = value.item() if step == 0 else 0.98 * smooth + 0.02 * value.item()
        step += 1
        if step % 100 == 0:
            report(f"{type(network).__name__}: step {step}, {progress:.0%}, loss {smooth:.3f}")


def _known_bce(logits: Tensor, wanted: Tensor, positive: Tensor | None = None) -> Tensor:
    """Cross-entropy over what is known, summed and divided by the batch; `positive` weighs the positives."""
    known = wanted.isfinite()
    losses = F.binary_cross_entropy_with_logits(logits[known], wanted[known], pos_weight=positive, reduction="sum")
    return losses / max(1, int(known.sum()))


def _outlined(pixels: npt.NDArray[np.uint8], areas: npt.NDArray[np.bool_]) -> Outlined:
    return Outlined(small(pixels), np.where(small(np.uint8(255) * areas) > 127, 255, 0).astype(np.uint8))


def _planes(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels)[:, None].float() / 255


def _whole(data: Collection, index: int) -> bool:
    return labels_of(data.rows[index]).extra != MAGNIFIED


SHARES = {"classifier": 0.5, "opacity-ct": 0.14, "nodule-ct": 0.14, "simulated-dx": 0.13, "simulated-ct": 0.09}


def train_readers(
    data: Collection, bank: list[Simulated], minutes: float, seed: int, report: Report, start: Readers | None = None
) -> Readers:
    """All readers, one after the other, from `start` if given; `bank`: simulated lesions on training pictures."""
    parts: dict[str, Callable[[], Outlined]] = {
        "opacity-ct": lambda: whole_slices(data, "train"),
        "nodule-ct": lambda: nodule_crops(data, "train"),
        "simulated-dx": lambda: simulated(bank, data, "DX"),
        "simulated-ct": lambda: simulated(bank, data, "CT"),
    }
    budget = Budget(minutes * SHARES["classifier"])
    known = start.segmenters if start else {}
    classifier = train_classifier(Targets.of(data, "train"), budget, seed, report, start.classifier if start else None)
    segmenters = {
        name: train_segmenter(outlined(), Budget(minutes * SHARES[name]), seed, report, known.get(name))
        for name, outlined in parts.items()
    }
    return Readers(classifier, segmenters)
