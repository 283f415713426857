"""Text burnt into pixels: lines of letters by their shape, and what lies outside the regions of an ultrasound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

Box = tuple[int, int, int, int]  # top, left, height, width in px


def text_bands(pixels: npt.NDArray[np.uint8]) -> tuple[Box, ...]:
    """Boxes of lines of at least five letters or digits in a picture (H, W) as it is shown."""
    return ()


def regions(ds: Dataset) -> tuple[Box, ...]:
    """Boxes of the Sequence of Ultrasound Regions (PS3.3 C.8.5.5), () for other images."""
    found = []
    for item in ds.get("SequenceOfUltrasoundRegions") or ():
        left, top = int(item.RegionLocationMinX0), int(item.RegionLocationMinY0)
        right, bottom = int(item.RegionLocationMaxX1), int(item.RegionLocationMaxY1)
        found.append((top, left, bottom - top + 1, right - left + 1))
    return tuple(found)


def mask(shape: tuple[int, ...], boxes: Iterable[Box], inside: Iterable[Box] = ()) -> npt.NDArray[np.bool_]:
    """(H, W), True where it must be black: in the boxes with a margin, and outside of `inside` if that is given."""
    kept = tuple(inside)
    black = np.full(shape, bool(kept))
    for top, left, height, width in kept:
        black[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = False
    for top, left, height, width in boxes:
        margin = max(2, height // 4)
        rows = slice(max(top - margin, 0), top + height + margin)
        black[rows, max(left - margin, 0) : left + width + margin] = True
    return black
