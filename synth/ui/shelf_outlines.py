"""Boxes and masks of a real image as lines over the square that it is shown in, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth import imaging, masks
from synth.types import Box, RealImage
from synth.ui import resources, viewer

BOX_COLOUR, MASK_COLOUR = "#e5b84b", "#ff6b6b"
Area = npt.NDArray[np.bool_]


def overlays(image: RealImage, shape: tuple[int, int], size_px: int) -> tuple[viewer.Overlay, ...]:
    """The lines of an image of `shape` (H, W) in a square of `size_px`; O shows and hides them."""
    found = []
    if image.boxes:
        found.append(viewer.Overlay([corners(box, shape, size_px) for box in image.boxes], BOX_COLOUR, "boxes"))
    if image.mask and (lines := masks.outline(in_square(mask_of(image.mask), shape, size_px))):
        found.append(viewer.Overlay(lines, MASK_COLOUR, "mask"))
    return tuple(found)


def corners(box: Box, shape: tuple[int, int], size_px: int) -> npt.NDArray[np.float64]:
    """The closed outline (5, 2) of a box in px of the square."""
    top, left, height, width = imaging.fitted(shape, size_px)
    x, y = left + width * np.array([box.x, box.x + box.width]), top + height * np.array([box.y, box.y + box.height])
    return np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])])


def of_canvas(
    rectangle: tuple[float, float, float, float], code: str, shape: tuple[int, int], size_px: int
) -> Box | None:
    """The box of a rectangle (left, top, width, height as shares of the square); None where it lies on the bars."""
    top, left, height, width = imaging.fitted(shape, size_px)
    x, y, wide, high = (size_px * share for share in rectangle)
    ends = (
        np.clip([(x - left) / width, (x + wide - left) / width], 0, 1),
        np.clip([(y - top) / height, (y + high - top) / height], 0, 1),
    )
    (x0, x1), (y0, y1) = (np.round(end, 4).tolist() for end in ends)
    return Box(code, x0, y0, round(x1 - x0, 4), round(y1 - y0, 4)) if x1 > x0 and y1 > y0 else None


def in_square(area: Area, shape: tuple[int, int], size_px: int) -> Area:
    """An area (h, w) of the whole picture in the square, (size_px, size_px)."""
    top, left, height, width = imaging.fitted(shape, size_px)
    square = np.zeros((size_px, size_px), bool)
    square[top : top + height, left : left + width] = _nearest(area, height, width)
    return square


def of_square(area: Area, shape: tuple[int, int]) -> Area:
    """An area drawn on the square as one of the picture, (H, W)."""
    top, left, height, width = imaging.fitted(shape, area.shape[0])
    return _nearest(area[top : top + height, left : left + width], *shape)


def mask_of(digest: str) -> Area:
    """A stored mask. Raises StoreError where it is missing."""
    return np.asarray(resources.store().picture(digest) > 0)


def _nearest(area: Area, height: int, width: int) -> Area:
    rows = (np.arange(height) + 0.5) * area.shape[0] // height
    columns = (np.arange(width) + 0.5) * area.shape[1] // width
    return area[np.ix_(rows.astype(int), columns.astype(int))]
