"""Pictures inside a larger picture: films on a page, a slide or a screen, as rectangles against their surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

MOST = 4  # rectangles of one picture
SHORT_PX = 96  # a shorter side is a button or a line of text
INNER = 0.88  # of the whole's longer side: what fills more needs no cutting out
LEVELS = 256  # of grey, between darkest and brightest
SAME = 3  # levels: as near to the commonest grey is surroundings
BRIDGE_PX = 4  # of surroundings on each side that do not part a picture
PICTURE = 48  # levels that a picture shows at least; panels and buttons show few
DEPTH = 2  # a film on a card on a page
LARGE_PX = 2048  # of the longer side; in larger pictures every second, third ... pixel is looked at

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """Rows top to bottom and columns left to right, ends excluded, in pixels of the whole."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Pixels inside."""
        return (self.bottom - self.top) * (self.right - self.left)

    def of(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part of (H, W) inside."""
        return pixels[self.top : self.bottom, self.left : self.right]


def pictures(pixels: npt.NDArray[Any]) -> list[Box]:
    """At most MOST rectangles of (H, W) that hold a picture, largest first; none where one fills it nearly."""
    step = -(-max(pixels.shape) // LARGE_PX)
    seen = pixels[::step, ::step].astype(np.float32)
    low, high = float(seen.min()), float(seen.max())
    if low == high:
        return []
    levels = np.rint((LEVELS - 1) * ((seen - low) / (high - low))).astype(np.uint8)
    whole = Box(0, 0, *levels.shape)
    found = {box for box in _inside(levels, whole, DEPTH) if max(_sides(box)) < INNER * max(_sides(whole))}
    largest = sorted(found, key=lambda box: (-box.area, box))[:MOST]
    return [Box(b.top * step, b.left * step, b.bottom * step, b.right * step) for b in largest]


def _inside(levels: Levels, outer: Box, depth: int) -> list[Box]:
    """What stands out from the commonest grey of a rectangle, and what stands out inside that."""
    part = outer.of(levels)
    commonest = int(np.bincount(part.ravel(), minlength=LEVELS).argmax())
    other = np.abs(part.astype(np.int16) - commonest) > SAME
    other = ndimage.binary_opening(other, np.ones((3, 3)))  # frames and letters are thin
    areas, _ = ndimage.label(ndimage.binary_dilation(other, iterations=BRIDGE_PX))
    found = []
    for rows, columns in ndimage.find_objects(areas * other):
        box = Box(outer.top + rows.start, outer.left + columns.start, outer.top + rows.stop, outer.left + columns.stop)
        if min(_sides(box)) < SHORT_PX:
            continue
        if np.count_nonzero(np.bincount(box.of(levels).ravel(), minlength=LEVELS)) >= PICTURE:
            found.append(box)
        if depth > 1 and box != outer:
            found += _inside(levels, box, depth - 1)
    return found


def _sides(box: Box) -> tuple[int, int]:
    return box.bottom - box.top, box.right - box.left
