"""How well the readers read real pictures they have not learnt from, and how well they read any picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage, stats

from synth.models.readers import Readers
from synth.training.data import Collection
from synth.training.reader_targets import Targets
from synth.training.readers import Outlined

RESAMPLES = 400  # of the bootstrap
FEWEST = 8  # positives, negatives or boxes, below which no figure is stated

Areas = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Auroc:
    """Area under the ROC curve with its 95 % bootstrap interval and counts."""

    value: float
    low: float
    high: float
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Outlined against known lesions: mean Dice, share with Dice above 0, and how many."""

    dice: float
    hit_rate: float
    count: int


@dataclass(frozen=True, slots=True)
class Pointing:
    """A map against areas: share with its peak inside, what chance would give, mean IoU of the boxes, how many."""

    hit_rate: float
    by_chance: float
    box_iou: float
    count: int


def auroc(positives: Floats, negatives: Floats, seed: int = 0) -> Auroc:
    """Mann-Whitney's U over the number of pairs; ties count half."""
    rng = np.random.default_rng(seed)
    draws = [area(*(rng.choice(group, len(group)) for group in (positives, negatives))) for _ in range(RESAMPLES)]
    low, high = np.percentile(draws, (2.5, 97.5))
    return Auroc(area(positives, negatives), float(low), float(high), len(positives), len(negatives))


def area(positives: Floats, negatives: Floats) -> float:
    """Under the ROC curve, of two groups of scores."""
    return float(stats.mannwhitneyu(positives, negatives).statistic / (len(positives) * len(negatives)))


def as_planes(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """(N, H, W) uint8 to (N, 1, H, W) in [0, 1]."""
    return torch.from_numpy(pixels)[:, None].float() / 255


def outlined(readers: Readers, name: str, pixels: npt.NDArray[np.uint8]) -> Areas:
    """Where a segmenter sees a lesion with a probability above one half, (N, H, W)."""
    return np.asarray(readers.outline(name, as_planes(pixels))[:, 0].numpy() > 0.5)


def overlap(found: Areas, known: Areas) -> Overlap:
    """Dice of areas (N, H, W), over the pictures with a known lesion."""
    there = known.any((1, 2))
    both = (found & known)[there].sum((1, 2))
    dice = 2 * both / (found[there].sum((1, 2)) + known[there].sum((1, 2)))
    return Overlap(float(dice.mean()), float((both > 0).mean()), int(there.sum()))


def pointing(maps: Floats, areas: Areas) -> Pointing:
    """Maps (N, h, w) against areas (N, H, W): the peak's cell must touch the area; the box is that of the cells above
    half of the map's range around the peak.
    """
    step = areas.shape[1] // maps.shape[1]
    cells: Areas = np.asarray(areas.reshape(len(areas), maps.shape[1], step, maps.shape[2], step).any((2, 4)))
    peaks = maps.reshape(len(maps), -1).argmax(1)
    hits = cells.reshape(len(maps), -1)[np.arange(len(maps)), peaks]
    ious = [_box_iou(_around_peak(grid), area) for grid, area in zip(maps, cells, strict=True)]
    return Pointing(float(hits.mean()), float(cells.mean()), float(np.mean(ious)), len(maps))


def _around_peak(grid: Floats) -> Areas:
    above = grid > (grid.max() + np.median(grid)) / 2
    parts, _ = ndimage.label(above)
    return np.asarray(parts == parts.flat[int(grid.argmax())])


def _box_iou(a: Areas, b: Areas) -> float:
    """Of the bounding boxes of two areas on one grid."""
    boxes = []
    for area in (a, b):
        rows, columns = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
        box = np.zeros_like(area)
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        boxes.append(box)
    return float((boxes[0] & boxes[1]).sum() / (boxes[0] | boxes[1]).sum())


def real_aurocs(readers: Readers, data: Collection, targets: Targets) -> dict[str, Auroc]:
    """ "code, origin" -> AUROC of the classifier, where an origin has enough of both."""
    logits = readers.read(as_planes(targets.pixels)).logits.numpy()
    origins = np.array([data.rows[i]["origin"] for i in targets.rows])
    figures = {}
    for k, code in enumerate(readers.codes):
        for origin in np.unique(origins):
            told = targets.findings[:, k]
            there, absent = (logits[(origins == origin) & (told == value), k] for value in (1, 0))
            if min(len(there), len(absent)) >= FEWEST:
                figures[f"{code}, {origin}"] = auroc(there, absent)
    return figures


def real_person(readers: Readers, targets: Targets) -> dict[str, float]:
    """Share of films whose sex is read right, and mean error of the age in years, adults of the split."""
    found = readers.read(as_planes(targets.pixels))
    sexed, aged = np.isfinite(targets.male), np.isfinite(targets.age)
    right = (found.male.numpy()[sexed] > 0) == (targets.male[sexed] > 0.5)
    years = 100 * np.abs(found.age.numpy()[aged] - targets.age[aged])
    return {"sex_accuracy": float(right.mean()), "age_error": float(years.mean()), "films": int(sexed.sum())}


def real_pointing(readers: Readers, targets: Targets) -> dict[str, Pointing]:
    """code -> the classifier's map against readers' boxes on films, and against masks on slices."""
    maps = readers.read(as_planes(targets.pixels)).maps.numpy()
    figures = {}
    for k, code in enumerate(readers.codes):
        outlined = np.flatnonzero(np.isfinite(targets.maps[:, k]).all((1, 2)) & (targets.maps[:, k].max((1, 2)) > 0.3))
        if len(outlined) >= FEWEST:
            figures[code] = pointing(maps[outlined, k], targets.maps[outlined, k] > 0.3)
    return figures


def real_overlap(readers: Readers, name: str, pictures: Outlined) -> Overlap:
    """A segmenter on unseen pictures with masks."""
    return overlap(outlined(readers, name, pictures.pixels), pictures.areas > 127)
