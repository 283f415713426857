"""The chest that a lesion is drawn into: its lungs, its grey levels and its scale in px per cm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synth.errors import RequestError
from synth.types import Side, Zone

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LUNG_HEIGHT_CM = 25.0  # apex to costophrenic angle of an adult in inspiration
THORAX_WIDTH_CM = 27.0  # inner width of an adult thorax on an axial slice
THIRD = {Zone.UPPER: 0, Zone.MIDDLE: 1, Zone.LOWER: 2}


@dataclass(frozen=True, slots=True, eq=False)
class Chest:
    """A film or slice with what its lesions need to know. All arrays (H, W); grey levels in [0, 1]."""

    pixels: Image
    lungs: Mask
    right: Mask
    left: Mask
    base: Image  # the lung behind ribs and vessels: low spatial frequencies
    air: float  # median grey of the lungs
    dense: float  # grey of mediastinum and heart (film) or soft tissue (slice)
    cm: float  # px per cm, from the size of the lungs

    def lung(self, side: Side) -> Mask:
        """The lung mask of one side, both for Side.BOTH."""
        return {Side.RIGHT: self.right, Side.LEFT: self.left, Side.BOTH: self.lungs}[side]


def lung_sides(lungs: Mask) -> tuple[Mask, Mask]:
    """Split a lung mask (H, W) into the patient's (right, left) lung; the right lung lies on the image's left.

    A part that crosses the midline is cut at the column with the fewest lung pixels in the middle of the chest; one
    lung alone is told by the half of the image that it lies in.
    """
    columns = np.flatnonzero(lungs.any(axis=0))
    if columns.size == 0:
        return np.zeros_like(lungs), np.zeros_like(lungs)
    first, width = int(columns[0]), int(columns[-1] - columns[0] + 1)
    count = ndimage.uniform_filter1d(lungs.sum(axis=0).astype(np.float64), max(width // 24, 1))
    low, high = first + int(0.3 * width), first + max(int(0.7 * width), int(0.3 * width) + 1)
    valley = np.flatnonzero(count[low:high] <= count[low:high].min() + 1e-9)
    midline = low + int(valley.mean())
    if count[midline] > 0.6 * min(count[:midline].max(initial=0.0), count[midline:].max()):
        midline = lungs.shape[1] if columns.mean() < lungs.shape[1] / 2 else 0  # no valley: one lung alone
    parts, number = ndimage.label(lungs)
    area = np.bincount(parts.ravel(), minlength=number + 1)
    area_right = np.bincount(parts[:, :midline].ravel(), minlength=number + 1)
    share = (area_right / np.maximum(area, 1))[parts]
    on_the_left = np.arange(lungs.shape[1])[None, :] < midline
    right = lungs & np.where(share > 0.85, True, np.where(share < 0.15, False, on_the_left))
    return right, lungs & ~right


def zone_rows(lung: Mask, zone: Zone) -> tuple[int, int]:
    """First row and row after the last of a third of one lung's height. Raises RequestError on an empty lung."""
    rows = np.flatnonzero(lung.any(axis=1))
    if rows.size == 0:
        raise RequestError("The lung mask is empty on that side; it must show the lung that is to hold the lesion.")
    top, height = int(rows[0]), int(rows[-1] - rows[0] + 1)
    third = THIRD[zone]
    return top + round(third * height / 3), top + round((third + 1) * height / 3)


def zone_of(lung: Mask, zone: Zone | None) -> Mask:
    """The part of one lung (H, W) in one third of its height; the whole lung without a zone."""
    if zone is None:
        return lung
    top, bottom = zone_rows(lung, zone)
    part = np.zeros_like(lung)
    part[top:bottom] = lung[top:bottom]
    return part


def ct_lungs(pixels: Image) -> Mask:
    """Aerated lungs of one axial slice in a lung window, (H, W) in [0, 1]; all False where there is none.

    Dark components that lie along the border are the air around the patient; a lung that a tight crop just
    touches stays. Airways and gut gas go by size: parts below a fifth of the largest are dropped.
    """
    smooth = ndimage.uniform_filter(pixels, 3)
    dark = ndimage.binary_opening(smooth < 0.5 * (np.percentile(smooth, 5) + np.percentile(smooth, 90)))
    parts, number = ndimage.label(dark)
    area = np.bincount(parts.ravel(), minlength=number + 1).astype(np.float64)
    rim = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    contact = np.bincount(rim, minlength=number + 1)
    area[contact > np.sqrt(area)] = 0.0
    area[0] = 0.0
    keep = (area > 0.2 * area.max()) & (area > 0.01 * dark.size)
    lungs: Mask = keep[parts]
    radius = max(pixels.shape[0] // 64, 1)
    closed = ndimage.binary_closing(np.pad(lungs, 2 * radius), iterations=radius)
    filled: Mask = ndimage.binary_fill_holes(closed)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    return filled


def film_chest(pixels: Image, lungs: Mask) -> Chest:
    """Measure a frontal film: scale from the lungs' height, dense level from what lies between the lungs."""
    right, left = _checked_sides(pixels, lungs)
    height = max(_height(right), _height(left))
    cm = height / LUNG_HEIGHT_CM
    air = float(np.median(pixels[lungs]))
    dense = max(float(np.percentile(pixels[_between(right, left, lungs)], 50)), air + 0.15)
    width = max(int(2.0 * cm) | 1, 3)
    weight = lungs.astype(np.float32)
    lung = blur(pixels * weight, width) / np.maximum(blur(weight, width), 1e-3)
    deep = np.clip(2.0 * blur(weight, 5) - 1.0, 0.0, 1.0)  # 0 at the border, so that no seam shows along it
    base = deep * lung + (1.0 - deep) * pixels
    return Chest(pixels, lungs, right, left, base.astype(np.float32), air, min(dense, 0.99), cm)


def slice_chest(pixels: Image, lungs: Mask) -> Chest:
    """Measure an axial slice: scale from the width of the thorax, soft tissue level from the body around it."""
    right, left = _checked_sides(pixels, lungs)
    columns = np.flatnonzero(lungs.any(axis=0))
    sides = 2.0 if not right.any() or not left.any() else 1.0
    cm = sides * float(columns[-1] - columns[0] + 1) / THORAX_WIDTH_CM
    air = float(np.median(pixels[lungs]))
    body = pixels[~lungs & (pixels > air + 0.25)]
    dense = max(float(np.median(body)) if body.size else 0.92, air + 0.3)
    return Chest(pixels, lungs, right, left, blur(pixels, 5), air, min(dense, 0.99), cm)


def blur(image: Image, width: int) -> Image:
    """Three box filters of `width` px: a near Gaussian (sigma = width / 2) whose cost does not grow with width."""
    for _ in range(3):
        image = ndimage.uniform_filter(image, width, mode="nearest")
    return image


def _checked_sides(pixels: Image, lungs: Mask) -> tuple[Mask, Mask]:
    if pixels.shape != lungs.shape or pixels.ndim != 2:
        raise RequestError(f"Pixels are {pixels.shape} and lungs {lungs.shape}; both must be one (H, W).")
    if lungs.sum() < 0.01 * lungs.size:
        raise RequestError(f"The lung mask covers {lungs.mean():.1%} of the image; it must cover at least 1%.")
    return lung_sides(lungs)


def _height(lung: Mask) -> int:
    rows = np.flatnonzero(lung.any(axis=1))
    return int(rows[-1] - rows[0] + 1) if rows.size else 0


def _between(right: Mask, left: Mask, lungs: Mask) -> Mask:
    """The mediastinum: pixels of each row between the two lungs; all outside the lungs if one is missing."""
    after_right = np.logical_or.accumulate(right, axis=1)
    before_left = np.logical_or.accumulate(left[:, ::-1], axis=1)[:, ::-1]
    middle: Mask = after_right & before_left & ~lungs
    return middle if middle.sum() > 20 else ~lungs
