"""Builds the zone atlas: the mean of many lung masks, right and left, of films and of axial slices."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synth.diffusion.zones import Atlas
from synth.training.lesion_chest import lung_sides

Mask = npt.NDArray[np.bool_]
Image = npt.NDArray[np.float32]
SIZE_PX = 256  # of the model's pictures; the masks of 224 px films are enlarged like their films
MIN_SHARE = 0.02  # of the image: below it one lung was not outlined


def build(films: Iterable[Mask], slices: Iterable[Mask], size_px: int = SIZE_PX) -> Atlas:
    """Mean over lung masks (H, W) bool of frontal films, and over those of axial slices (`lesions.ct_lungs`).

    Masks that are not square are letterboxed like their pictures. A mask that lacks one lung is left out of that lung's
    mean. Raises ValueError where no mask shows a lung.
    """
    right, left = _means(films, size_px, "films")
    ct_right, ct_left = _means(slices, size_px, "slices")
    return Atlas(right, left, ct_right, ct_left)


def _means(masks: Iterable[Mask], size_px: int, what: str) -> tuple[Image, Image]:
    sums = np.zeros((2, size_px, size_px))
    counts = np.zeros(2, np.int64)
    for mask in masks:
        for index, lung in enumerate(lung_sides(mask)):
            if lung.mean() >= MIN_SHARE:
                sums[index] += _fitted(lung, size_px)
                counts[index] += 1
    if counts.min() == 0:
        raise ValueError(f"no mask of the {what} shows a {('right', 'left')[int(counts.argmin())]} lung")
    means = np.clip(sums / counts[:, None, None], 0.0, 1.0).astype(np.float32)
    return means[0], means[1]


def _fitted(lung: Mask, size_px: int) -> Image:
    """The mask as float, letterboxed to a square and brought to `size_px` by linear interpolation."""
    height, width = lung.shape
    side = max(height, width)
    square = np.zeros((side, side), np.float32)
    top, first = (side - height) // 2, (side - width) // 2
    square[top : top + height, first : first + width] = lung
    if side == size_px:
        return square
    scale = side / size_px
    return np.asarray(
        ndimage.affine_transform(
            square, [scale, scale], offset=0.5 * scale - 0.5, output_shape=(size_px, size_px), order=1, mode="nearest"
        ),
        dtype=np.float32,
    )
